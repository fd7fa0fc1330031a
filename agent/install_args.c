#include "agent/install_args.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/log.h"
#include "common/wire/step.h"

#define PAYLOAD_SUFFIX ".raw.zst"
#define INDEX_SUFFIX ".slx"

/* Flags of coreos-installer that a service may send (install.md A.3). */
static const struct {
	const char *name;
	bool has_value;
} flags[] = {
	{ "--append-karg", true },    { "--delete-karg", true }, { "-n", false },
	{ "--copy-network", false },  { "--network-dir", true }, { "--save-partlabel", true },
	{ "--save-partindex", true }, { "--image-url", true },   { "--image-file", true },
};

/* Those that this agent cannot do: ignoring them would destroy data or lose what the user asked for. */
static const char *const refused[] = { "--save-partlabel", "--save-partindex", "--image-file" };

static void install_cmd_done(struct install_cmd *c)
{
	json_map_done(install_cmd_fields, c);
}

/* The class of the original's check; "+-=" in it is a range (assisted-v2 §10, 14). */
static bool is_value(const char *s)
{
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("@!#$%*()_,\"';:{}[]/.", *s) &&
		    !(*s >= '+' && *s <= '='))
			return false;
	return true;
}

static int find_flag(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (!strcmp(name, flags[i].name))
			return (int)i;
	return -1;
}

static int take_flag(json_t *list, size_t *at, struct job *ret, struct fault *err)
{
	const char *word = json_string_value(json_array_get(list, *at));
	AUTO(freep) char *copy = str_dup(word);
	if (!copy)
		return fault_set(err, -EINVAL, "installer_args holds something that is no text");

	/* both forms: "--flag", "value" and "--flag=value" */
	char *value = strchr(copy, '=');
	if (value && str_starts(copy, "--"))
		*value++ = '\0';
	else
		value = NULL;
	int f = find_flag(copy);
	if (f < 0)
		return fault_set(err, -EINVAL, "installer_args: %s is not supported", copy);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (!strcmp(copy, refused[i]))
			return fault_set(err, -EINVAL,
					 "installer_args: %s is not supported by this agent", copy);
	(*at)++;
	if (strcmp(copy, "--image-url"))
		log_warning(
			"installer_args: %s has no effect on images that are written as they are",
			copy);
	if (!flags[f].has_value)
		return 0;
	const char *text = value;
	if (!text) {
		text = json_string_value(json_array_get(list, *at));
		(*at)++;
	}
	if (str_empty(text) || !is_value(text))
		return fault_set(err, -EINVAL, "installer_args: the value of %s cannot be used",
				 copy);
	if (!strcmp(copy, "--image-url") && str_set(&ret->image_url, text) < 0)
		return fault_oom(err);
	return 0;
}

static int parse_installer_args(const char *text, struct job *ret, struct fault *err)
{
	if (str_empty(text))
		return 0;
	AUTO(json_decrefp) json_t *list = json_parse(text, strlen(text), 64 * 1024, true, err);
	if (!json_is_array(list) || json_array_size(list) > INSTALLER_ARGS_MAX)
		return fault_set(err, -EINVAL, "installer_args is no list of at most %d words",
				 INSTALLER_ARGS_MAX);
	for (size_t i = 0; i < json_array_size(list);) {
		int r = take_flag(list, &i, ret, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_disks(const char *key, const struct json_strs *disks, struct fault *err)
{
	if (disks->n > INSTALL_GIVEN_UP_MAX)
		return fault_set(err, -EINVAL, "%s lists more than %d disks", key,
				 INSTALL_GIVEN_UP_MAX);
	for (size_t i = 0; i < disks->n; i++)
		if (!str_starts(disks->v[i], "/dev/"))
			return fault_set(err, -EINVAL, "%s holds \"%s\"", key, disks->v[i]);
	return 0;
}

static int check(const struct install_cmd *c, const struct session *s, struct fault *err)
{
	if (strcmp(c->infra_env_id, s->config->infra_env_id) || strcasecmp(c->host_id, s->host_id))
		return fault_set(
			err, -EINVAL,
			"the install step is for host %s of infra-env %s, which is not this one",
			c->host_id, c->infra_env_id);
	if (!uuid_is_valid(c->cluster_id))
		return fault_set(err, -EINVAL, "the install step's cluster_id is no UUID");
	if (!str_starts(c->boot_device, "/dev/"))
		return fault_set(err, -EINVAL, "the boot device \"%s\" does not begin with /dev/",
				 c->boot_device);
	if (!str_empty(c->coreos_image))
		return fault_set(
			err, -EINVAL,
			"installing into a running persistent system (coreos_image) is not supported");
	/*
	 * Only the installation disk is this agent's to touch, but what stands on these as well may be
	 * destroyed with it.
	 */
	int r = check_disks("disks_to_format", &c->disks_to_format, err);
	return r < 0 ? r : check_disks("disks_named", &c->disks_named, err);
}

int install_args_parse(json_t *arg, const struct session *s, struct job *ret, struct fault *err)
{
	AUTO(install_cmd_done) struct install_cmd c = { 0 };

	int r = json_map_decode(install_cmd_fields, arg, &c, 0, err);
	if (!r)
		r = check(&c, s, err);
	if (!r)
		r = parse_installer_args(c.installer_args, ret, err);
	if (r < 0)
		return r;
	if (!ret->image_url)
		return fault_set(
			err, -EINVAL,
			"the install step names no OS image (--image-url in installer_args)");
	ret->device = TAKE(c.boot_device);
	ret->role = TAKE(c.role);
	ret->cluster_id = TAKE(c.cluster_id);
	if (c.skip_installation_disk_cleanup)
		return 0;
	/* A service that tells what a person has named: what it has listed by itself gives nothing up. */
	if (json_object_get(arg, "disks_named")) {
		ret->disks_named = c.disks_named;
		c.disks_named = (struct json_strs){ 0 };
	} else {
		ret->disks_to_format = c.disks_to_format;
		c.disks_to_format = (struct json_strs){ 0 };
	}
	return 0;
}

int install_index_url(const struct session *s, const char *image_url, char **ret, struct fault *err)
{
	if (!str_starts(s->config->url, "https://") && !s->config->insecure)
		return fault_set(
			err, -EPERM,
			"the image index must come over TLS, but the service is spoken to by plain HTTP "
			"(--insecure accepts that)");
	const char *host = strstr(image_url, "://");
	const char *path = host ? strchr(host + 3, '/') : NULL;
	if (!path || !str_ends(path, PAYLOAD_SUFFIX))
		return fault_set(err, -EINVAL,
				 "%s is no image with a chunk index (" PAYLOAD_SUFFIX
				 "): add it with slipwayctl os-image add",
				 image_url);
	AUTO(freep)
	char *index =
		str_printf("%.*s" INDEX_SUFFIX, (int)(strlen(path) - strlen(PAYLOAD_SUFFIX)), path);
	char *url = index ? session_origin_url(s, index) : NULL;
	if (!url)
		return fault_oom(err);
	*ret = url;
	return 0;
}
