#include "agent/config.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/conf.h"
#include "common/fd.h"
#include "common/json_map.h"
#include "common/str.h"

#define KEY(section_, key_, type_, member)                             \
	{                                                              \
		.section = (section_), .key = (key_), .type = (type_), \
		.offset = offsetof(struct agent_config, member)        \
	}

static const struct conf_key conf_keys[] = {
	KEY("agent", "url", CONF_STR, url),
	KEY("agent", "infra_env_id", CONF_STR, infra_env_id),
	KEY("agent", "token_file", CONF_STR, token_file),
	KEY("agent", "cacert", CONF_STR, cacert),
	KEY("agent", "agent_version", CONF_STR, agent_version),
	KEY("agent", "interval", CONF_U64, interval_s),
	KEY("agent", "created", CONF_U64, created_s),
	KEY("agent", "ntp_sources", CONF_STR, ntp_sources),
	KEY("agent", "host_id", CONF_STR, host_id),
	KEY("agent", "installed", CONF_BOOL, installed),
	KEY("agent", "install_id", CONF_STR, install_id),
	KEY("agent", "user", CONF_STR, user),
	KEY("proxy", "http", CONF_STR, proxy_http),
	KEY("proxy", "https", CONF_STR, proxy_https),
	KEY("proxy", "no", CONF_STR, proxy_no),
	{ .key = NULL },
};

static const struct json_field wire_fields[] = {
	JSON_FIELD(agent_config, url, "url", JSON_F_STR, JSON_REQUIRED),
	JSON_FIELD(agent_config, infra_env_id, "infra_env_id", JSON_F_STR, JSON_REQUIRED),
	JSON_FIELD(agent_config, host_id, "host_id", JSON_F_STR, JSON_REQUIRED),
	JSON_FIELD(agent_config, agent_version, "agent_version", JSON_F_STR, JSON_OMIT_EMPTY),
	JSON_FIELD(agent_config, ntp_sources, "ntp_sources", JSON_F_STR, JSON_OMIT_EMPTY),
	JSON_FIELD(agent_config, install_id, "install_id", JSON_F_STR, JSON_OMIT_EMPTY),
	JSON_FIELD(agent_config, state_dir, "state_dir", JSON_F_STR, JSON_OMIT_EMPTY),
	JSON_FIELD(agent_config, user, "user", JSON_F_STR, JSON_OMIT_EMPTY),
	JSON_FIELD(agent_config, proxy_http, "proxy_http", JSON_F_STR, JSON_OMIT_EMPTY),
	JSON_FIELD(agent_config, proxy_https, "proxy_https", JSON_F_STR, JSON_OMIT_EMPTY),
	JSON_FIELD(agent_config, proxy_no, "proxy_no", JSON_F_STR, JSON_OMIT_EMPTY),
	JSON_FIELD(agent_config, ca_pem, "ca_pem", JSON_F_STR, JSON_OMIT_EMPTY),
	JSON_FIELD(agent_config, token.hidden, "token", JSON_F_STR, JSON_OMIT_EMPTY),
	JSON_FIELD(agent_config, interval_s, "interval_s", JSON_F_U64, JSON_OMIT_EMPTY),
	JSON_FIELD(agent_config, created_s, "created_s", JSON_F_U64, JSON_OMIT_EMPTY),
	JSON_FIELD(agent_config, installed, "installed", JSON_F_BOOL, JSON_OMIT_EMPTY),
	JSON_FIELD(agent_config, insecure, "insecure", JSON_F_BOOL, JSON_OMIT_EMPTY),
	JSON_FIELD(agent_config, no_disk_writes, "no_disk_writes", JSON_F_BOOL, JSON_OMIT_EMPTY),
	JSON_FIELD(agent_config, sandbox_log, "sandbox_log", JSON_F_BOOL, JSON_OMIT_EMPTY),
	JSON_FIELD_END,
};

/* Strings that an option can set; those of the file stay where the option is not given. */
static const size_t option_strings[] = {
	offsetof(struct agent_config, url),           offsetof(struct agent_config, infra_env_id),
	offsetof(struct agent_config, token_file),    offsetof(struct agent_config, cacert),
	offsetof(struct agent_config, agent_version), offsetof(struct agent_config, host_id),
	offsetof(struct agent_config, state_dir),     offsetof(struct agent_config, reboot_command),
	offsetof(struct agent_config, user),
};

static char **string_at(struct agent_config *c, size_t offset)
{
	return (char **)((char *)c + offset);
}

static void take_options(struct agent_config *c, struct agent_config *args)
{
	for (size_t i = 0; i < ARRAY_SIZE(option_strings); i++) {
		char **from = string_at(args, option_strings[i]);
		if (!*from)
			continue;
		char **to = string_at(c, option_strings[i]);
		free(*to);
		*to = TAKE(*from);
	}
	if (args->interval_s)
		c->interval_s = args->interval_s;
	c->insecure |= args->insecure;
	c->no_disk_writes |= args->no_disk_writes;
	c->sandbox_log |= args->sandbox_log;
}

/* A relative file name of the configuration file means a file beside it. */
static int resolve_beside(const char *conf_path, char **name)
{
	if (!*name || **name == '/')
		return 0;
	AUTO(freep) char *copy = strdup(conf_path);
	if (!copy)
		return -ENOMEM;
	char *full = str_printf("%s/%s", dirname(copy), *name);
	if (!full)
		return -ENOMEM;
	free(*name);
	*name = full;
	return 0;
}

static int load_file(const char *path, struct agent_config *c, struct fault *err)
{
	const char *name = path ? path : AGENT_CONF_DEFAULT;
	struct fault why = FAULT_INIT;

	int r = conf_load_at(AT_FDCWD, name, conf_keys, c, &why);
	if (r == -ENOENT && !path)
		return 0;
	if (r < 0)
		return fault_set(err, r, "%s", fault_text(&why));

	r = resolve_beside(name, &c->token_file);
	if (!r)
		r = resolve_beside(name, &c->cacert);
	return r < 0 ? fault_oom(err) : 0;
}

static int read_token(struct agent_config *c, struct fault *err)
{
	/* The original passes the token this way: agent.service of the discovery ignition (assisted-v2 §2.3). */
	const char *env = getenv("PULL_SECRET_TOKEN");
	if (!c->token_file)
		return secret_set(&c->token, env) < 0 ? fault_oom(err) : 0;

	AUTO(freep) char *text = NULL;
	size_t len = 0;
	int r = file_read_at(AT_FDCWD, c->token_file, AGENT_TOKEN_MAX, &text, &len, err);
	if (r < 0)
		return fault_prefix(err, r, "token file");
	const char *token = str_trim(text);
	for (const char *p = token; *p; p++)
		if (*p <= ' ' || *p > '~')
			return fault_set(err, -EINVAL, "token file %s holds more than a token",
					 c->token_file);
	r = secret_set(&c->token, token);
	secret_wipe(text, len);
	return r < 0 ? fault_oom(err) : 0;
}

static int check(const struct agent_config *c, struct fault *err)
{
	if (str_empty(c->url))
		return fault_set(err, -EINVAL, "no service address: give --url or url in %s",
				 AGENT_CONF_DEFAULT);
	if (!str_starts(c->url, "https://") && !str_starts(c->url, "http://"))
		return fault_set(err, -EINVAL,
				 "the service address \"%s\" is no http:// or https:// URL",
				 c->url);
	if (str_empty(c->infra_env_id))
		return fault_set(err, -EINVAL,
				 "no infra-env: give --infra-env-id or infra_env_id in %s",
				 AGENT_CONF_DEFAULT);
	if (!uuid_is_valid(c->infra_env_id))
		return fault_set(err, -EINVAL, "the infra-env id \"%s\" is no UUID",
				 c->infra_env_id);
	if (c->host_id && !uuid_is_valid(c->host_id))
		return fault_set(err, -EINVAL, "the host id \"%s\" is no UUID", c->host_id);
	if (c->installed && !c->host_id)
		return fault_set(err, -EINVAL,
				 "an installed system needs host_id in its configuration");
	return 0;
}

int agent_config_load(const char *path, struct agent_config *args, struct agent_config *ret,
		      struct fault *err)
{
	AUTO(agent_config_done) struct agent_config c = { 0 };

	int r = load_file(path, &c, err);
	if (r < 0)
		return r;
	take_options(&c, args);
	for (size_t n = c.url ? strlen(c.url) : 0; n && c.url[n - 1] == '/'; n--)
		c.url[n - 1] = '\0';

	r = check(&c, err);
	if (!r)
		r = read_token(&c, err);
	if (r < 0)
		return r;
	if (!str_empty(c.cacert)) {
		size_t len;
		r = file_read_at(AT_FDCWD, c.cacert, AGENT_CA_MAX, &c.ca_pem, &len, err);
		if (r < 0)
			return fault_prefix(err, r, "CA file");
	}
	*ret = c;
	c = (struct agent_config){ 0 };
	return 0;
}

void agent_config_done(struct agent_config *c)
{
	conf_done(conf_keys, c);
	free(c->state_dir);
	free(c->reboot_command);
	free(c->ca_pem);
	secret_done(&c->token);
	*c = (struct agent_config){ 0 };
}

const char *agent_config_state_dir(const struct agent_config *c)
{
	return c->state_dir ? c->state_dir : AGENT_STATE_DIR_DEFAULT;
}

json_t *agent_config_encode(const struct agent_config *c)
{
	return json_map_encode(wire_fields, c);
}

int agent_config_decode(json_t *obj, struct agent_config *ret, struct fault *err)
{
	return json_map_decode(wire_fields, obj, ret, JSON_REJECT_UNKNOWN, err);
}
