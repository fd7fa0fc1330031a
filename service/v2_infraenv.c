/*
 * Infra-envs (assisted-v2 §3.1).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json_map.h"
#include "service/life.h"
#include "service/route.h"
#include "service/text_check.h"
#include "service/v2_common.h"
#include "service/v2_view.h"
#include "service/versions.h"

#define TRUST_BUNDLE_MAX 65535 /* characters */

static const char *const architectures[] = {
	"x86_64", "aarch64", "arm64", "ppc64le", "s390x", NULL
};
static const char *const image_types[] = { "full-iso", "minimal-iso", "disconnected-iso", NULL };
static const char *const kernel_operations[] = { "append", "replace", "delete", NULL };

static const struct body_field proxy_fields[] = {
	{ "http_proxy", BODY_STR },
	{ "https_proxy", BODY_STR },
	{ "no_proxy", BODY_STR },
	{ NULL },
};
static const struct body_field mac_fields[] = {
	{ "mac_address", BODY_STR, BODY_REQUIRED },
	{ "logical_nic_name", BODY_STR },
	{ NULL },
};
static const struct body_field network_fields[] = {
	{ "network_yaml", BODY_STR },
	{ "mac_interface_map", BODY_ARRAY, .sub = mac_fields },
	{ NULL },
};
static const struct body_field kernel_fields[] = {
	{ "operation", BODY_STR, .values = kernel_operations },
	{ "value", BODY_STR },
	{ NULL },
};

/* clang-format off */
#define UPDATE_FIELDS \
	{ "proxy", BODY_OBJECT, .sub = proxy_fields }, \
	{ "additional_ntp_sources", BODY_STR }, \
	{ "ntp_sources", BODY_STR }, \
	{ "ssh_authorized_key", BODY_STR }, \
	{ "static_network_config", BODY_ARRAY, .sub = network_fields }, \
	{ "rendezvous_ip", BODY_STR }, \
	{ "image_type", BODY_STR, .values = image_types }, \
	{ "ignition_config_override", BODY_STR }, \
	{ "openshift_version", BODY_STR }, \
	{ "kernel_arguments", BODY_ARRAY, .sub = kernel_fields }, \
	{ "additional_trust_bundle", BODY_STR, .max_len = TRUST_BUNDLE_MAX }, \
	{ "network_discovery_delay_seconds", BODY_INT, BODY_POSITIVE }
/* clang-format on */

static const struct body_field create_fields[] = {
	{ "name", BODY_STR, BODY_REQUIRED },
	{ "pull_secret", BODY_STR, BODY_REQUIRED },
	{ "cluster_id", BODY_UUID },
	{ "cpu_architecture", BODY_STR, .values = architectures },
	UPDATE_FIELDS,
	{ NULL },
};
static const struct body_schema create_schema = { "infraenvCreateParams", create_fields };

static const struct body_field update_fields[] = { { "pull_secret", BODY_STR },
						   UPDATE_FIELDS,
						   { NULL } };
static const struct body_schema update_schema = { "infraEnvUpdateParams", update_fields };

/* --- checks of what the schema cannot say --- */

static int check_lists(const json_t *b, struct fault *err)
{
	int r = check_kernel_arguments(json_object_get(b, "kernel_arguments"), err);

	return r < 0 ? r : check_static_network(json_object_get(b, "static_network_config"), err);
}

static int check_ignition(const char *text, struct fault *err)
{
	return ignition_check(text, err) < 0 ? -EINVAL : 0;
}

static int check_texts(const json_t *b, struct fault *err)
{
	static const struct text_rule rules[] = {
		{ "ntp_sources", check_ntp_sources },
		{ "additional_ntp_sources", check_ntp_sources },
		{ "ssh_authorized_key", check_ssh_keys },
		{ "additional_trust_bundle", check_trust_bundle },
		{ "ignition_config_override", check_ignition },
		{ NULL },
	};
	const json_t *proxy = json_object_get(b, "proxy");

	int r = check_proxy(json_str(proxy, "http_proxy"), json_str(proxy, "https_proxy"),
			    json_str(proxy, "no_proxy"), err);
	if (r == 0)
		r = check_texts_by(rules, b, err);
	return r < 0 ? r : check_lists(b, err);
}

static int check_ntp_choice(const struct infra_env *ie, struct fault *err)
{
	if (str_empty(ie->ntp_sources) || str_empty(ie->additional_ntp_sources))
		return 0;
	return fault_set(err, -EINVAL, "additional_ntp_sources and ntp_sources exclude each other");
}

/* --- from a body into the object --- */

static const struct {
	const char *key;
	size_t offset;
} plain_texts[] = {
	{ "additional_ntp_sources", offsetof(struct infra_env, additional_ntp_sources) },
	{ "ntp_sources", offsetof(struct infra_env, ntp_sources) },
	{ "rendezvous_ip", offsetof(struct infra_env, rendezvous_ip) },
	{ "image_type", offsetof(struct infra_env, image_type) },
	{ "ignition_config_override", offsetof(struct infra_env, ignition_config_override) },
};

/* The configuration of one host, and the text of its MAC addresses. */
struct network {
	json_t *item; /* borrowed */
	char *macs;   /* owned */
};

static int compare_networks(const void *a, const void *b)
{
	const struct network *x = a, *y = b;
	int r = strcmp(json_str(x->item, "network_yaml"), json_str(y->item, "network_yaml"));

	return r ? r : strcmp(x->macs, y->macs);
}

static int list_networks(const json_t *list, struct network *v)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		v[i].item = item;
		v[i].macs = json_text(json_object_get(item, "mac_interface_map"), true);
		if (!v[i].macs)
			return -ENOMEM;
	}
	return 0;
}

/* By YAML text, then by addresses: the host folders are numbered in that order (assisted-v2 §8.3). */
static int sort_networks(const json_t *list, json_t *ret)
{
	size_t n = json_array_size(list);
	struct network *v = calloc(n + 1, sizeof(*v));

	int r = v ? list_networks(list, v) : -ENOMEM;
	if (r == 0)
		qsort(v, n, sizeof(*v), compare_networks);
	for (size_t i = 0; i < n && r == 0; i++)
		r = json_array_append(ret, v[i].item) < 0 ? -ENOMEM : 0;
	for (size_t i = 0; v && i < n; i++)
		free(v[i].macs);
	free(v);
	return r;
}

/* The array as text; an empty one unsets. */
static int set_list(char **slot, const json_t *list)
{
	char *text = json_array_size(list) ? json_text(list, true) : NULL;

	if (json_array_size(list) && !text)
		return -ENOMEM;
	free(*slot);
	*slot = text;
	return 0;
}

static int set_networks(char **slot, const json_t *list)
{
	AUTO(json_decrefp) json_t *sorted = json_array();

	int r = sorted ? sort_networks(list, sorted) : -ENOMEM;
	return r < 0 ? r : set_list(slot, sorted);
}

static int set_trimmed(char **slot, const char *text)
{
	AUTO(freep) char *copy = strdup(text);

	return copy ? str_set(slot, str_trim(copy)) : -ENOMEM;
}

static int apply_proxy(struct infra_env *ie, const json_t *proxy)
{
	if (!json_is_object(proxy))
		return 0;
	int r = str_set(&ie->http_proxy, json_str(proxy, "http_proxy"));
	if (r == 0)
		r = str_set(&ie->https_proxy, json_str(proxy, "https_proxy"));
	return r < 0 ? r : str_set(&ie->no_proxy, json_str(proxy, "no_proxy"));
}

static int apply_version(struct request *r, struct infra_env *ie, struct fault *err)
{
	const char *wanted = json_str(r->body, "openshift_version");

	if (!wanted && ie->openshift_version)
		return 0;
	const char *version = version_pick(r->service, wanted, ie->cpu_architecture);
	if (!version)
		return fault_set(err, -EINVAL,
				 "No OS image for Openshift version %s and architecture %s",
				 wanted ? wanted : "(any)", ie->cpu_architecture);
	return str_set(&ie->openshift_version, version);
}

static int apply_lists(struct infra_env *ie, const json_t *b)
{
	int r = 0;

	if (body_has(b, "static_network_config"))
		r = set_networks(&ie->static_network_config,
				 json_object_get(b, "static_network_config"));
	if (r == 0 && body_has(b, "kernel_arguments"))
		r = set_list(&ie->kernel_arguments, json_object_get(b, "kernel_arguments"));
	if (r == 0 && body_has(b, "network_discovery_delay_seconds"))
		ie->network_discovery_delay_seconds =
			json_i64(b, "network_discovery_delay_seconds");
	return r;
}

/* The fields that creation and update share. */
static int apply_body(struct request *req, struct infra_env *ie, struct fault *err)
{
	const json_t *b = req->body;
	const char *secret = json_str(b, "pull_secret"), *ssh = json_str(b, "ssh_authorized_key");
	const char *bundle = json_str(b, "additional_trust_bundle");
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(plain_texts) && r == 0; i++) {
		if (body_has(b, plain_texts[i].key))
			r = str_set((char **)((char *)ie + plain_texts[i].offset),
				    json_str(b, plain_texts[i].key));
	}
	if (r == 0)
		r = apply_proxy(ie, json_object_get(b, "proxy"));
	if (r == 0 && ssh)
		r = set_trimmed(&ie->ssh_authorized_key, ssh);
	if (r == 0 && bundle)
		r = set_trimmed(&ie->additional_trust_bundle, bundle);
	if (r == 0)
		r = apply_lists(ie, b);
	if (r == 0 && secret)
		r = secret_set(&ie->pull_secret, secret);
	if (r == 0)
		r = check_ntp_choice(ie, err);
	return r < 0 ? r : apply_version(req, ie, err);
}

/* --- handlers --- */

static int answer_infra_env(struct request *r, int status, const struct infra_env *ie)
{
	struct json_out o = json_out(&r->out);

	view_infra_env(&o, r->service, ie);
	return answer_out(r, status, &o);
}

static int find_cluster(struct request *r, const char **ret_id, struct fault *err)
{
	const char *id = json_str(r->body, "cluster_id");

	*ret_id = "";
	if (!id)
		return 0;
	const struct cluster *c = state_cluster(r->service->state, id);
	if (!c)
		return fault_set(err, -ENOENT, "Cluster ID %s does not exist", id);
	*ret_id = c->id;
	return 0;
}

static int fill_new(struct request *r, struct infra_env *ie, const char *cluster_id,
		    struct fault *err)
{
	const char *arch = json_str(r->body, "cpu_architecture");
	AUTO(freep) char *handle = auth_handle_new();

	str_copy(ie->cluster_id, sizeof(ie->cluster_id), cluster_id);
	ie->created_at = ie->updated_at = r->now_us;
	if (!arch)
		arch = "x86_64";
	if (!strcmp(arch, "aarch64"))
		arch = "arm64";
	if (!handle || str_set(&ie->name, json_str(r->body, "name")) < 0 ||
	    str_set(&ie->cpu_architecture, arch) < 0 || str_set(&ie->image_type, "full-iso") < 0 ||
	    str_set(&ie->user_name, r->caller.user) < 0 ||
	    str_set(&ie->email_domain, "Unknown") < 0)
		return -ENOMEM;
	int e = state_infra_env_set_handle(r->service->state, ie, handle);
	return e < 0 ? e : apply_body(r, ie, err);
}

static int infra_env_register(struct request *r, struct fault *err)
{
	char id[UUID_LEN + 1];
	struct infra_env *ie;
	const char *cluster_id;

	int e = find_cluster(r, &cluster_id, err);
	if (e == 0)
		e = check_pull_secret("new infraEnv", json_str(r->body, "pull_secret"), err);
	if (e == 0)
		e = check_texts(r->body, err);
	if (e < 0)
		return e;
	uuid_random(id);
	e = state_add_infra_env(r->service->state, id, &ie);
	if (e == 0)
		e = fill_new(r, ie, cluster_id, err);
	if (e == 0)
		e = life_event(r->service, cluster_id, ie->id, "infra_env_registered", "info",
			       "Registered infra env %s", ie->name);
	return e < 0 ? e : answer_infra_env(r, 201, ie);
}

static int infra_env_list(struct request *r, struct fault *err)
{
	const char *cluster_id = request_query(r, "cluster_id");
	struct json_out o = json_out(&r->out);
	const struct infra_env *ie;

	if (cluster_id && !uuid_is_valid(cluster_id))
		return fault_set(err, -EBADMSG, "cluster_id in query must be of type uuid: \"%s\"",
				 cluster_id);
	jo_array(&o, NULL);
	for (size_t i = 0; (ie = state_infra_env_at(r->service->state, i)); i++) {
		if (!cluster_id || !strcmp(ie->cluster_id, cluster_id))
			view_infra_env(&o, r->service, ie);
	}
	jo_array_end(&o);
	return answer_out(r, 200, &o);
}

static int infra_env_get(struct request *r, struct fault *err)
{
	struct infra_env *ie;

	int e = v2_find_infra_env(r, &ie, err);
	return e < 0 ? e : answer_infra_env(r, 200, ie);
}

static int infra_env_update(struct request *r, struct fault *err)
{
	const char *secret = json_str(r->body, "pull_secret");
	struct infra_env *ie;

	int e = v2_find_infra_env(r, &ie, err);
	if (e == 0 && secret)
		e = check_pull_secret("infraEnv", secret, err);
	if (e == 0)
		e = check_texts(r->body, err);
	if (e == 0)
		e = state_edit_infra_env(r->service->state, ie);
	if (e == 0)
		e = apply_body(r, ie, err);
	if (e < 0)
		return e;
	if (state_is_changed(r->service->state, ie))
		ie->updated_at = r->now_us;
	return answer_infra_env(r, 201, ie);
}

static int infra_env_delete(struct request *r, struct fault *err)
{
	struct infra_env *ie;
	size_t n;

	int e = v2_find_infra_env(r, &ie, err);
	if (e < 0)
		return e;
	(void)state_hosts_of_infra_env(r->service->state, ie->id, &n);
	if (n)
		return fault_set(err, -EINVAL,
				 "failed to deregister infraEnv %s, %zu hosts are still associated",
				 ie->id, n);
	e = life_event(r->service, ie->cluster_id, ie->id, "infra_env_deregistered", "info",
		       "Deregistered infra env %s", ie->name);
	if (e == 0)
		e = state_remove_infra_env(r->service->state, ie);
	return e < 0 ? e : answer_empty(r, 204);
}

/* Revokes every download handle that was given out so far. */
static int infra_env_new_key(struct request *r, struct fault *err)
{
	AUTO(freep) char *handle = auth_handle_new();
	struct infra_env *ie;

	int e = v2_find_infra_env(r, &ie, err);
	if (e == 0)
		e = handle ? state_infra_env_set_handle(r->service->state, ie, handle) : -ENOMEM;
	if (e < 0)
		return e;
	ie->updated_at = r->now_us;
	return answer_empty(r, 204);
}

const struct route v2_infraenv_routes[] = {
	{ "POST", ROUTE_BASE "/v2/infra-envs", "RegisterInfraEnv", AUTH_USER, 0, infra_env_register,
	  &create_schema },
	{ "GET", ROUTE_BASE "/v2/infra-envs", "ListInfraEnvs", AUTH_USER, 0, infra_env_list },
	{ "GET", ROUTE_BASE "/v2/infra-envs/{infra_env_id}", "GetInfraEnv",
	  AUTH_USER | AUTH_AGENT | AUTH_URL, 0, infra_env_get },
	{ "PATCH", ROUTE_BASE "/v2/infra-envs/{infra_env_id}", "UpdateInfraEnv", AUTH_USER, 0,
	  infra_env_update, &update_schema },
	{ "DELETE", ROUTE_BASE "/v2/infra-envs/{infra_env_id}", "DeregisterInfraEnv", AUTH_USER, 0,
	  infra_env_delete },
	{ "POST", ROUTE_BASE "/v2/infra-envs/{infra_env_id}/regenerate-signing-key",
	  "RegenerateInfraEnvSigningKey", AUTH_USER, 0, infra_env_new_key },
	ROUTE_END,
};
