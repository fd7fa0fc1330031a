#include "service/step_args.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/str.h"
#include "service/ignition_look.h"

#define STORED_JSON_MAX (8u << 20)

int step_args_of_json(json_t *obj, json_t **ret, struct fault *err)
{
	AUTO(json_decrefp) json_t *owned = obj;
	AUTO(freep) char *text = owned ? json_text(owned, true) : NULL;
	json_t *args = text ? json_pack("[s]", text) : NULL;
	if (!args)
		return fault_oom(err);
	*ret = args;
	return 0;
}

static int append(json_t *args, char *text)
{
	AUTO(freep) char *owned = text;

	return !owned || json_array_append_new(args, json_string(owned)) ? -ENOMEM : 0;
}

int step_args_inventory(const struct rule_ctx *ctx, const struct host *h, json_t **ret,
			struct fault *err)
{
	AUTO(json_decrefp) json_t *args = json_pack("[s]", h->id);
	int r = args ? 0 : -ENOMEM;

	if (r == 0 && ctx->config->inventory_max_size)
		r = append(args, str_printf("--output-max-size=%" PRIu64,
					    ctx->config->inventory_max_size));
	if (r == 0 && ctx->config->disk_min_size)
		r = append(args,
			   str_printf("--disk-min-size=%" PRIu64, ctx->config->disk_min_size));
	if (r < 0)
		return fault_oom(err);
	*ret = TAKE(args);
	return 0;
}

static const char *first_set(const char *a, const char *b)
{
	return str_empty(a) ? b : a;
}

/* The cluster's sources when it names any, else those of the medium. */
int step_args_ntp(const struct rule_ctx *ctx, const struct host *h, json_t **ret, struct fault *err)
{
	const struct infra_env *ie = ctx->infra_env;
	const char *sources = first_set(ie->ntp_sources, ie->additional_ntp_sources);

	if (ctx->cluster)
		sources = first_set(
			first_set(ctx->cluster->ntp_sources, ctx->cluster->additional_ntp_source),
			sources);
	return step_args_of_json(json_pack("{s:s}", "ntp_source", sources ? sources : ""), ret,
				 err);
}

static int add_domain(json_t *list, const char *prefix, const struct cluster *c, const char *suffix)
{
	AUTO(freep)
	char *name = str_printf("%s.%s.%s%s", prefix, c->name, c->base_dns_domain, suffix);

	return !name || json_array_append_new(list, json_pack("{s:s}", "domain_name", name))
		       ? -ENOMEM
		       : 0;
}

int step_args_domains(const struct rule_ctx *ctx, const struct host *h, json_t **ret,
		      struct fault *err)
{
	/* the wild card test is asked as an absolute name too: a resolver's search list must not hide the answer */
	static const struct {
		const char *prefix, *suffix;
	} names[] = {
		{ "api", "" },
		{ "api-int", "" },
		{ "console-openshift-console.apps", "" },
		{ "validateNoWildcardDNS", "." },
		{ "validateNoWildcardDNS", "" },
	};
	const struct cluster *c = ctx->cluster;

	*ret = NULL;
	if (!c || str_empty(c->name) || str_empty(c->base_dns_domain))
		return 0;
	json_t *list = json_array();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (add_domain(list, names[i].prefix, c, names[i].suffix) < 0) {
			json_decref(list);
			return fault_oom(err);
		}
	}
	return step_args_of_json(json_pack("{s:o}", "domains", list), ret, err);
}

static int set_text(json_t *obj, const char *key, const char *text)
{
	return str_empty(text) ? 0 : json_object_set_new(obj, key, json_string(text));
}

int step_args_api_vip(const struct rule_ctx *ctx, const struct host *h, json_t **ret,
		      struct fault *err)
{
	AUTO(freep) char *url = NULL;
	AUTO(freep) char *ca = NULL;
	*ret = NULL;
	if (!ctx->cluster)
		return 0;
	int r = ignition_source_url(ctx, h, &url, &ca, err);
	if (r < 0)
		return r;

	json_t *request = json_pack("{s:s}", "url", url);
	AUTO(json_decrefp)
	json_t *headers = str_empty(h->ignition_endpoint_http_headers)
				  ? NULL
				  : json_parse(h->ignition_endpoint_http_headers,
					       strlen(h->ignition_endpoint_http_headers),
					       STORED_JSON_MAX, true, NULL);
	int bad = set_text(request, "ca_certificate", ca);
	bad |= set_text(request, "ignition_endpoint_token",
			secret_reveal(&h->ignition_endpoint_token));
	if (json_array_size(headers))
		bad |= json_object_set(request, "request_headers", headers);
	if (bad) {
		json_decref(request);
		return fault_oom(err);
	}
	return step_args_of_json(request, ret, err);
}

int step_args_tang(const struct rule_ctx *ctx, const struct host *h, json_t **ret,
		   struct fault *err)
{
	const char *text = h->api_vip_connectivity;

	*ret = NULL;
	/* polls are frequent and Tang is rare: look before parsing */
	if (!text || !strstr(text, "tang"))
		return 0;
	AUTO(json_decrefp)
	json_t *reply = json_parse(text, strlen(text), STORED_JSON_MAX, true, NULL);
	const char *ignition_text = json_str(reply, "ignition");
	AUTO(json_decrefp)
	json_t *ignition = ignition_text ? json_parse(ignition_text, strlen(ignition_text),
						      STORED_JSON_MAX, true, NULL)
					 : NULL;
	AUTO(json_decrefp) json_t *servers = ignition_tang_servers(ignition);
	if (!servers)
		return 0;
	AUTO(freep) char *list = json_text(servers, true);
	return step_args_of_json(list ? json_pack("{s:s}", "tang_servers", list) : NULL, ret, err);
}

int step_args_logs(const struct rule_ctx *ctx, const struct host *h, json_t **ret,
		   struct fault *err)
{
	*ret = NULL;
	/* they can only be uploaded for a cluster, and once is enough */
	if (!h->cluster_id[0] || h->logs_collected_at)
		return 0;
	return step_args_of_json(json_pack("{s:s, s:s, s:s, s:b, s:b, s:n}", "cluster_id",
					   h->cluster_id, "infra_env_id", h->infra_env_id,
					   "host_id", h->id, "bootstrap", 0, "installer_gather", 1,
					   "master_ips"),
				 ret, err);
}

int step_args_none(const struct rule_ctx *ctx, const struct host *h, json_t **ret,
		   struct fault *err)
{
	*ret = json_array();
	return *ret ? 0 : fault_oom(err);
}

int step_args_upgrade(const struct rule_ctx *ctx, const struct host *h, json_t **ret,
		      struct fault *err)
{
	return step_args_of_json(json_pack("{s:s}", "agent_image", ctx->config->agent_image), ret,
				 err);
}
