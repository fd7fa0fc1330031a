#include "service/v2_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json_map.h"
#include "service/route.h"

char *view_download_url(const struct service *svc, const struct infra_env *ie)
{
	bool by_handle = auth_mode(svc->auth) == AUTH_MODE_LOCAL;
	const char *file = str_eq(ie->image_type, "minimal-iso")        ? "minimal.iso"
			   : str_eq(ie->image_type, "disconnected-iso") ? "disconnected.iso"
									: "full.iso";

	return str_printf("%s/%s/%s/%s/%s/%s", svc->image_url, by_handle ? "byapikey" : "byid",
			  by_handle ? ie->image_token_key : ie->id, ie->openshift_version,
			  ie->cpu_architecture, file);
}

static void view_proxy(struct json_out *o, const struct infra_env *ie)
{
	jo_object(o, "proxy");
	jo_opt_str(o, "http_proxy", ie->http_proxy);
	jo_opt_str(o, "https_proxy", ie->https_proxy);
	jo_opt_str(o, "no_proxy", ie->no_proxy);
	jo_object_end(o);
}

static void view_href(struct json_out *o, const char *kind, const char *a, const char *b)
{
	char href[200];

	snprintf(href, sizeof(href), "%s/v2/%s/%s%s%s", ROUTE_BASE, kind, a, b ? "/hosts/" : "",
		 b ? b : "");
	jo_str(o, "href", href);
}

void view_infra_env(struct json_out *o, const struct service *svc, const struct infra_env *ie)
{
	AUTO(freep) char *url = view_download_url(svc, ie);

	jo_object(o, NULL);
	jo_str(o, "kind", "InfraEnv");
	jo_str(o, "id", ie->id);
	view_href(o, "infra-envs", ie->id, NULL);
	jo_str(o, "name", ie->name);
	jo_str(o, "type", ie->image_type);
	jo_time_nano(o, "created_at", ie->created_at);
	jo_time_nano(o, "updated_at", ie->updated_at);
	jo_time(o, "expires_at", 0);
	jo_opt_str(o, "cluster_id", ie->cluster_id);
	jo_opt_str(o, "openshift_version", ie->openshift_version);
	jo_opt_str(o, "cpu_architecture", ie->cpu_architecture);
	jo_opt_str(o, "user_name", ie->user_name);
	jo_opt_str(o, "org_id", ie->org_id);
	jo_opt_str(o, "email_domain", ie->email_domain);
	view_proxy(o, ie);
	jo_opt_str(o, "additional_ntp_sources", ie->additional_ntp_sources);
	jo_opt_str(o, "ntp_sources", ie->ntp_sources);
	jo_opt_str(o, "ssh_authorized_key", ie->ssh_authorized_key);
	jo_opt_bool(o, "pull_secret_set", secret_is_set(&ie->pull_secret));
	jo_opt_str(o, "static_network_config", ie->static_network_config);
	jo_opt_str(o, "kernel_arguments", ie->kernel_arguments);
	jo_opt_str(o, "ignition_config_override", ie->ignition_config_override);
	jo_opt_str(o, "additional_trust_bundle", ie->additional_trust_bundle);
	jo_opt_str(o, "rendezvous_ip", ie->rendezvous_ip);
	jo_opt_int(o, "network_discovery_delay_seconds", ie->network_discovery_delay_seconds);
	jo_opt_str(o, "download_url", url);
	jo_object_end(o);
}

/* --- hosts --- */

/* A foreign day-2 worker is done for the service when it reboots; ours reports from the installed system. */
static const enum stage worker_stages[] = {
	STAGE_STARTING_INSTALLATION,     STAGE_INSTALLING, STAGE_WRITING_IMAGE,
	STAGE_WAITING_FOR_CONTROL_PLANE, STAGE_REBOOTING,
};
static const enum stage slipway_stages[] = {
	STAGE_STARTING_INSTALLATION,
	STAGE_INSTALLING,
	STAGE_WRITING_IMAGE,
	STAGE_WAITING_FOR_CONTROL_PLANE,
	STAGE_REBOOTING,
	STAGE_CONFIGURING,
	STAGE_JOINED,
	STAGE_DONE,
};

const enum stage *view_stages(const struct host *h, size_t *ret_n)
{
	*ret_n = 0;
	if (h->kind != HOST_KIND_DAY2 || h->role == ROLE_AUTO_ASSIGN)
		return worker_stages;
	*ret_n = h->slipway_agent ? ARRAY_SIZE(slipway_stages) : ARRAY_SIZE(worker_stages);
	return h->slipway_agent ? slipway_stages : worker_stages;
}

unsigned view_percentage(const struct host *h)
{
	size_t n;
	const enum stage *stages = view_stages(h, &n);

	if (h->stage == STAGE_DONE)
		return 100;
	for (size_t i = 0; i < n; i++) {
		if (stages[i] == h->stage)
			return (unsigned)((i + 1) * 100 / n);
	}
	return 0;
}

static void view_progress(struct json_out *o, const struct host *h)
{
	jo_object(o, "progress");
	jo_opt_int(o, "installation_percentage", view_percentage(h));
	jo_opt_str(o, "current_stage", h->stage_text);
	jo_opt_str(o, "progress_info", h->progress_info);
	jo_time(o, "stage_started_at", h->stage_started_at);
	jo_time(o, "stage_updated_at", h->stage_updated_at);
	jo_opt_bool(o, "stage_timed_out", h->stage_timed_out);
	jo_object_end(o);

	size_t n;
	const enum stage *stages = view_stages(h, &n);
	jo_array(o, "progress_stages");
	for (size_t i = 0; i < n; i++)
		jo_str(o, NULL, stage_name(stages[i]));
	jo_array_end(o);
}

/* Optional texts of a host, in one place for the view. */
static const struct {
	const char *key;
	size_t offset;
} host_texts[] = {
	{ "api_vip_connectivity", offsetof(struct host, api_vip_connectivity) },
	{ "tang_connectivity", offsetof(struct host, tang_connectivity) },
	{ "ntp_sources", offsetof(struct host, ntp_sources) },
	{ "domain_name_resolutions", offsetof(struct host, domain_name_resolutions) },
	{ "disks_info", offsetof(struct host, disks_info) },
	{ "images_status", offsetof(struct host, images_status) },
	{ "validations_info", offsetof(struct host, validations_info) },
	{ "installation_disk_id", offsetof(struct host, installation_disk_id) },
	{ "installation_disk_path", offsetof(struct host, installation_disk_path) },
	{ "disks_to_be_formatted", offsetof(struct host, disks_to_be_formatted) },
	{ "skip_formatting_disks", offsetof(struct host, skip_formatting_disks) },
	{ "installer_version", offsetof(struct host, installer_version) },
	{ "installer_args", offsetof(struct host, installer_args) },
	{ "ignition_config_overrides", offsetof(struct host, ignition_config_overrides) },
	{ "machine_config_pool_name", offsetof(struct host, machine_config_pool_name) },
	{ "node_labels", offsetof(struct host, node_labels) },
	{ "discovery_agent_version", offsetof(struct host, discovery_agent_version) },
	{ "logs_info", offsetof(struct host, logs_info) },
	{ "user_name", offsetof(struct host, user_name) },
};

static void view_host_dates(struct json_out *o, const struct host *h)
{
	jo_time(o, "checked_in_at", h->checked_in_at);
	jo_time(o, "registered_at", h->registered_at);
	jo_time(o, "status_updated_at", h->status_updated_at);
	jo_time(o, "stage_started_at",
		0); /* only set by services with stages of their own (assisted-v2 §3.3); ours are in progress */
	jo_time(o, "stage_updated_at", 0);
	jo_time(o, "logs_started_at", h->logs_started_at);
	jo_time(o, "logs_collected_at", h->logs_collected_at);
	jo_time_nano(o, "created_at", h->created_at);
	jo_time_nano(o, "updated_at", h->updated_at);
	jo_null(o, "deleted_at");
}

void view_host(struct json_out *o, const struct host *h, unsigned flags)
{
	static const char *const media[] = { NULL, "connected", "disconnected" };

	jo_object(o, NULL);
	jo_str(o, "kind", h->kind == HOST_KIND_DAY2 ? "AddToExistingClusterHost" : "Host");
	jo_str(o, "id", h->id);
	view_href(o, "infra-envs", h->infra_env_id, h->id);
	jo_str(o, "status", host_status_name(h->status));
	jo_str(o, "status_info", h->status_info);
	jo_str(o, "infra_env_id", h->infra_env_id);
	jo_opt_str(o, "cluster_id", h->cluster_id);
	view_progress(o, h);
	jo_str(o, "requested_hostname", host_name(h));
	jo_str(o, "role", host_role_name(h->role));
	jo_opt_str(o, "suggested_role", host_role_name(h->suggested_role));
	jo_opt_bool(o, "bootstrap", h->bootstrap);
	if (!(flags & VIEW_HOST_NO_INVENTORY))
		jo_opt_str(o, "inventory", h->inventory);
	if (!(flags & VIEW_HOST_NO_CONNECTIVITY))
		jo_opt_str(o, "connectivity", h->connectivity);
	for (size_t i = 0; i < ARRAY_SIZE(host_texts); i++)
		jo_opt_str(o, host_texts[i].key,
			   *(char *const *)((const char *)h + host_texts[i].offset));
	jo_opt_bool(o, "ignition_endpoint_token_set", secret_is_set(&h->ignition_endpoint_token));
	if (h->media_disconnected == 1 || h->media_disconnected == 2)
		jo_str(o, "media_status", media[h->media_disconnected]);
	jo_opt_bool(o, "connection_timed_out", h->connection_timed_out);
	jo_opt_int(o, "timestamp", h->timestamp);
	view_host_dates(o, h);
	if (!(flags & VIEW_HOST_OPEN))
		jo_object_end(o);
}

/* --- clusters --- */

/* Arrays that are always there; their content, if any, was given by an update and is kept in cluster.extra. */
static const char *const cluster_arrays[] = { "api_vips", "ingress_vips", "cluster_networks",
					      "service_networks", "machine_networks" };

static bool is_cluster_array(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(cluster_arrays); i++) {
		if (!strcmp(cluster_arrays[i], key))
			return true;
	}
	return false;
}

static void view_cluster_extra(struct json_out *o, const struct cluster *c)
{
	AUTO(json_decrefp) json_t *extra = NULL;
	const char *key;
	json_t *v;

	if (c->extra)
		extra = json_parse(c->extra, strlen(c->extra), SIZE_MAX, true, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(cluster_arrays); i++) {
		AUTO(freep)
		char *text = body_has(extra, cluster_arrays[i])
				     ? json_text(json_object_get(extra, cluster_arrays[i]), true)
				     : NULL;
		jo_raw(o, cluster_arrays[i], text ? text : "[]");
	}
	json_object_foreach(extra, key, v) {
		AUTO(freep) char *text = is_cluster_array(key) ? NULL : json_text(v, true);
		if (text)
			jo_raw(o, key, text);
	}
	if (!body_has(extra, "platform"))
		jo_raw(o, "platform", "{\"external\":{},\"type\":\"baremetal\"}");
	if (!body_has(extra, "load_balancer"))
		jo_raw(o, "load_balancer", "{\"type\":\"cluster-managed\"}");
	if (!body_has(extra, "disk_encryption"))
		jo_raw(o, "disk_encryption", "{}");
}

static void view_cluster_hosts(struct json_out *o, const struct service *svc,
			       const struct cluster *c, const struct caller *hosts_for)
{
	size_t n, ready = 0, enabled = 0;
	struct host *const *hosts = state_hosts_of_cluster(svc->state, c->id, &n);

	jo_array(o, "hosts");
	for (size_t i = 0; i < n; i++) {
		if (hosts_for && auth_in_scope(hosts_for, hosts[i]->infra_env_id, hosts[i]->id))
			view_host(o, hosts[i], 0);
		ready += hosts[i]->status == HOST_KNOWN;
		enabled += hosts[i]->status != HOST_DISABLED;
	}
	jo_array_end(o);
	jo_opt_int(o, "ready_host_count", (int64_t)ready);
	jo_opt_int(o, "enabled_host_count", (int64_t)enabled);
	jo_opt_int(o, "total_host_count", (int64_t)n);
}

static void view_cluster_dates(struct json_out *o, const struct cluster *c)
{
	jo_object(o, "image_info");
	jo_time_nano(o, "created_at", c->created_at);
	jo_time(o, "expires_at", 0);
	jo_object_end(o);
	jo_object(o, "progress");
	jo_time(o, "finalizing_stage_started_at", 0);
	jo_object_end(o);
	jo_time(o, "status_updated_at", c->status_updated_at);
	jo_time(o, "install_started_at", 0);
	jo_time(o, "install_completed_at", 0);
	jo_time(o, "controller_logs_collected_at", 0);
	jo_time(o, "controller_logs_started_at", 0);
	jo_time_nano(o, "created_at", c->created_at);
	jo_time_nano(o, "updated_at", c->updated_at);
	jo_null(o, "deleted_at");
}

void view_cluster(struct json_out *o, const struct service *svc, const struct cluster *c,
		  const struct caller *hosts_for)
{
	jo_object(o, NULL);
	jo_str(o, "kind", "AddHostsCluster");
	jo_str(o, "id", c->id);
	view_href(o, "clusters", c->id, NULL);
	jo_str(o, "status", "adding-hosts");
	jo_str(o, "status_info", "Hosts are being added to this existing cluster");
	jo_bool(o, "imported", true);
	jo_opt_str(o, "name", c->name);
	jo_opt_str(o, "openshift_version", c->openshift_version);
	jo_opt_str(o, "openshift_cluster_id", c->openshift_cluster_id);
	jo_opt_str(o, "base_dns_domain", c->base_dns_domain);
	jo_opt_str(o, "api_vip_dns_name", c->api_vip_dns_name);
	jo_opt_str(o, "cpu_architecture", c->cpu_architecture);
	jo_opt_bool(o, "pull_secret_set", secret_is_set(&c->pull_secret));
	jo_opt_str(o, "ssh_public_key", c->ssh_public_key);
	jo_opt_str(o, "http_proxy", c->http_proxy);
	jo_opt_str(o, "https_proxy", c->https_proxy);
	jo_opt_str(o, "no_proxy", c->no_proxy);
	jo_opt_str(o, "additional_ntp_source", c->additional_ntp_source);
	jo_opt_str(o, "ntp_sources", c->ntp_sources);
	jo_opt_str(o, "user_name", c->user_name);
	jo_opt_str(o, "org_id", c->org_id);
	jo_opt_str(o, "email_domain", c->email_domain);
	jo_object(o, "ignition_endpoint");
	jo_opt_str(o, "url", c->ignition_endpoint_url);
	jo_opt_str(o, "ca_certificate", c->ignition_endpoint_ca);
	jo_object_end(o);
	view_cluster_extra(o, c);
	view_cluster_hosts(o, svc, c, hosts_for);
	view_cluster_dates(o, c);
	jo_str(o, "feature_usage", "{}");
	jo_raw(o, "last-installation-preparation", "{}");
	jo_raw(o, "host_networks", "[]");
	jo_raw(o, "monitored_operators", "[]");
	jo_raw(o, "operator_bundles", "[]");
	jo_object_end(o);
}
