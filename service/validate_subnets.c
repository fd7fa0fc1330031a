/*
 * Two nics in the same network make a node answer on the wrong one (assisted-v2 §7.4, non-overlapping-subnets).
 */
#include <string.h>
#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/str.h"
#include "service/cidr.h"
#include "service/validate.h"

#define NETWORKS_MAX 1024 /* addresses of one host that are compared with each other */

struct nic_network {
	const char *nic, *text;
	struct cidr cidr;
};

/* Which families do the cluster's networks use? An imported cluster names none. */
static void cluster_families(const struct cluster *cluster, bool ret_uses[2])
{
	static const char *const keys[] = { "machine_networks", "cluster_networks",
					    "service_networks" };

	ret_uses[0] = ret_uses[1] = false;
	if (str_empty(cluster->extra))
		return;
	AUTO(json_decrefp)
	json_t *extra = json_parse(cluster->extra, strlen(cluster->extra), 1u << 20, true, NULL);
	for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
		size_t i;
		json_t *network;
		json_array_foreach(json_child(extra, keys[k]), i, network) {
			struct cidr cidr;
			const char *text = json_str(network, "cidr");
			if (text && cidr_parse(text, &cidr) == 0)
				ret_uses[cidr.is_v6] = true;
		}
	}
}

static size_t collect(const json_t *inventory, bool v6, struct nic_network *out)
{
	size_t n = 0, i, k;
	json_t *nic, *address;

	json_array_foreach(json_child(inventory, "interfaces"), i, nic) {
		json_array_foreach(json_child(nic, v6 ? "ipv6_addresses" : "ipv4_addresses"), k,
				   address) {
			struct nic_network *net = &out[n];
			net->nic = json_str(nic, "name");
			net->text = json_string_value(address);
			if (n < NETWORKS_MAX - 1 && net->nic &&
			    cidr_parse(net->text, &net->cidr) == 0)
				n++;
		}
	}
	return n;
}

static int compare(struct validation_check *c, const struct nic_network *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t k = i + 1; k < n; k++) {
			if (strcmp(v[i].nic, v[k].nic) != 0 &&
			    cidr_overlaps(&v[i].cidr, &v[k].cidr))
				return validation_say(c, VALIDATION_FAILURE,
						      "%s (%s) and %s (%s) are in the same network",
						      v[i].text, v[i].nic, v[k].text, v[k].nic);
		}
	}
	return VALIDATION_SUCCESS;
}

int validate_subnets(struct validation_check *c)
{
	bool uses[2];
	cluster_families(c->ctx->cluster, uses);

	AUTO(freep) struct nic_network *v = calloc(NETWORKS_MAX, sizeof(*v));
	for (int v6 = 0; v && v6 < 2; v6++) {
		int r = uses[v6] ? compare(c, v, collect(c->inventory, v6, v)) : VALIDATION_SUCCESS;
		if (r != VALIDATION_SUCCESS)
			return r;
	}
	return validation_say(c, VALIDATION_SUCCESS,
			      "The networks of the host's interfaces are apart");
}
