#include "service/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/conf.h"
#include "common/http_server.h"
#include "common/str.h"
#include "service/store.h"

#define SECTION "slipwayd"
#define K(name, t, member)                                                \
	{                                                                 \
		SECTION, name, t, offsetof(struct service_config, member) \
	}
#define STAGE(name, stage) K("stage_timeout_" name, CONF_MS, stage_timeout_ms[stage])

static const struct conf_key keys[] = {
	K("https", CONF_STR, https),
	K("http", CONF_STR, http),
	K("state_dir", CONF_STR, state_dir),
	K("auth", CONF_STR, auth),
	K("store", CONF_STR, store),
	K("plain_api", CONF_BOOL, plain_api),
	K("service_base_url", CONF_STR, service_base_url),
	K("image_base_url", CONF_STR, image_base_url),
	K("payload_base_url", CONF_STR, payload_base_url),
	K("names", CONF_STR, names),
	K("default_version", CONF_STR, default_version),
	K("agent_image", CONF_STR, agent_image),
	K("installer_image", CONF_STR, installer_image),
	K("controller_image", CONF_STR, controller_image),
	K("service_image", CONF_STR, service_image),
	K("upgrade_agent", CONF_BOOL, upgrade_agent),
	K("disabled_validations", CONF_STR, disabled_validations),
	K("disabled_steps", CONF_STR, disabled_steps),
	K("instruction_interval", CONF_MS, instruction_interval_ms),
	K("slow_interval", CONF_MS, slow_interval_ms),
	K("max_disconnection_time", CONF_MS, max_disconnection_ms),
	K("no_progress_timeout", CONF_MS, no_progress_timeout_ms),
	STAGE("starting_installation", STAGE_STARTING_INSTALLATION),
	STAGE("installing", STAGE_INSTALLING),
	STAGE("writing_image_to_disk", STAGE_WRITING_IMAGE),
	STAGE("waiting_for_control_plane", STAGE_WAITING_FOR_CONTROL_PLANE),
	STAGE("rebooting", STAGE_REBOOTING),
	STAGE("waiting_for_ignition", STAGE_WAITING_FOR_IGNITION),
	STAGE("configuring", STAGE_CONFIGURING),
	STAGE("joined", STAGE_JOINED),
	STAGE("waiting_for_bootkube", STAGE_WAITING_FOR_BOOTKUBE),
	STAGE("waiting_for_controller", STAGE_WAITING_FOR_CONTROLLER),
	STAGE("copying_registry_data_to_disk", STAGE_COPYING_REGISTRY_DATA),
	K("inventory_max_size", CONF_SIZE, inventory_max_size),
	K("disk_min_size", CONF_SIZE, disk_min_size),
	K("max_hosts", CONF_U64, max_hosts),
	K("findings_quota", CONF_SIZE, findings_quota),
	K("logs_max_size", CONF_SIZE, logs_max_size),
	K("logs_quota", CONF_SIZE, logs_quota),
	K("logs_reserve", CONF_SIZE, logs_reserve),
	K("checkin_flush", CONF_MS, checkin_flush_ms),
	K("agent_token_ttl", CONF_MS, agent_token_ttl_ms),
	{ .key = NULL },
};

int service_config_init(struct service_config *c)
{
	static const struct {
		size_t offset;
		const char *value;
	} defaults[] = {
		{ offsetof(struct service_config, https), "[::]:9543" },
		{ offsetof(struct service_config, http), "[::]:8090" },
		{ offsetof(struct service_config, state_dir), "/var/lib/slipway" },
		{ offsetof(struct service_config, auth), "local" },
		{ offsetof(struct service_config, store), "sqlite" },
		{ offsetof(struct service_config, default_version), "1.0" },
		{ offsetof(struct service_config, agent_image),
		  "localhost/slipway/agent:" SLIPWAY_VERSION },
		{ offsetof(struct service_config, installer_image),
		  "localhost/slipway/installer:" SLIPWAY_VERSION },
		{ offsetof(struct service_config, controller_image),
		  "localhost/slipway/controller:" SLIPWAY_VERSION },
		{ offsetof(struct service_config, service_image),
		  "localhost/slipway/service:" SLIPWAY_VERSION },
	};

	*c = (struct service_config){
		.instruction_interval_ms = 60000,
		.slow_interval_ms = 120000,
		.max_disconnection_ms = 180000,
		.no_progress_timeout_ms = 20 * 60000,
		.checkin_flush_ms = 10000,
		.max_hosts = 20000,
		.findings_quota = (uint64_t)4 << 30,
		.logs_max_size = 262144000, /* the reference's (assisted-v2 §3.6) */
		.logs_quota = (uint64_t)10 << 30,
		.logs_reserve = 64u << 20,
	};
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
		if (str_set((char **)((char *)c + defaults[i].offset), defaults[i].value) < 0)
			return -ENOMEM;
	}
	return 0;
}

int service_config_load(struct service_config *c, const char *path, struct fault *err)
{
	return conf_load_at(AT_FDCWD, path, keys, c, err);
}

enum auth_mode service_config_auth(const struct service_config *c)
{
	return str_eq(c->auth, "none") ? AUTH_MODE_NONE : AUTH_MODE_LOCAL;
}

static int check_url(const char *name, const char *url, struct fault *err)
{
	if (!url)
		return 0;
	const char *host = str_starts(url, "https://")  ? url + 8
			   : str_starts(url, "http://") ? url + 7
							: NULL;
	if (!host || !*host || strpbrk(host, "/ \t\"'?#@"))
		return fault_set(
			err, -EINVAL,
			"%s must be http://HOST[:PORT] or https://HOST[:PORT] without a path, not \"%s\"",
			name, url);
	return 0;
}

int service_config_check(const struct service_config *c, struct fault *err)
{
	if (!str_eq(c->auth, "local") && !str_eq(c->auth, "none"))
		return fault_set(err, -EINVAL, "auth must be local or none, not \"%s\"", c->auth);
	if (c->instruction_interval_ms < 1000)
		return fault_set(err, -EINVAL, "instruction_interval must be at least one second");
	if (c->checkin_flush_ms < 100)
		return fault_set(err, -EINVAL, "checkin_flush must be at least 100 ms");
	if (str_empty(c->default_version) || strpbrk(c->default_version, "/?# \t"))
		return fault_set(err, -EINVAL,
				 "default_version must be a version number, not \"%s\"",
				 c->default_version ? c->default_version : "");
	/* before anything is made in the state folder */
	int r = http_server_check_address(c->https, err);
	if (r == 0 && !str_eq(c->http, "off"))
		r = http_server_check_address(c->http, err);
	if (r == 0)
		r = store_check(c->store, err);
	if (r == 0)
		r = check_url("service_base_url", c->service_base_url, err);
	if (r == 0)
		r = check_url("image_base_url", c->image_base_url, err);
	if (r == 0)
		r = check_url("payload_base_url", c->payload_base_url, err);
	return r;
}

void service_config_done(struct service_config *c)
{
	conf_done(keys, c);
}
