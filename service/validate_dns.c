/*
 * Names of the cluster that a host must be able to resolve, unless the cluster brings its own DNS (assisted-v2 §5.7, §7.4).
 */
#include <string.h>
#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/str.h"
#include "service/cidr.h"
#include "service/ignition_look.h"
#include "service/validate.h"

#define REPLY_MAX (8u << 20)

static json_t *parse(const char *text)
{
	return str_empty(text) ? NULL : json_parse(text, strlen(text), REPLY_MAX, true, NULL);
}

/* What a successful api-vip reply of the host or of another one of its cluster downloaded: new reference; *ret_any: was there one? */
static json_t *cluster_ignition(const struct validation_check *c, bool *ret_any)
{
	*ret_any = true;
	if (json_flag(c->api_vip, "is_success"))
		return json_incref(c->ignition);
	for (size_t i = 0; i < c->ctx->n_peers; i++) {
		const char *text = c->ctx->peers[i]->api_vip_connectivity;
		/* as our own encoder spells it: no need to parse the others */
		if (!text || !strstr(text, "\"is_success\":true"))
			continue;
		AUTO(json_decrefp) json_t *reply = parse(text);
		if (json_flag(reply, "is_success"))
			return parse(json_str(reply, "ignition"));
	}
	*ret_any = false;
	return NULL;
}

static json_t *resolution_of(json_t *reply, const char *name)
{
	size_t i;
	json_t *r;

	json_array_foreach(json_child(reply, "resolutions"), i, r) {
		const char *have = json_str(r, "domain_name");
		if (have && strcmp(have, name) == 0)
			return r;
	}
	return NULL;
}

static bool is_own_address(const struct validation_check *c, const char *key, const char *text)
{
	struct cidr want, own;
	size_t n, a;
	json_t *nic, *address;

	if (!text || cidr_parse(text, &want) < 0)
		return false;
	json_array_foreach(json_child(c->inventory, "interfaces"), n, nic) {
		json_array_foreach(json_child(nic, key), a, address) {
			if (cidr_parse(json_string_value(address), &own) == 0 &&
			    cidr_same_address(&own, &want))
				return true;
		}
	}
	return false;
}

static int judge(struct validation_check *c, json_t *resolution, const char *name)
{
	static const char *const keys[] = { "ipv4_addresses", "ipv6_addresses" };
	size_t found = 0, i;
	json_t *address;

	for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
		json_t *list = json_child(resolution, keys[k]);
		found += json_array_size(list);
		json_array_foreach(list, i, address) {
			if (is_own_address(c, keys[k], json_string_value(address)))
				return validation_say(
					c, VALIDATION_FAILURE,
					"The name %s leads to an address of this host itself",
					name);
		}
	}
	if (!found)
		return validation_say(
			c, VALIDATION_FAILURE,
			"The host cannot resolve the name %s: add it to its DNS server", name);
	return validation_say(c, VALIDATION_SUCCESS, "The host can resolve the name %s", name);
}

static int check_name(struct validation_check *c, const char *prefix)
{
	const struct cluster *cluster = c->ctx->cluster;
	bool any;
	AUTO(json_decrefp) json_t *ignition = cluster_ignition(c, &any);

	if (ignition_has_managed_networking(ignition))
		return validation_say(c, VALIDATION_SUCCESS,
				      "The cluster brings its own name service");
	if (!any)
		return validation_say(
			c, VALIDATION_PENDING,
			"Waiting for the first download of the cluster's configuration");
	if (str_empty(cluster->base_dns_domain) || str_empty(cluster->name))
		return validation_say(
			c, VALIDATION_ERROR,
			"The cluster's base domain is not known: set base_dns_domain");

	AUTO(freep)
	char *name = str_printf("%s.%s.%s", prefix, cluster->name, cluster->base_dns_domain);
	AUTO(json_decrefp) json_t *reply = parse(c->host->domain_name_resolutions);
	json_t *resolution = name ? resolution_of(reply, name) : NULL;
	if (!resolution)
		return validation_say(c, VALIDATION_PENDING,
				      "Waiting for the host to resolve the name %s",
				      name ? name : prefix);
	return judge(c, resolution, name);
}

int validate_api_name(struct validation_check *c)
{
	return check_name(c, "api");
}

int validate_api_int_name(struct validation_check *c)
{
	return check_name(c, "api-int");
}

int validate_apps_name(struct validation_check *c)
{
	return check_name(c, "console-openshift-console.apps");
}
