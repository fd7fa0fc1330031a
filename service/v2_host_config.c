/*
 * Settings of hosts: PATCH of a host, installer arguments, ignition, and what the installer downloads (assisted-v2 §3.3).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json_map.h"
#include "service/csv.h"
#include "service/host_life.h"
#include "service/life.h"
#include "service/route.h"
#include "service/text_check.h"
#include "service/v2_common.h"
#include "service/v2_view.h"

#define HOST_PATH ROUTE_BASE "/v2/infra-envs/{infra_env_id}/hosts/{host_id}"
/* The original serves the target ignition under the singular (assisted-v2 §10.2). */
#define HOST_PATH_SINGULAR ROUTE_BASE "/v2/infra-env/{infra_env_id}/hosts/{host_id}"

#define HEADERS_MAX 64
#define LABELS_MAX 256

static const char *const roles[] = { "auto-assign", "master", "arbiter", "worker", NULL };
static const char *const disk_roles[] = { "none", "install", NULL };
static const struct body_field disk_fields[] = {
	{ "id", BODY_STR, BODY_REQUIRED },
	{ "role", BODY_STR, .values = disk_roles },
	{ NULL },
};
static const struct body_field skip_fields[] = {
	{ "disk_id", BODY_STR, BODY_REQUIRED },
	{ "skip_formatting", BODY_BOOL, BODY_REQUIRED },
	{ NULL },
};
static const struct body_field pair_fields[] = { { "key", BODY_STR, BODY_REQUIRED },
						 { "value", BODY_STR, BODY_REQUIRED },
						 { NULL } };
static const struct body_field update_fields[] = {
	{ "host_role", BODY_STR, .values = roles },
	{ "host_name", BODY_STR },
	{ "disks_selected_config", BODY_ARRAY, .sub = disk_fields },
	{ "disks_skip_formatting", BODY_ARRAY, .sub = skip_fields },
	{ "machine_config_pool_name", BODY_STR },
	{ "ignition_endpoint_token", BODY_STR },
	{ "ignition_endpoint_http_headers", BODY_ARRAY, .sub = pair_fields },
	{ "node_labels", BODY_ARRAY, .sub = pair_fields },
	{ "fencing_credentials", BODY_OBJECT },
	{ NULL },
};
static const struct body_schema update_schema = { "hostUpdateParams", update_fields };

static const struct body_field args_fields[] = { { "args", BODY_ARRAY }, { NULL } };
static const struct body_schema args_schema = { "installerArgsParams", args_fields };

static const struct body_field ignition_fields[] = { { "config", BODY_STR }, { NULL } };
static const struct body_schema ignition_schema = { "hostIgnitionParams", ignition_fields };

/* --- the fields of PATCH --- */

static int set_role(struct request *r, struct host *h, json_t *v, struct fault *err)
{
	enum host_role role;

	if (host_role_parse(json_string_value(v), &role) < 0)
		return -EINVAL;
	h->role = role;
	return 0;
}

static int set_name(struct request *r, struct host *h, json_t *v, struct fault *err)
{
	int e = check_host_name(json_string_value(v), err);

	return e < 0 ? e : str_set(&h->requested_hostname, json_string_value(v));
}

static const char *chosen_disk(json_t *list, size_t *ret_n)
{
	const char *id = NULL;
	json_t *item;
	size_t i;

	*ret_n = 0;
	json_array_foreach(list, i, item) {
		if (str_eq(json_str(item, "role"), "install")) {
			id = json_str(item, "id");
			(*ret_n)++;
		}
	}
	return id;
}

static json_t *host_inventory(const struct host *h)
{
	return h->inventory ? json_parse(h->inventory, strlen(h->inventory), SIZE_MAX, true, NULL)
			    : NULL;
}

static int set_disk(struct request *r, struct host *h, json_t *v, struct fault *err)
{
	AUTO(json_decrefp) json_t *inventory = host_inventory(h);
	size_t n;
	json_t *disk;
	const char *id = chosen_disk(v, &n);

	if (!n)
		return 0;
	if (n > 1)
		return fault_set(err, -EBUSY, "duplicate setting of installation path by the user");
	if (!inventory || inventory_find_disk(inventory, id, true, &disk) != 1)
		return fault_set(
			err, -EBUSY,
			"Requested installation disk is not part of the host's valid disks: %s",
			id);
	int e = str_set(&h->installation_disk_id, json_str(disk, "id"));
	return e < 0 ? e : str_set(&h->installation_disk_path, json_str(disk, "path"));
}

static int set_pool(struct request *r, struct host *h, json_t *v, struct fault *err)
{
	return str_set(&h->machine_config_pool_name, json_string_value(v));
}

static int set_token(struct request *r, struct host *h, json_t *v, struct fault *err)
{
	return secret_set(&h->ignition_endpoint_token, json_string_value(v));
}

static int set_text(char **slot, const json_t *v)
{
	char *text = json_text(v, true);

	if (!text)
		return -ENOMEM;
	free(*slot);
	*slot = text;
	return 0;
}

static int set_headers(struct request *r, struct host *h, json_t *v, struct fault *err)
{
	json_t *item;
	size_t i;

	if (json_array_size(v) > HEADERS_MAX)
		return fault_set(err, -EINVAL, "at most %d ignition_endpoint_http_headers",
				 HEADERS_MAX);
	json_array_foreach(v, i, item) {
		const char *key = json_str(item, "key"), *value = json_str(item, "value");
		if (!*key || strpbrk(key, " :\t\r\n") || strpbrk(value, "\r\n"))
			return fault_set(err, -EINVAL, "\"%s\" is not a header that can be sent",
					 key);
	}
	return set_text(&h->ignition_endpoint_http_headers, v);
}

static int set_labels(struct request *r, struct host *h, json_t *v, struct fault *err)
{
	AUTO(json_decrefp) json_t *labels = json_object();
	json_t *item;
	size_t i;

	if (json_array_size(v) > LABELS_MAX)
		return fault_set(err, -EINVAL, "at most %d node_labels", LABELS_MAX);
	json_array_foreach(v, i, item) {
		const char *key = json_str(item, "key"), *value = json_str(item, "value");
		int e = check_node_label(key, value, err);
		if (e < 0)
			return e;
		if (json_object_set_new(labels, key, json_string(value)) < 0)
			return -ENOMEM;
	}
	return set_text(&h->node_labels, labels);
}

/* The list without (or with) one disk. */
static int list_disk(char **csv, const char *id, bool is_listed)
{
	AUTO(buf_done) struct buf b;
	const char *p = *csv, *item;
	size_t len;
	int e = 0;

	buf_init(&b, 64 * 1024);
	while (e == 0 && (item = csv_next(&p, &len))) {
		if (strlen(id) != len || memcmp(item, id, len) != 0)
			e = buf_printf(&b, "%s%.*s", b.len ? "," : "", (int)len, item);
	}
	if (e == 0 && is_listed)
		e = buf_printf(&b, "%s%s", b.len ? "," : "", id);
	return e < 0 ? e : str_set(csv, b.len ? b.data : NULL);
}

static bool has_disk_id(json_t *inventory, const char *id)
{
	json_t *disk;
	size_t i;

	json_array_foreach(json_object_get(inventory, "disks"), i, disk) {
		if (str_eq(json_str(disk, "id"), id))
			return true;
	}
	return false;
}

static int set_skip(struct request *r, struct host *h, json_t *v, struct fault *err)
{
	AUTO(json_decrefp) json_t *inventory = host_inventory(h);
	json_t *item;
	size_t i;

	json_array_foreach(v, i, item) {
		const char *id = json_str(item, "disk_id");
		if (!has_disk_id(inventory, id) || strchr(id, ','))
			return fault_set(
				err, -EINVAL,
				"Disk identifier %s doesn't match any disk in the inventory", id);
		bool skip = json_flag(item, "skip_formatting");
		int e = list_disk(&h->skip_formatting_disks, id, skip);
		/* Said in so many words, it is more than what is formatted unless it is skipped. */
		if (e == 0)
			e = list_disk(&h->formatting_disks, id, !skip);
		if (e < 0)
			return e;
	}
	return 0;
}

static int refuse_fencing(struct request *r, struct host *h, json_t *v, struct fault *err)
{
	return fault_set(err, -EINVAL,
			 "fencing_credentials are for control planes and are not supported here");
}

/* In the order in which they are applied; wrong_state: what a host that may not be changed now is answered (assisted-v2 §3.3). */
static const struct {
	const char *key;
	int (*set)(struct request *r, struct host *h, json_t *v, struct fault *err);
	int wrong_state;
} updates[] = {
	{ "host_role", set_role, -EPROTO },
	{ "host_name", set_name, -EBUSY },
	{ "disks_selected_config", set_disk, -EBUSY },
	{ "machine_config_pool_name", set_pool, -EBUSY },
	{ "ignition_endpoint_token", set_token, -EBUSY },
	{ "ignition_endpoint_http_headers", set_headers, -EPROTO },
	{ "node_labels", set_labels, -EPROTO },
	{ "disks_skip_formatting", set_skip, -EPROTO },
	{ "fencing_credentials", refuse_fencing, -EPROTO },
};

static bool takes_updates(enum host_status s)
{
	switch (s) {
	case HOST_DISCOVERING:
	case HOST_KNOWN:
	case HOST_DISCONNECTED:
	case HOST_INSUFFICIENT:
	case HOST_PENDING_FOR_INPUT:
	case HOST_DISCOVERING_UNBOUND:
	case HOST_KNOWN_UNBOUND:
	case HOST_INSUFFICIENT_UNBOUND:
	case HOST_DISCONNECTED_UNBOUND:
	case HOST_BINDING:
		return true;
	default:
		return false;
	}
}

static int apply_updates(struct request *r, struct host *h, struct fault *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(updates); i++) {
		json_t *v = json_object_get(r->body, updates[i].key);
		if (!v || json_is_null(v))
			continue;
		if (!takes_updates(h->status))
			return fault_set(err, updates[i].wrong_state,
					 "Host is in %s state, %s cannot be set now",
					 host_status_name(h->status), updates[i].key);
		int e = updates[i].set(r, h, v, err);
		if (e < 0)
			return e;
	}
	return 0;
}

static int host_update(struct request *r, struct fault *err)
{
	struct service *svc = r->service;
	struct host *h;

	int e = v2_find_host(r, &h, err);
	if (e < 0)
		return e;
	AUTO(freep) char *old_name = host_effective_name(h);
	bool had_api_vip = host_has_api_vip(h);
	e = state_edit_host(svc->state, h);
	if (e == 0)
		e = apply_updates(r, h, err);
	if (e == 0 && state_is_changed(svc->state, h)) {
		h->updated_at = r->now_us;
		e = life_refresh(svc, h, h->status, err);
		if (e == 0)
			e = host_refresh_peers(svc, h, old_name, had_api_vip, err);
	}
	return e < 0 ? e : answer_host(r, 201, h);
}

/* --- installer arguments --- */

static int host_installer_args(struct request *r, struct fault *err)
{
	json_t *args = json_object_get(r->body, "args"), *item;
	struct host *h;
	size_t i;

	int e = v2_find_host(r, &h, err);
	if (e < 0)
		return e;
	json_array_foreach(args, i, item) {
		e = check_installer_arg(json_string_value(item), err);
		if (e < 0)
			return e;
	}
	e = state_edit_host(r->service->state, h);
	if (e == 0)
		e = json_array_size(args) ? set_text(&h->installer_args, args)
					  : str_set(&h->installer_args, NULL);
	if (e < 0)
		return e;
	h->updated_at = r->now_us;
	e = life_event_host(r->service, h, "host_installer_args_applied", "info",
			    "custom installer arguments were applied");
	return e < 0 ? e : answer_host(r, 201, h);
}

/* --- ignition --- */

static int host_ignition_update(struct request *r, struct fault *err)
{
	const char *config = json_str(r->body, "config");
	struct host *h;

	int e = v2_find_host(r, &h, err);
	if (e == 0 && !str_empty(config) && ignition_check(config, err) < 0)
		e = -EINVAL;
	if (e == 0)
		e = state_edit_host(r->service->state, h);
	if (e == 0)
		e = str_set(&h->ignition_config_overrides, str_empty(config) ? NULL : config);
	if (e < 0)
		return e;
	h->updated_at = r->now_us;
	e = life_event_host(r->service, h, "host_discovery_ignition_config_applied", "info",
			    "custom discovery ignition config was applied");
	return e < 0 ? e : answer_empty(r, 201);
}

static int find_with_ignition(struct request *r, struct host **ret, struct fault *err)
{
	int e = v2_find_host(r, ret, err);

	if (e < 0)
		return e;
	if (!(*ret)->cluster_id[0])
		return fault_set(err, -ENOENT, "Cluster not found for host %s in infra env %s",
				 (*ret)->id, (*ret)->infra_env_id);
	if (!(*ret)->target_ignition)
		return fault_set(
			err, -EPROTO,
			"host %s has no ignition yet: it is made when the installation is asked for",
			(*ret)->id);
	return 0;
}

static int host_ignition_get(struct request *r, struct fault *err)
{
	struct json_out o = json_out(&r->out);
	struct host *h;

	int e = find_with_ignition(r, &h, err);
	if (e < 0)
		return e;
	jo_object(&o, NULL);
	jo_str(&o, "config", h->target_ignition);
	jo_object_end(&o);
	return answer_out(r, 200, &o);
}

static int host_ignition_download(struct request *r, struct fault *err)
{
	char disposition[160];
	struct host *h;

	int e = find_with_ignition(r, &h, err);
	if (e < 0)
		return e;
	snprintf(disposition, sizeof(disposition), "attachment; filename=\"%s-%s.ign\"",
		 host_role_name(h->role), h->id);
	e = answer_header(r, "Content-Disposition", disposition);
	return e < 0 ? e
		     : answer_data(r, 200, "application/octet-stream", h->target_ignition,
				   strlen(h->target_ignition));
}

/* --- the seed of the installed system's agent (an extension: our own agent only) --- */

static int host_seed(struct request *r, struct fault *err)
{
	struct service *svc = r->service;
	struct json_out o = json_out(&r->out);
	AUTO(freep) char *token = NULL;
	struct host *h;

	int e = v2_find_host(r, &h, err);
	if (e < 0)
		return e;
	if (h->status != HOST_INSTALLING && h->status != HOST_INSTALLING_IN_PROGRESS)
		return fault_set(err, -EBUSY, "host %s is not being installed", h->id);
	const struct infra_env *ie = state_infra_env(svc->state, h->infra_env_id);
	e = auth_installed_token(svc->auth, ie, h->id, h->install_id, r->now_us, &token, err);
	if (e < 0)
		return e;
	jo_object(&o, NULL);
	jo_str(&o, "install_id", h->install_id);
	jo_str(&o, "token", token);
	jo_str(&o, "url", svc->service_url);
	jo_str(&o, "infra_env_id", h->infra_env_id);
	jo_str(&o, "host_id", h->id);
	jo_str(&o, "ca", svc->ca_pem);
	jo_object_end(&o);
	secret_wipe(token, strlen(token));
	return answer_out(r, 200, &o);
}

static int host_reset_validation(struct request *r, struct fault *err)
{
	const char *id = request_param(r, "validation_id");
	struct host *h;

	int e = v2_find_host(r, &h, err);
	if (e < 0)
		return e;
	if (strcmp(id, "sufficient-installation-disk-speed") != 0 &&
	    strcmp(id, "container-images-available") != 0)
		return fault_set(err, -EINVAL,
				 "Validation \"%s\" cannot be reset or does not exist", id);
	if (!h->cluster_id[0])
		return fault_set(err, -EPROTO, "host %s is not bound to any cluster", h->id);
	/* Both always succeed for a host that joins a cluster (assisted-v2 §7.4): there is nothing to forget but what was reported. */
	e = state_edit_host(r->service->state, h);
	if (e == 0)
		e = str_set(strcmp(id, "container-images-available") ? &h->disks_info
								     : &h->images_status,
			    NULL);
	return e < 0 ? e : answer_empty(r, 200);
}

const struct route v2_host_config_routes[] = {
	{ "PATCH", HOST_PATH, "v2UpdateHost", AUTH_USER, 0, host_update, &update_schema },
	{ "PATCH", HOST_PATH "/installer-args", "v2UpdateHostInstallerArgs", AUTH_USER, 0,
	  host_installer_args, &args_schema },
	{ "GET", HOST_PATH "/ignition", "v2GetHostIgnition", AUTH_USER, 0, host_ignition_get },
	{ "PATCH", HOST_PATH "/ignition", "v2UpdateHostIgnition", AUTH_USER, 0,
	  host_ignition_update, &ignition_schema },
	{ "PATCH", HOST_PATH "/actions/reset-validation/{validation_id}", "v2ResetHostValidation",
	  AUTH_USER, 0, host_reset_validation },
	{ "GET", HOST_PATH_SINGULAR "/downloads/ignition", "v2DownloadHostIgnition",
	  AUTH_USER | AUTH_AGENT, ROUTE_OCTET, host_ignition_download },
	{ "GET", HOST_PATH "/downloads/seed", "DownloadHostSeed", AUTH_AGENT, 0, host_seed },
	ROUTE_END,
};
