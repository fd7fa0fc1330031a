#include "service/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json_map.h"
#include "service/model_field.h"
#include "service/state.h"

static const char *const status_names[HOST_STATUS_COUNT] = {
	[HOST_DISCOVERING] = "discovering",
	[HOST_KNOWN] = "known",
	[HOST_DISCONNECTED] = "disconnected",
	[HOST_INSUFFICIENT] = "insufficient",
	[HOST_DISABLED] = "disabled",
	[HOST_PREPARING_FOR_INSTALLATION] = "preparing-for-installation",
	[HOST_PREPARING_FAILED] = "preparing-failed",
	[HOST_PREPARING_SUCCESSFUL] = "preparing-successful",
	[HOST_PENDING_FOR_INPUT] = "pending-for-input",
	[HOST_INSTALLING] = "installing",
	[HOST_INSTALLING_IN_PROGRESS] = "installing-in-progress",
	[HOST_INSTALLING_PENDING_USER_ACTION] = "installing-pending-user-action",
	[HOST_RESETTING] = "resetting",
	[HOST_RESETTING_PENDING_USER_ACTION] = "resetting-pending-user-action",
	[HOST_INSTALLED] = "installed",
	[HOST_ERROR] = "error",
	[HOST_CANCELLED] = "cancelled",
	[HOST_ADDED_TO_EXISTING_CLUSTER] = "added-to-existing-cluster",
	[HOST_BINDING] = "binding",
	[HOST_DISCOVERING_UNBOUND] = "discovering-unbound",
	[HOST_KNOWN_UNBOUND] = "known-unbound",
	[HOST_INSUFFICIENT_UNBOUND] = "insufficient-unbound",
	[HOST_DISCONNECTED_UNBOUND] = "disconnected-unbound",
	[HOST_DISABLED_UNBOUND] = "disabled-unbound",
	[HOST_UNBINDING] = "unbinding",
	[HOST_UNBINDING_PENDING_USER_ACTION] = "unbinding-pending-user-action",
	[HOST_RECLAIMING] = "reclaiming",
	[HOST_RECLAIMING_REBOOTING] = "reclaiming-rebooting",
};

static const char *const role_names[ROLE_COUNT] = {
	[ROLE_AUTO_ASSIGN] = "auto-assign", [ROLE_MASTER] = "master",
	[ROLE_ARBITER] = "arbiter",         [ROLE_WORKER] = "worker",
	[ROLE_BOOTSTRAP] = "bootstrap",
};

static int name_index(const char *const *names, int n, const char *name)
{
	for (int i = 0; name && i < n; i++) {
		if (names[i] && !strcmp(names[i], name))
			return i;
	}
	return -1;
}

const char *host_status_name(enum host_status s)
{
	return (unsigned)s < HOST_STATUS_COUNT ? status_names[s] : "unknown";
}

int host_status_parse(const char *name, enum host_status *ret)
{
	int i = name_index(status_names, HOST_STATUS_COUNT, name);
	if (i < 0)
		return -EINVAL;
	*ret = (enum host_status)i;
	return 0;
}

const char *host_role_name(enum host_role r)
{
	return (unsigned)r < ROLE_COUNT ? role_names[r] : "unknown";
}

int host_role_parse(const char *name, enum host_role *ret)
{
	int i = name_index(role_names, ROLE_COUNT, name);
	if (i < 0)
		return -EINVAL;
	*ret = (enum host_role)i;
	return 0;
}

/* --- enumerations as the store writes them --- */

static const char *status_text(int v)
{
	return host_status_name((enum host_status)v);
}

static int status_value(const char *name, int *ret)
{
	enum host_status s;
	int r = host_status_parse(name, &s);
	if (r == 0)
		*ret = (int)s;
	return r;
}

static const char *role_text(int v)
{
	return host_role_name((enum host_role)v);
}

static int role_value(const char *name, int *ret)
{
	enum host_role role;
	int r = host_role_parse(name, &role);
	if (r == 0)
		*ret = (int)role;
	return r;
}

static const char *stage_text(int v)
{
	return stage_name((enum stage)v);
}

static int stage_value(const char *name, int *ret)
{
	enum stage s = STAGE_NONE;
	int r = *name ? stage_parse(name, &s) : 0;
	if (r == 0)
		*ret = (int)s;
	return r;
}

static const char *kind_text(int v)
{
	return v == HOST_KIND_DAY2 ? "AddToExistingClusterHost" : "Host";
}

static int kind_value(const char *name, int *ret)
{
	*ret = !strcmp(name, "AddToExistingClusterHost") ? HOST_KIND_DAY2 : HOST_KIND_HOST;
	return 0;
}

static const struct model_enum enum_status = { status_text, status_value };
static const struct model_enum enum_role = { role_text, role_value };
static const struct model_enum enum_stage = { stage_text, stage_value };
static const struct model_enum enum_kind = { kind_text, kind_value };

_Static_assert(sizeof(enum host_status) == sizeof(int) && sizeof(enum stage) == sizeof(int),
	       "enums are read as int");

/* --- field lists --- */

#define F(st, member, t, fl)                                                           \
	{                                                                              \
		.column = #member, .type = (t), .offset = offsetof(struct st, member), \
		.size = sizeof(((struct st *)0)->member), .flags = (fl)                \
	}
#define F_ENUM(st, member, e)                                                                 \
	{                                                                                     \
		.column = #member, .type = MODEL_ENUM, .offset = offsetof(struct st, member), \
		.size = sizeof(int), .names = (e)                                             \
	}
#define F_END                  \
	{                      \
		.column = NULL \
	}

static const struct model_field infra_env_fields[] = {
	F(infra_env, id, MODEL_CHARS, MODEL_KEY),
	F(infra_env, cluster_id, MODEL_CHARS, 0),
	F(infra_env, name, MODEL_STR, 0),
	F(infra_env, openshift_version, MODEL_STR, 0),
	F(infra_env, cpu_architecture, MODEL_STR, 0),
	F(infra_env, image_type, MODEL_STR, 0),
	F(infra_env, ssh_authorized_key, MODEL_STR, 0),
	F(infra_env, http_proxy, MODEL_STR, MODEL_ENCRYPT), /* may hold credentials */
	F(infra_env, https_proxy, MODEL_STR, MODEL_ENCRYPT),
	F(infra_env, no_proxy, MODEL_STR, 0),
	F(infra_env, additional_ntp_sources, MODEL_STR, 0),
	F(infra_env, ntp_sources, MODEL_STR, 0),
	F(infra_env, static_network_config, MODEL_STR, 0),
	F(infra_env, ignition_config_override, MODEL_STR, MODEL_ENCRYPT),
	F(infra_env, kernel_arguments, MODEL_STR, 0),
	F(infra_env, additional_trust_bundle, MODEL_STR, 0),
	F(infra_env, rendezvous_ip, MODEL_STR, 0),
	F(infra_env, network_discovery_delay_seconds, MODEL_I64, 0),
	F(infra_env, pull_secret, MODEL_SECRET, 0),
	F(infra_env, image_token_key, MODEL_STR, MODEL_ENCRYPT),
	F(infra_env, token_epoch, MODEL_I64, 0),
	F(infra_env, user_name, MODEL_STR, 0),
	F(infra_env, org_id, MODEL_STR, 0),
	F(infra_env, email_domain, MODEL_STR, 0),
	F(infra_env, created_at, MODEL_I64, 0),
	F(infra_env, updated_at, MODEL_I64, 0),
	F_END,
};

static const struct model_field cluster_fields[] = {
	F(cluster, id, MODEL_CHARS, MODEL_KEY),
	F(cluster, openshift_cluster_id, MODEL_CHARS, 0),
	F(cluster, name, MODEL_STR, 0),
	F(cluster, api_vip_dns_name, MODEL_STR, 0),
	F(cluster, base_dns_domain, MODEL_STR, 0),
	F(cluster, openshift_version, MODEL_STR, 0),
	F(cluster, cpu_architecture, MODEL_STR, 0),
	F(cluster, ssh_public_key, MODEL_STR, 0),
	F(cluster, http_proxy, MODEL_STR, MODEL_ENCRYPT),
	F(cluster, https_proxy, MODEL_STR, MODEL_ENCRYPT),
	F(cluster, no_proxy, MODEL_STR, 0),
	F(cluster, additional_ntp_source, MODEL_STR, 0),
	F(cluster, ntp_sources, MODEL_STR, 0),
	F(cluster, ignition_endpoint_url, MODEL_STR, 0),
	F(cluster, ignition_endpoint_ca, MODEL_STR, 0),
	F(cluster, extra, MODEL_STR, 0),
	F(cluster, pull_secret, MODEL_SECRET, 0),
	F(cluster, user_name, MODEL_STR, 0),
	F(cluster, org_id, MODEL_STR, 0),
	F(cluster, email_domain, MODEL_STR, 0),
	F(cluster, status_updated_at, MODEL_I64, 0),
	F(cluster, created_at, MODEL_I64, 0),
	F(cluster, updated_at, MODEL_I64, 0),
	F_END,
};

static const struct model_field host_fields[] = {
	F(host, infra_env_id, MODEL_CHARS, MODEL_KEY),
	F(host, id, MODEL_CHARS, MODEL_KEY),
	F(host, cluster_id, MODEL_CHARS, 0),
	F_ENUM(host, kind, &enum_kind),
	F_ENUM(host, status, &enum_status),
	F(host, status_info, MODEL_STR, 0),
	F(host, status_updated_at, MODEL_I64, 0),
	F_ENUM(host, role, &enum_role),
	F_ENUM(host, suggested_role, &enum_role),
	F(host, bootstrap, MODEL_BOOL, 0),
	F(host, slipway_agent, MODEL_BOOL, 0),
	F(host, inventory, MODEL_STR, 0),
	F(host, inventory_hostname, MODEL_STR, 0),
	F(host, connectivity, MODEL_STR, 0),
	F(host, api_vip_connectivity, MODEL_STR, 0),
	F(host, tang_connectivity, MODEL_STR, 0),
	F(host, ntp_sources, MODEL_STR, 0),
	F(host, domain_name_resolutions, MODEL_STR, 0),
	F(host, validations_info, MODEL_STR, 0),
	F(host, requested_hostname, MODEL_STR, 0),
	F(host, installation_disk_id, MODEL_STR, 0),
	F(host, installation_disk_path, MODEL_STR, 0),
	F(host, disks_to_be_formatted, MODEL_STR, 0),
	F(host, skip_formatting_disks, MODEL_STR, 0),
	F(host, formatting_disks, MODEL_STR, 0),
	F(host, installer_args, MODEL_STR, 0),
	F(host, installer_version, MODEL_STR, 0),
	F(host, ignition_config_overrides, MODEL_STR, MODEL_ENCRYPT),
	F(host, machine_config_pool_name, MODEL_STR, 0),
	F(host, node_labels, MODEL_STR, 0),
	F(host, ignition_endpoint_http_headers, MODEL_STR, MODEL_ENCRYPT),
	F(host, ignition_endpoint_token, MODEL_SECRET, 0),
	F(host, target_ignition, MODEL_STR, MODEL_ENCRYPT),
	F(host, install_id, MODEL_STR, 0),
	F(host, discovery_agent_version, MODEL_STR, 0),
	F(host, disks_info, MODEL_STR, 0),
	F(host, images_status, MODEL_STR, 0),
	F(host, logs_info, MODEL_STR, 0),
	F(host, user_name, MODEL_STR, 0),
	F(host, media_disconnected, MODEL_INT, 0),
	F_ENUM(host, stage, &enum_stage),
	F(host, stage_text, MODEL_STR, 0),
	F(host, progress_info, MODEL_STR, 0),
	F(host, stage_started_at, MODEL_I64, 0),
	F(host, stage_updated_at, MODEL_I64, 0),
	F(host, stage_timed_out, MODEL_BOOL, 0),
	F(host, connection_timed_out, MODEL_BOOL, 0),
	F(host, checked_in_at, MODEL_I64, 0),
	F(host, timestamp, MODEL_I64, 0),
	F(host, registered_at, MODEL_I64, 0),
	F(host, created_at, MODEL_I64, 0),
	F(host, updated_at, MODEL_I64, 0),
	F(host, logs_started_at, MODEL_I64, 0),
	F(host, logs_collected_at, MODEL_I64, 0),
	F_END,
};

static const struct model_field event_fields[] = {
	F(api_event, id, MODEL_I64, MODEL_AUTO),
	F(api_event, name, MODEL_STR, 0),
	F(api_event, severity, MODEL_STR, 0),
	F(api_event, category, MODEL_STR, 0),
	F(api_event, message, MODEL_STR, 0),
	F(api_event, props, MODEL_STR, 0),
	F(api_event, cluster_id, MODEL_CHARS, 0),
	F(api_event, host_id, MODEL_CHARS, 0),
	F(api_event, infra_env_id, MODEL_CHARS, 0),
	F(api_event, event_time, MODEL_I64, 0),
	F_END,
};

static const struct model_field os_image_fields[] = {
	F(os_image, id, MODEL_CHARS, MODEL_KEY),
	F(os_image, label, MODEL_STR, 0),
	F(os_image, version, MODEL_STR, 0),
	F(os_image, cpu_architecture, MODEL_STR, 0),
	F(os_image, image_size, MODEL_U64, 0),
	F(os_image, payload_size, MODEL_U64, 0),
	F(os_image, created_at, MODEL_I64, 0),
	F(os_image, is_default, MODEL_BOOL, 0),
	F_END,
};

static const struct model_field user_fields[] = {
	F(user, name, MODEL_CHARS, MODEL_KEY), F(user, password_hash, MODEL_STR, MODEL_ENCRYPT),
	F(user, role, MODEL_I64, 0),           F(user, token_epoch, MODEL_I64, 0),
	F(user, created_at, MODEL_I64, 0),     F_END,
};

static const struct model_class classes[MODEL_KIND_COUNT] = {
	[MODEL_INFRA_ENV] = { "infra_env", sizeof(struct infra_env), infra_env_fields },
	[MODEL_CLUSTER] = { "cluster", sizeof(struct cluster), cluster_fields },
	[MODEL_HOST] = { "host", sizeof(struct host), host_fields },
	[MODEL_EVENT] = { "event", sizeof(struct api_event), event_fields },
	[MODEL_OS_IMAGE] = { "os_image", sizeof(struct os_image), os_image_fields },
	[MODEL_USER] = { "user", sizeof(struct user), user_fields },
};

const struct model_class *model_class(enum model_kind kind)
{
	return &classes[kind];
}

void model_done(enum model_kind kind, void *obj)
{
	for (const struct model_field *f = classes[kind].fields; f->column; f++) {
		void *p = (char *)obj + f->offset;
		if (f->type == MODEL_SECRET)
			secret_done(p);
		else if (f->type == MODEL_STR)
			freep(p);
	}
	memset(obj, 0, classes[kind].size);
}

static int field_copy(const struct model_field *f, const void *from, void *to)
{
	if (f->type == MODEL_SECRET) {
		const struct secret *s = from;
		return secret_is_set(s) ? secret_set(to, secret_reveal(s)) : 0;
	}
	if (f->type != MODEL_STR)
		return 0;
	const char *s = *(char *const *)from;
	return s ? str_set(to, s) : 0;
}

int model_copy(enum model_kind kind, const void *from, void *to)
{
	const struct model_class *c = &classes[kind];

	memcpy(to, from, c->size);
	for (const struct model_field *f = c->fields; f->column; f++) {
		if (f->type == MODEL_STR || f->type == MODEL_SECRET)
			memset((char *)to + f->offset, 0, f->size);
	}
	for (const struct model_field *f = c->fields; f->column; f++) {
		if (field_copy(f, (const char *)from + f->offset, (char *)to + f->offset) < 0) {
			model_done(kind, to);
			return -ENOMEM;
		}
	}
	return 0;
}

static bool field_equal(const struct model_field *f, const void *a, const void *b)
{
	if (f->type == MODEL_STR)
		return str_eq(*(char *const *)a, *(char *const *)b);
	if (f->type == MODEL_SECRET)
		return !strcmp(secret_reveal(a), secret_reveal(b));
	if (f->type == MODEL_CHARS)
		return !strcmp(a, b);
	return !memcmp(a, b, f->size);
}

bool model_equal(enum model_kind kind, const void *a, const void *b)
{
	for (const struct model_field *f = classes[kind].fields; f->column; f++) {
		if (!field_equal(f, (const char *)a + f->offset, (const char *)b + f->offset))
			return false;
	}
	return true;
}

void model_key(enum model_kind kind, const void *obj, char ret[MODEL_KEY_MAX])
{
	size_t len = 0;

	for (const struct model_field *f = classes[kind].fields; f->column; f++) {
		if (!(f->flags & MODEL_KEY))
			continue;
		const char *text = (const char *)obj + f->offset;
		size_t n = strnlen(text, f->size);
		if (len + n + 2 > MODEL_KEY_MAX)
			break;
		if (len)
			ret[len++] = '/';
		memcpy(ret + len, text, n);
		len += n;
	}
	ret[len] = '\0';
}

#define MODEL_DONE(st, kind)         \
	void st##_done(struct st *p) \
	{                            \
		model_done(kind, p); \
	}
MODEL_DONE(infra_env, MODEL_INFRA_ENV)
MODEL_DONE(cluster, MODEL_CLUSTER)
MODEL_DONE(host, MODEL_HOST)
MODEL_DONE(api_event, MODEL_EVENT)
MODEL_DONE(os_image, MODEL_OS_IMAGE)
MODEL_DONE(user, MODEL_USER)

int infra_env_copy(const struct infra_env *from, struct infra_env *to)
{
	return model_copy(MODEL_INFRA_ENV, from, to);
}

int cluster_copy(const struct cluster *from, struct cluster *to)
{
	return model_copy(MODEL_CLUSTER, from, to);
}

int host_copy(const struct host *from, struct host *to)
{
	return model_copy(MODEL_HOST, from, to);
}

/* --- what a host is called --- */

const char *host_name(const struct host *h)
{
	if (!str_empty(h->requested_hostname))
		return h->requested_hostname;
	if (h->inventory && !str_empty(h->inventory_hostname))
		return h->inventory_hostname;
	return h->id;
}

char *host_effective_name(const struct host *h)
{
	return strdup(host_name(h));
}

/* The end of the JSON string that begins at @p (its quote); NULL = it has none. */
static const char *string_end(const char *p)
{
	for (p++; *p && *p != '"'; p++) {
		if (*p == '\\' && p[1])
			p++;
	}
	return *p ? p : NULL;
}

/* Where the value of a member of the outermost object begins in compact JSON text; NULL = it is not there. */
static const char *member_find(const char *json, const char *key)
{
	size_t len = strlen(key);
	int depth = 0;

	for (const char *p = json; p && *p; p++) {
		if (*p == '{' || *p == '[')
			depth++;
		if (*p == '}' || *p == ']')
			depth--;
		if (*p != '"')
			continue;
		const char *end = string_end(p);
		if (depth == 1 && end && (size_t)(end - p - 1) == len && !memcmp(p + 1, key, len) &&
		    end[1] == ':')
			return end + 2;
		p = end;
		if (!p)
			break;
	}
	return NULL;
}

/* Our own compact text is scanned, not parsed: this runs once per inventory, which is some 10 kB. */
int host_note_inventory(struct host *h)
{
	const char *value = h->inventory ? member_find(h->inventory, "hostname") : NULL;
	const char *end = value && *value == '"' ? string_end(value) : NULL;

	if (!end || end == value + 1)
		return str_set(&h->inventory_hostname, NULL);
	AUTO(json_decrefp)
	json_t *name = json_parse(value, (size_t)(end - value + 1), SIZE_MAX, true, NULL);
	return str_set(&h->inventory_hostname, json_string_value(name));
}

size_t host_count_findings(struct host *h)
{
	const char *const texts[] = {
		h->inventory,         h->connectivity, h->api_vip_connectivity,
		h->tang_connectivity, h->ntp_sources,  h->domain_name_resolutions,
	};

	h->findings_len = 0;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		h->findings_len += texts[i] ? strlen(texts[i]) : 0;
	return h->findings_len;
}

void host_clear_findings(struct host *h)
{
	char **texts[] = {
		&h->inventory,     &h->inventory_hostname, &h->images_status, &h->ntp_sources,
		&h->progress_info, &h->stage_text,         &h->logs_info,     &h->disks_info,
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		free(*texts[i]);
		*texts[i] = NULL;
	}
	h->bootstrap = false;
	h->stage = STAGE_NONE;
	h->stage_started_at = h->stage_updated_at = 0;
	h->stage_timed_out = h->connection_timed_out = false;
	h->logs_started_at = h->logs_collected_at = 0;
	(void)host_count_findings(h);
}
