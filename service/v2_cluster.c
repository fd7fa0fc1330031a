/*
 * Clusters that hosts are added to (assisted-v2 §3.2).
 */
#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json_map.h"
#include "service/host_life.h"
#include "service/host_logs.h"
#include "service/life.h"
#include "service/route.h"
#include "service/text_check.h"
#include "service/v2_common.h"
#include "service/v2_view.h"

static const struct body_field import_fields[] = {
	{ "name", BODY_STR, BODY_REQUIRED },
	{ "api_vip_dnsname", BODY_STR, BODY_REQUIRED },
	{ "openshift_version", BODY_STR },
	{ "openshift_cluster_id", BODY_UUID, BODY_REQUIRED },
	{ NULL },
};
static const struct body_schema import_schema = { "newImportClusterParams", import_fields };

static const struct body_field endpoint_fields[] = { { "url", BODY_STR },
						     { "ca_certificate", BODY_STR },
						     { NULL } };
static const struct body_field vip_fields[] = {
	{ "cluster_id", BODY_UUID }, { "ip", BODY_STR }, { "verification", BODY_STR }, { NULL }
};
static const struct body_field network_fields[] = {
	{ "cluster_id", BODY_UUID },
	{ "cidr", BODY_STR },
	{ "host_prefix", BODY_INT, BODY_POSITIVE },
	{ NULL },
};
static const struct body_field encryption_fields[] = {
	{ "enable_on", BODY_STR },
	{ "mode", BODY_STR },
	{ "tang_servers", BODY_STR },
	{ NULL },
};
static const struct body_field update_fields[] = {
	{ "name", BODY_STR, .max_len = 54 },
	{ "base_dns_domain", BODY_STR },
	{ "api_vip_dns_name", BODY_STR },
	{ "pull_secret", BODY_STR },
	{ "ssh_public_key", BODY_STR },
	{ "http_proxy", BODY_STR },
	{ "https_proxy", BODY_STR },
	{ "no_proxy", BODY_STR },
	{ "additional_ntp_source", BODY_STR },
	{ "ntp_sources", BODY_STR },
	{ "ignition_endpoint", BODY_OBJECT, .sub = endpoint_fields },
	{ "cluster_network_cidr", BODY_STR },
	{ "cluster_network_host_prefix", BODY_INT, BODY_POSITIVE },
	{ "service_network_cidr", BODY_STR },
	{ "machine_network_cidr", BODY_STR },
	{ "platform", BODY_OBJECT },
	{ "api_vips", BODY_ARRAY, .sub = vip_fields },
	{ "ingress_vips", BODY_ARRAY, .sub = vip_fields },
	{ "cluster_networks", BODY_ARRAY, .sub = network_fields },
	{ "service_networks", BODY_ARRAY, .sub = network_fields },
	{ "machine_networks", BODY_ARRAY, .sub = network_fields },
	{ "vip_dhcp_allocation", BODY_BOOL },
	{ "user_managed_networking", BODY_BOOL },
	{ "olm_operators", BODY_ANY },
	{ "operator_bundles", BODY_ANY },
	{ "hyperthreading", BODY_STR },
	{ "network_type", BODY_STR },
	{ "schedulable_masters", BODY_BOOL },
	{ "disk_encryption", BODY_OBJECT, .sub = encryption_fields },
	{ "tags", BODY_STR },
	{ "control_plane_count", BODY_INT, BODY_POSITIVE },
	{ "load_balancer", BODY_OBJECT },
	{ NULL },
};
static const struct body_schema update_schema = { "clusterUpdateParams", update_fields };

/* Stored and shown, without effect on hosts that join (assisted-v2 §3.2). */
static const char *const extra_keys[] = {
	"cluster_network_cidr",
	"cluster_network_host_prefix",
	"service_network_cidr",
	"machine_network_cidr",
	"platform",
	"api_vips",
	"ingress_vips",
	"cluster_networks",
	"service_networks",
	"machine_networks",
	"vip_dhcp_allocation",
	"user_managed_networking",
	"hyperthreading",
	"network_type",
	"schedulable_masters",
	"disk_encryption",
	"tags",
	"control_plane_count",
	"load_balancer",
};

static const struct {
	const char *key;
	size_t offset;
} plain_texts[] = {
	{ "name", offsetof(struct cluster, name) },
	{ "base_dns_domain", offsetof(struct cluster, base_dns_domain) },
	{ "api_vip_dns_name", offsetof(struct cluster, api_vip_dns_name) },
	{ "ssh_public_key", offsetof(struct cluster, ssh_public_key) },
	{ "http_proxy", offsetof(struct cluster, http_proxy) },
	{ "https_proxy", offsetof(struct cluster, https_proxy) },
	{ "no_proxy", offsetof(struct cluster, no_proxy) },
	{ "additional_ntp_source", offsetof(struct cluster, additional_ntp_source) },
	{ "ntp_sources", offsetof(struct cluster, ntp_sources) },
};

static int answer_cluster(struct request *r, int status, const struct cluster *c, bool with_hosts)
{
	struct json_out o = json_out(&r->out);

	view_cluster(&o, r->service, c, with_hosts ? &r->caller : NULL);
	return answer_out(r, status, &o);
}

static int find_visible(struct request *r, struct cluster **ret, struct fault *err)
{
	int e = v2_find_cluster(r, ret, err);

	return e < 0 || v2_sees_cluster(r, *ret) ? e : fault_set(err, -ENOENT, "Object Not Found");
}

/* --- import --- */

/* "api.NAME.DOMAIN" names the cluster and its domain (assisted-v2 §3.2). */
static int name_from_api(struct cluster *c, const char *given_name, const char *api)
{
	const char *name = str_starts(api, "api.") ? api + 4 : NULL;
	const char *dot = name ? strchr(name, '.') : NULL;

	if (!dot || dot == name || !dot[1])
		return str_set(&c->name, given_name);
	AUTO(freep) char *part = strndup(name, (size_t)(dot - name));
	if (!part || str_set(&c->name, part) < 0)
		return -ENOMEM;
	return str_set(&c->base_dns_domain, dot + 1);
}

static int cluster_import(struct request *r, struct fault *err)
{
	const char *api = json_str(r->body, "api_vip_dnsname");
	char id[UUID_LEN + 1];
	struct cluster *c;

	uuid_random(id);
	int e = state_add_cluster(r->service->state, id, &c);
	if (e < 0)
		return e;
	str_copy(c->openshift_cluster_id, sizeof(c->openshift_cluster_id),
		 json_str(r->body, "openshift_cluster_id"));
	c->created_at = c->updated_at = c->status_updated_at = r->now_us;
	if (name_from_api(c, json_str(r->body, "name"), api) < 0 ||
	    str_set(&c->api_vip_dns_name, api) < 0 ||
	    str_set(&c->openshift_version, json_str(r->body, "openshift_version")) < 0 ||
	    str_set(&c->user_name, r->caller.user) < 0 || str_set(&c->email_domain, "Unknown") < 0)
		return -ENOMEM;
	e = check_cluster_name(c->name, err);
	if (e == 0)
		e = life_event(r->service, c->id, NULL, "cluster_registration_succeeded", "info",
			       "Cluster %s was imported", c->name);
	return e < 0 ? e : answer_cluster(r, 201, c, true);
}

/* --- reading --- */

static int cluster_list(struct request *r, struct fault *err)
{
	const char *openshift_id = request_query(r, "openshift_cluster_id");
	bool with_hosts = request_query_flag(r, "with_hosts");
	struct json_out o = json_out(&r->out);
	const struct cluster *c;

	if (openshift_id && !uuid_is_valid(openshift_id))
		return fault_set(err, -EBADMSG,
				 "openshift_cluster_id in query must be of type uuid: \"%s\"",
				 openshift_id);
	jo_array(&o, NULL);
	for (size_t i = 0; (c = state_cluster_at(r->service->state, i)); i++) {
		if (!openshift_id || !strcmp(c->openshift_cluster_id, openshift_id))
			view_cluster(&o, r->service, c, with_hosts ? &r->caller : NULL);
	}
	jo_array_end(&o);
	return answer_out(r, 200, &o);
}

static int cluster_get(struct request *r, struct fault *err)
{
	struct cluster *c;

	int e = find_visible(r, &c, err);
	return e < 0 ? e : answer_cluster(r, 200, c, !request_query_flag(r, "exclude-hosts"));
}

static bool host_is_wanted(const struct host *h, const char *role, const char *status)
{
	return (!role || str_eq(role, host_role_name(h->role))) &&
	       (!status || str_eq(status, host_status_name(h->status)));
}

static int cluster_hosts(struct request *r, struct fault *err)
{
	unsigned flags =
		(request_query_flag(r, "with-inventory") ? 0 : VIEW_HOST_NO_INVENTORY) |
		(request_query_flag(r, "with-connectivity") ? 0 : VIEW_HOST_NO_CONNECTIVITY);
	const struct cluster *c = state_cluster(r->service->state, request_param(r, "cluster_id"));
	struct json_out o = json_out(&r->out);
	size_t n = 0;

	/* An unknown cluster has no hosts, which is no error (assisted-v2 §3.2). */
	struct host *const *hosts = c && v2_sees_cluster(r, c)
					    ? state_hosts_of_cluster(r->service->state, c->id, &n)
					    : NULL;
	jo_array(&o, NULL);
	for (size_t i = 0; i < n; i++) {
		if (auth_in_scope(&r->caller, hosts[i]->infra_env_id, hosts[i]->id) &&
		    host_is_wanted(hosts[i], request_query(r, "role"), request_query(r, "status")))
			view_host(&o, hosts[i], flags);
	}
	jo_array_end(&o);
	return answer_out(r, 200, &o);
}

/* --- changing --- */

static int check_base64(const char *text, struct fault *err)
{
	void *data = NULL;
	size_t len;

	if (base64_decode(text, strlen(text), &data, &len) < 0)
		return fault_set(
			err, -EINVAL,
			"ignition_endpoint.ca_certificate must be base64 of a PEM certificate");
	free(data);
	return 0;
}

static int check_secret(const char *text, struct fault *err)
{
	return check_pull_secret("update cluster", text, err);
}

static int check_update(const json_t *b, struct fault *err)
{
	static const struct text_rule rules[] = {
		{ "pull_secret", check_secret },
		{ "ssh_public_key", check_ssh_keys },
		{ "name", check_cluster_name },
		{ "base_dns_domain", check_domain },
		{ "ntp_sources", check_ntp_sources },
		{ "additional_ntp_source", check_ntp_sources },
		{ NULL },
	};
	static const struct text_rule endpoint_rules[] = { { "ca_certificate", check_base64 },
							   { NULL } };

	if (body_has(b, "name") && !*json_str(b, "name"))
		return fault_set(err, -EBADMSG, "name in body should be at least 1 chars long");
	int r = check_texts_by(rules, b, err);
	if (r == 0)
		r = check_proxy(json_str(b, "http_proxy"), json_str(b, "https_proxy"),
				json_str(b, "no_proxy"), err);
	return r < 0 ? r
		     : check_texts_by(endpoint_rules, json_object_get(b, "ignition_endpoint"), err);
}

static int apply_endpoint(struct cluster *c, const json_t *endpoint, struct fault *err)
{
	const char *url = json_str(endpoint, "url");
	int r = 0;

	if (!str_empty(url) && !str_starts(url, "http://") && !str_starts(url, "https://"))
		return fault_set(
			err, -EINVAL,
			"ignition_endpoint.url must begin with http:// or https://, not \"%s\"",
			url);
	if (url)
		r = str_set(&c->ignition_endpoint_url, *url ? url : NULL);
	if (r == 0 && body_has(endpoint, "ca_certificate"))
		r = str_set(&c->ignition_endpoint_ca, json_str(endpoint, "ca_certificate"));
	return r;
}

static int apply_extra(struct cluster *c, json_t *b)
{
	AUTO(json_decrefp) json_t *extra = c->extra ? json_loads(c->extra, 0, NULL) : json_object();
	bool changed = false;

	if (!extra)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(extra_keys); i++) {
		json_t *v = json_object_get(b, extra_keys[i]);
		if (!v || json_is_null(v))
			continue;
		if (json_object_set(extra, extra_keys[i], v) < 0)
			return -ENOMEM;
		changed = true;
	}
	if (!changed)
		return 0;
	char *text = json_text(extra, true);
	if (!text)
		return -ENOMEM;
	free(c->extra);
	c->extra = text;
	return 0;
}

static int apply_update(struct cluster *c, json_t *b, struct fault *err)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(plain_texts) && r == 0; i++) {
		if (body_has(b, plain_texts[i].key))
			r = str_set((char **)((char *)c + plain_texts[i].offset),
				    json_str(b, plain_texts[i].key));
	}
	if (r == 0 && body_has(b, "pull_secret"))
		r = secret_set(&c->pull_secret, json_str(b, "pull_secret"));
	if (r == 0)
		r = apply_endpoint(c, json_object_get(b, "ignition_endpoint"), err);
	if (r == 0 && !str_empty(c->ntp_sources) && !str_empty(c->additional_ntp_source))
		r = fault_set(err, -EINVAL,
			      "additional_ntp_source and ntp_sources exclude each other");
	return r < 0 ? r : apply_extra(c, b);
}

/* What a cluster says decides validations of its hosts. */
static int refresh_hosts(struct request *r, const struct cluster *c, struct fault *err)
{
	size_t n;
	struct host *const *hosts = state_hosts_of_cluster(r->service->state, c->id, &n);
	int e = 0;

	for (size_t i = 0; i < n && e == 0; i++) {
		e = state_edit_host(r->service->state, hosts[i]);
		if (e == 0)
			e = life_refresh(r->service, hosts[i], hosts[i]->status, err);
	}
	return e;
}

static int cluster_update(struct request *r, struct fault *err)
{
	struct cluster *c;

	int e = v2_find_cluster(r, &c, err);
	if (e == 0)
		e = check_update(r->body, err);
	if (e == 0)
		e = state_edit_cluster(r->service->state, c);
	if (e == 0)
		e = apply_update(c, r->body, err);
	if (e < 0)
		return e;
	if (state_is_changed(r->service->state, c)) {
		c->updated_at = r->now_us;
		e = refresh_hosts(r, c, err);
	}
	return e < 0 ? e : answer_cluster(r, 201, c, true);
}

/* --- deleting --- */

/* Hosts that came by an infra-env of the cluster go with it; the others return to their pools. */
static int release_host(struct request *r, struct host *h, const struct cluster *c,
			struct fault *err)
{
	const struct infra_env *ie = state_infra_env(r->service->state, h->infra_env_id);

	if (ie && !strcmp(ie->cluster_id, c->id)) {
		int e = life_event_host(r->service, h, "host_deregistered", "info",
					"deregistered with its cluster");
		return e < 0 ? e : state_remove_host(r->service->state, h);
	}
	int e = state_edit_host(r->service->state, h);
	return e < 0 ? e : host_unbind(r->service, h, err);
}

static int release_infra_envs(struct request *r, const struct cluster *c)
{
	struct infra_env *ie;
	int e = 0;

	for (size_t i = 0; e == 0 && (ie = state_infra_env_at(r->service->state, i)); i++) {
		if (strcmp(ie->cluster_id, c->id) != 0)
			continue;
		e = state_edit_infra_env(r->service->state, ie);
		if (e == 0) {
			ie->cluster_id[0] = '\0';
			ie->updated_at = r->now_us;
		}
	}
	return e;
}

static int cluster_delete(struct request *r, struct fault *err)
{
	struct cluster *c;
	struct host *const *hosts;
	size_t n;

	int e = v2_find_cluster(r, &c, err);
	/* Each round takes one host out of the list. */
	while (e == 0 && (hosts = state_hosts_of_cluster(r->service->state, c->id, &n)) && n)
		e = release_host(r, hosts[n - 1], c, err);
	if (e == 0)
		e = release_infra_envs(r, c);
	if (e == 0)
		e = life_event(r->service, c->id, NULL, "cluster_deregistered", "info",
			       "Cluster %s was deregistered", c->name);
	if (e == 0)
		e = state_remove_cluster(r->service->state, c);
	host_logs_tidy_soon(r->service->logs);
	return e < 0 ? e : answer_empty(r, 204);
}

/* --- what an adding-hosts cluster refuses --- */

static int cluster_allow_add_hosts(struct request *r, struct fault *err)
{
	struct cluster *c;

	int e = v2_find_cluster(r, &c, err);
	if (e < 0)
		return e;
	return fault_set(
		err, -EINVAL,
		"cannot transform cluster %s to day2. Expected cluster status: installed, but cluster status is: adding-hosts",
		c->id);
}

static int cluster_day1_action(struct request *r, struct fault *err)
{
	struct cluster *c;

	int e = v2_find_cluster(r, &c, err);
	return e < 0 ? e
		     : fault_set(
			       err, -EBUSY,
			       "Cluster %s exists already and only adds hosts: there is nothing to %s",
			       c->id, r->route->operation);
}

const struct route v2_cluster_routes[] = {
	{ "POST", ROUTE_BASE "/v2/clusters/import", "v2ImportCluster", AUTH_USER, 0, cluster_import,
	  &import_schema },
	{ "GET", ROUTE_BASE "/v2/clusters", "v2ListClusters", AUTH_USER, 0, cluster_list },
	{ "GET", ROUTE_BASE "/v2/clusters/{cluster_id}", "v2GetCluster", AUTH_USER | AUTH_AGENT, 0,
	  cluster_get },
	{ "PATCH", ROUTE_BASE "/v2/clusters/{cluster_id}", "V2UpdateCluster", AUTH_USER, 0,
	  cluster_update, &update_schema },
	{ "DELETE", ROUTE_BASE "/v2/clusters/{cluster_id}", "v2DeregisterCluster", AUTH_USER, 0,
	  cluster_delete },
	{ "GET", ROUTE_BASE "/v2/clusters/{cluster_id}/hosts", "ListClusterHosts",
	  AUTH_USER | AUTH_AGENT, 0, cluster_hosts },
	{ "POST", ROUTE_BASE "/v2/clusters/{cluster_id}/actions/allow-add-hosts",
	  "TransformClusterToAddingHosts", AUTH_USER, 0, cluster_allow_add_hosts },
	{ "POST", ROUTE_BASE "/v2/clusters/{cluster_id}/actions/allow-add-workers",
	  "TransformClusterToDay2", AUTH_USER, 0, cluster_allow_add_hosts },
	{ "POST", ROUTE_BASE "/v2/clusters/{cluster_id}/actions/install", "v2InstallCluster",
	  AUTH_USER, 0, cluster_day1_action },
	{ "POST", ROUTE_BASE "/v2/clusters/{cluster_id}/actions/cancel", "V2CancelInstallation",
	  AUTH_USER, 0, cluster_day1_action },
	{ "POST", ROUTE_BASE "/v2/clusters/{cluster_id}/actions/reset", "v2ResetCluster", AUTH_USER,
	  0, cluster_day1_action },
	ROUTE_END,
};
