/*
 * The token segment: everything that belongs to one infra-env, as one uncompressed newc archive. It lands in /etc/slipway of the
 * discovery system, where slipway-agent reads agent.conf.
 */
#include "imagebuilder/imagebuilder.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/str.h"
#include "imagebuilder/cpio.h"

#define SEGMENT_MAX (16u << 20)
#define CONF_TEXT_MAX (64u << 10)
#define DIR_NAME "etc/slipway"

/* The files of a segment beside agent.conf: name, permissions, and which text they hold. */
static const struct {
	const char *name;
	unsigned perm;
	size_t offset; /* of the text in struct media_token */
} texts[] = {
	{ DIR_NAME "/authorized_keys", 0644, offsetof(struct media_token, ssh_authorized_keys) },
	{ DIR_NAME "/kernel-arguments.json", 0644, offsetof(struct media_token, kernel_arguments) },
	{ DIR_NAME "/network.json", 0600, offsetof(struct media_token, static_network_config) },
	{ DIR_NAME "/token", 0600, offsetof(struct media_token, agent_token) },
};

static const char *text_of(const struct media_token *t, size_t offset)
{
	const char *s = *(const char *const *)((const char *)t + offset);

	return str_empty(s) ? NULL : s;
}

/* One "key = value" line; a value that would be another line, or that the reader would trim, cannot be expressed. */
static int conf_line(struct buf *b, const char *key, const char *value, struct fault *err)
{
	if (str_empty(value))
		return 0;
	if (!str_is_text(value) || strpbrk(value, "\n\r"))
		return fault_set(err, -EINVAL, "%s must be one line of plain text", key);

	int r = buf_printf(b, "%s = %s\n", key, value);
	return r < 0 ? fault_set(err, r, "%s is too long", key) : 0;
}

static int conf_number(struct buf *b, const char *key, uint64_t value, struct fault *err)
{
	if (!value)
		return 0;
	int r = buf_printf(b, "%s = %llu\n", key, (unsigned long long)value);
	return r < 0 ? fault_oom(err) : 0;
}

static bool has_ca(const struct media_token *t)
{
	return !str_empty(t->ca_pem) || !str_empty(t->trust_bundle);
}

static int conf_agent(struct buf *b, const struct media_token *t, struct fault *err)
{
	const struct {
		const char *key, *value;
	} lines[] = {
		{ "url", t->service_url },
		{ "infra_env_id", t->infra_env_id },
		{ "token_file", str_empty(t->agent_token) ? NULL : "token" },
		{ "cacert", has_ca(t) ? "ca.pem" : NULL },
		{ "agent_version", t->agent_version },
		{ "ntp_sources", t->ntp_sources },
	};

	if (buf_append_str(b, "[agent]\n") < 0)
		return fault_oom(err);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		int r = conf_line(b, lines[i].key, lines[i].value, err);
		if (r < 0)
			return r;
	}
	int r = conf_number(b, "interval", t->interval_s, err);
	return r < 0 ? r
		     : conf_number(b, "created", t->created > 0 ? (uint64_t)t->created : 0, err);
}

static int conf_proxy(struct buf *b, const struct media_token *t, struct fault *err)
{
	if (str_empty(t->http_proxy) && str_empty(t->https_proxy) && str_empty(t->no_proxy))
		return 0;
	if (buf_append_str(b, "[proxy]\n") < 0)
		return fault_oom(err);

	int r = conf_line(b, "http", t->http_proxy, err);
	if (r == 0)
		r = conf_line(b, "https", t->https_proxy, err);
	return r < 0 ? r : conf_line(b, "no", t->no_proxy, err);
}

static int check(const struct media_token *t, struct fault *err)
{
	if (!str_starts(t->service_url, "https://") && !str_starts(t->service_url, "http://"))
		return fault_set(err, -EINVAL,
				 "the service URL must begin with https:// or http://");
	if (!uuid_is_valid(t->infra_env_id))
		return fault_set(err, -EINVAL, "the infra-env id must be a UUID");
	if (t->agent_token && strpbrk(t->agent_token, " \t\r\n"))
		return fault_set(err, -EINVAL, "the agent token must be one word");
	return 0;
}

static int put_ca(struct cpio_writer *w, const struct media_token *t)
{
	AUTO(buf_done) struct buf pem;

	buf_init(&pem, SEGMENT_MAX);
	int r = buf_append_str(&pem, t->ca_pem ? t->ca_pem : "");
	if (r == 0 && pem.len && pem.data[pem.len - 1] != '\n')
		r = buf_append_str(&pem, "\n");
	if (r == 0)
		r = buf_append_str(&pem, t->trust_bundle ? t->trust_bundle : "");
	return r < 0 ? r : cpio_file(w, DIR_NAME "/ca.pem", 0644, pem.data, pem.len);
}

static int put_members(struct cpio_writer *w, const struct media_token *t, const struct buf *conf)
{
	int r = cpio_dir(w, "etc", 0755);

	if (r == 0)
		r = cpio_dir(w, DIR_NAME, 0755);
	if (r == 0)
		r = cpio_file(w, DIR_NAME "/agent.conf", 0644, conf->data, conf->len);
	if (r == 0 && has_ca(t))
		r = put_ca(w, t);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(texts); i++) {
		const char *s = text_of(t, texts[i].offset);
		if (s)
			r = cpio_file(w, texts[i].name, texts[i].perm, s, strlen(s));
	}
	return r < 0 ? r : cpio_end(w);
}

int media_token_segment(const struct media_token *t, void **ret, size_t *ret_len, struct fault *err)
{
	AUTO(buf_done) struct buf conf;
	AUTO(buf_done) struct buf out;
	struct cpio_writer w;

	buf_init(&conf, CONF_TEXT_MAX);
	buf_init(&out, SEGMENT_MAX);
	int r = check(t, err);
	if (r == 0)
		r = conf_agent(&conf, t, err);
	if (r == 0)
		r = conf_proxy(&conf, t, err);
	if (r < 0)
		return r;

	cpio_writer_init_buf(&w, &out,
			     t->created > 0 && t->created <= UINT32_MAX ? (uint32_t)t->created : 0);
	r = put_members(&w, t, &conf);
	if (r < 0)
		return fault_set(err, r, "cannot make the token segment: %s", strerror(-r));

	size_t len = out.len;
	*ret = buf_take(&out);
	*ret_len = len;
	return 0;
}

/* --- describing --- */

/* Proxy URLs may hold a password: scheme://user:password@host. */
static void set_without_userinfo(json_t *obj, const char *key, const char *value)
{
	const char *scheme = strstr(value, "://");
	const char *at = strrchr(value, '@');

	if (!scheme || !at || at < scheme) {
		json_object_set_new(obj, key, json_string(value));
		return;
	}
	json_object_set_new(obj, key,
			    json_sprintf("%.*s://***%s", (int)(scheme - value), value, at));
}

static int describe_conf(const struct cpio_member *m, json_t *out)
{
	AUTO(freep)
	char *text = strndup((const char *)m->data, MIN_OF(m->len, (size_t)CONF_TEXT_MAX));
	char *save = NULL;
	const char *prefix = "";

	if (!text)
		return -ENOMEM;
	str_make_utf8(text);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char key[64];
		char *value = strchr(line, '=');
		if (*line == '[')
			prefix = str_starts(line, "[proxy]") ? "proxy_" : "";
		if (!value)
			continue;
		*value++ = '\0';
		snprintf(key, sizeof(key), "%s%s", prefix, str_trim(line));
		set_without_userinfo(out, key, str_trim(value));
	}
	return 0;
}

static int describe_member(const struct cpio_member *m, json_t *out, json_t *files)
{
	char *name = str_dup(m->name);
	char perm[8];

	if (!name)
		return -ENOMEM;
	str_make_utf8(name);
	snprintf(perm, sizeof(perm), "%04o", m->mode & 07777);
	json_array_append_new(files, json_pack("{s:s, s:s, s:I}", "path", name, "mode", perm,
					       "size_bytes", (json_int_t)m->len));
	free(name);
	return strcmp(m->name, DIR_NAME "/agent.conf") == 0 ? describe_conf(m, out) : 0;
}

int media_token_describe(const void *segment, size_t len, char **ret_text, struct fault *err)
{
	AUTO(json_decrefp) json_t *out = json_object();
	json_t *files = json_array();
	struct cpio_reader reader;
	struct cpio_member m;
	int r;

	if (!out || !files || json_object_set_new(out, "files", files) < 0)
		return fault_oom(err);
	cpio_reader_init(&reader, segment, len);
	while ((r = cpio_next(&reader, &m, err)) > 0) {
		if ((m.mode & 0170000) != 0100000)
			continue;
		r = describe_member(&m, out, files);
		if (r < 0)
			return fault_set(err, r, "cannot describe the token segment: %s",
					 strerror(-r));
	}
	if (r < 0)
		return r;

	*ret_text = json_text(out, true);
	return *ret_text ? 0 : fault_oom(err);
}
