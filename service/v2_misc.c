/*
 * Versions, operators, defaults, health and metrics (assisted-v2 §1, §3.5).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json_map.h"
#include "service/route.h"
#include "service/v2_common.h"
#include "service/versions.h"

static int component_versions(struct request *r, struct fault *err)
{
	const struct service_config *c = r->service->config;
	struct json_out o = json_out(&r->out);

	jo_object(&o, NULL);
	jo_object(&o, "versions");
	jo_str(&o, "assisted-installer", c->installer_image);
	jo_str(&o, "assisted-installer-controller", c->controller_image);
	jo_str(&o, "assisted-installer-service", c->service_image);
	jo_str(&o, "discovery-agent", c->agent_image);
	jo_object_end(&o);
	jo_str(&o, "release_tag", SLIPWAY_VERSION);
	jo_object_end(&o);
	return answer_out(r, 200, &o);
}

/* --- versions --- */

/* One entry per version, with all architectures that have an image of it. */
static int versions_json(const struct service *svc, json_t **ret)
{
	AUTO(json_decrefp) json_t *all = json_object();
	const char *version, *arch;
	bool is_default;

	for (size_t i = 0; version_at(svc, i, &version, &arch, &is_default); i++) {
		if (str_empty(version))
			continue;
		json_t *v = json_object_get(all, version);
		if (!v) {
			v = json_pack("{s:s, s:s, s:[]}", "display_name", version, "support_level",
				      "production", "cpu_architectures");
			if (json_object_set_new(all, version, v) < 0)
				return -ENOMEM;
		}
		if (json_array_append_new(json_object_get(v, "cpu_architectures"),
					  json_string(arch)) < 0)
			return -ENOMEM;
		if (is_default && json_object_set_new(v, "default", json_true()) < 0)
			return -ENOMEM;
	}
	*ret = TAKE(all);
	return 0;
}

/* Up to the second dot: what belongs together for only_latest. */
static size_t minor_len(const char *version)
{
	const char *dot = strchr(version, '.');
	const char *second = dot ? strchr(dot + 1, '.') : NULL;

	return second ? (size_t)(second - version) : strlen(version);
}

static bool has_newer(json_t *all, const char *version)
{
	size_t n = minor_len(version);
	const char *other;
	json_t *v;

	json_object_foreach(all, other, v) {
		if (minor_len(other) == n && !strncmp(other, version, n) &&
		    version_compare(other, version) > 0)
			return true;
	}
	return false;
}

static int openshift_versions(struct request *r, struct fault *err)
{
	const char *pattern = request_query(r, "version"), *version;
	AUTO(json_decrefp) json_t *all = NULL;
	AUTO(json_decrefp) json_t *wanted = json_object();
	bool only_latest = request_query_flag(r, "only_latest");
	json_t *v;

	int e = versions_json(r->service, &all);
	json_object_foreach(all, version, v) {
		if (e < 0 || (pattern && !strstr(version, pattern)) ||
		    (only_latest && has_newer(all, version)))
			continue;
		e = json_object_set(wanted, version, v) < 0 ? -ENOMEM : 0;
	}
	return e < 0 ? e : answer_json(r, 200, TAKE(wanted));
}

/* --- lists that are empty here: no operators, no releases, no managed domains --- */

static int empty_list(struct request *r, struct fault *err)
{
	return answer_data(r, 200, "application/json", "[]", 2);
}

static int unknown_operator(struct request *r, struct fault *err)
{
	return answer_empty(r,
			    404); /* with an empty body, as the reference does (assisted-v2 §3.5) */
}

static int default_config(struct request *r, struct fault *err)
{
	static const char text[] =
		"{\"cluster_network_cidr\":\"10.128.0.0/14\",\"cluster_network_host_prefix\":23,"
		"\"cluster_networks_dualstack\":[{\"cidr\":\"10.128.0.0/14\",\"host_prefix\":23},{\"cidr\":\"fd01::/48\",\"host_prefix\":64}],"
		"\"cluster_networks_ipv4\":[{\"cidr\":\"10.128.0.0/14\",\"host_prefix\":23}],"
		"\"forbidden_hostnames\":[\"localhost\",\"localhost.localdomain\",\"localhost4\",\"localhost4.localdomain4\",\"localhost6\","
		"\"localhost6.localdomain6\"],"
		"\"inactive_deletion_hours\":0,\"ntp_source\":\"\",\"service_network_cidr\":\"172.30.0.0/16\","
		"\"service_networks_dualstack\":[{\"cidr\":\"172.30.0.0/16\"},{\"cidr\":\"fd02::/112\"}],"
		"\"service_networks_ipv4\":[{\"cidr\":\"172.30.0.0/16\"}]}";

	return answer_data(r, 200, "application/json", text, sizeof(text) - 1);
}

/* --- health --- */

/* One loop does everything: that this is answered is the sign of life. */
static int healthy(struct request *r, struct fault *err)
{
	return answer_empty(r, 200);
}

static int print_requests(const struct service *svc, struct buf *b)
{
	int e = buf_append_str(b,
			       "# HELP slipwayd_http_requests_total Answers by class of status.\n"
			       "# TYPE slipwayd_http_requests_total counter\n");
	for (int i = 1; i <= 5 && e == 0; i++)
		e = buf_printf(b, "slipwayd_http_requests_total{class=\"%dxx\"} %llu\n", i,
			       (unsigned long long)svc->requests[i]);
	return e;
}

static int print_hosts(const struct service *svc, struct buf *b)
{
	unsigned counts[HOST_STATUS_COUNT] = { 0 };
	const struct host *h;

	for (size_t i = 0; (h = state_host_at(svc->state, i)); i++)
		counts[h->status]++;
	int e = buf_append_str(
		b, "# HELP slipwayd_hosts Hosts by status.\n# TYPE slipwayd_hosts gauge\n");
	for (int s = 0; s < HOST_STATUS_COUNT && e == 0; s++) {
		if (counts[s])
			e = buf_printf(b, "slipwayd_hosts{status=\"%s\"} %u\n",
				       host_status_name((enum host_status)s), counts[s]);
	}
	return e;
}

static int metrics(struct request *r, struct fault *err)
{
	const struct service *svc = r->service;

	int e = print_requests(svc, &r->out);
	if (e == 0)
		e = print_hosts(svc, &r->out);
	if (e == 0)
		e = buf_printf(
			&r->out,
			"# HELP slipwayd_start_time_seconds Start of the process.\n# TYPE slipwayd_start_time_seconds gauge\n"
			"slipwayd_start_time_seconds %lld\n",
			(long long)(svc->started_us / 1000000));
	r->status = 200;
	r->content_type = "text/plain; version=0.0.4; charset=utf-8";
	return e;
}

const struct route v2_misc_routes[] = {
	{ "GET", ROUTE_BASE "/v2/component-versions", "v2ListComponentVersions", AUTH_OPEN, 0,
	  component_versions },
	{ "GET", ROUTE_BASE "/v2/openshift-versions", "v2ListSupportedOpenshiftVersions", AUTH_OPEN,
	  0, openshift_versions },
	{ "GET", ROUTE_BASE "/v2/release-sources", "v2ListReleaseSources", AUTH_USER, 0,
	  empty_list },
	{ "GET", ROUTE_BASE "/v2/domains", "V2ListManagedDomains", AUTH_USER, 0, empty_list },
	{ "GET", ROUTE_BASE "/v2/supported-operators", "V2ListSupportedOperators", AUTH_USER, 0,
	  empty_list },
	{ "GET", ROUTE_BASE "/v2/supported-operators/{operator_name}", "V2ListOperatorProperties",
	  AUTH_USER, 0, unknown_operator },
	{ "GET", ROUTE_BASE "/v2/clusters/default-config", "V2GetClusterDefaultConfig", AUTH_USER,
	  0, default_config },
	{ "GET", "/health", "health", AUTH_OPEN, ROUTE_PLAIN, healthy },
	{ "GET", "/ready", "ready", AUTH_OPEN, ROUTE_PLAIN, healthy },
	{ "GET", "/metrics", "metrics", AUTH_OPEN, ROUTE_PLAIN, metrics },
	ROUTE_END,
};
