#include "service/validate.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/str.h"
#include "service/csv.h"
#include "service/disk_rules.h"
#include "service/hostname.h"
#include "service/ignition_look.h"
#include "service/requirement.h"

static const char *text_of(const json_t *obj, const char *key)
{
	const char *s = json_str(obj, key);
	return s ? s : "";
}

static int has_inventory(struct validation_check *c)
{
	return validation_decide(c, c->inventory != NULL, "The inventory of the host is there",
				 "The host has not sent its inventory");
}

static const char *truncation(const struct validation_check *c)
{
	return text_of(json_child(c->inventory, "truncation"), "type");
}

static int not_partially_truncated(struct validation_check *c)
{
	return validation_decide(
		c, strcmp(truncation(c), "partial") != 0, "The inventory is complete",
		"The inventory was too long: parts of it were left out by the agent");
}

static int not_fully_truncated(struct validation_check *c)
{
	return validation_decide(c, strcmp(truncation(c), "full") != 0, "The inventory is complete",
				 "The inventory was too long: the agent sent none of its lists");
}

static int check_cpus(struct validation_check *c, unsigned need, const char *what)
{
	int64_t count = json_i64(json_child(c->inventory, "cpu"), "count");

	if (count < (int64_t)need)
		return validation_say(c, VALIDATION_FAILURE,
				      "The host has %" PRId64 " CPUs, %s needs %u", count, what,
				      need);
	return validation_say(c, VALIDATION_SUCCESS, "Enough CPUs for %s", what);
}

static int check_memory(struct validation_check *c, uint64_t need_mib, const char *what)
{
	json_t *memory = json_child(c->inventory, "memory");
	int64_t bytes = json_i64(memory, "physical_bytes");
	uint64_t have = bytes > 0 ? (uint64_t)bytes : 0;

	if (have < requirement_memory_bytes(need_mib, json_str(memory, "physical_bytes_method")))
		return validation_say(c, VALIDATION_FAILURE,
				      "The host has %" PRIu64 " MiB of memory, %s needs %" PRIu64
				      " MiB",
				      have >> 20, what, need_mib);
	return validation_say(c, VALIDATION_SUCCESS, "Enough memory for %s", what);
}

static int min_cpus(struct validation_check *c)
{
	return check_cpus(c, requirement_minimum(c->ctx)->cpu_cores, "any role");
}

static int min_memory(struct validation_check *c)
{
	return check_memory(c, requirement_minimum(c->ctx)->memory_mib, "any role");
}

static const char *role_text(const struct validation_check *c, char text[64])
{
	snprintf(text, 64, "the role %s", host_role_name(requirement_role(c->ctx, c->host)));
	return text;
}

static int role_cpus(struct validation_check *c)
{
	char what[64];
	return check_cpus(c, requirement_for(c->ctx, c->host)->cpu_cores, role_text(c, what));
}

static int role_memory(struct validation_check *c)
{
	char what[64];
	return check_memory(c, requirement_for(c->ctx, c->host)->memory_mib, role_text(c, what));
}

static int min_disks(struct validation_check *c)
{
	json_t *disks = json_child(c->inventory, "disks");
	size_t i;
	json_t *disk;

	if (json_array_size(disks) == 0)
		return validation_say(c, VALIDATION_ERROR, "The inventory shows no disk at all");
	json_array_foreach(disks, i, disk) {
		if (disk_is_eligible(disk))
			return validation_say(c, VALIDATION_SUCCESS,
					      "There is a disk to install on");
	}
	return validation_say(
		c, VALIDATION_FAILURE,
		"No disk can be installed on: see the reasons at each disk (not_eligible_reasons)");
}

static int name_unique(struct validation_check *c)
{
	AUTO(freep) char *name = host_effective_name(c->host);
	if (!name)
		return -ENOMEM;
	for (size_t i = 0; i < c->ctx->n_peers; i++) {
		const struct host *peer = c->ctx->peers[i];
		if (hostname_is_of(peer, name))
			return validation_say(c, VALIDATION_FAILURE,
					      "Another host of the cluster is called %s too", name);
	}
	return validation_say(c, VALIDATION_SUCCESS, "No other host of the cluster is called %s",
			      name);
}

static int name_valid(struct validation_check *c)
{
	AUTO(freep) char *name = host_effective_name(c->host);
	if (!name)
		return -ENOMEM;
	if (hostname_is_forbidden(name))
		return validation_say(c, VALIDATION_FAILURE,
				      "%s is no name for a host: give it one", name);
	if (!hostname_is_valid(name))
		return validation_say(
			c, VALIDATION_FAILURE,
			"%s is not a valid host name: use at most 63 of a-z, 0-9, '-' and '.'",
			name);
	return validation_say(c, VALIDATION_SUCCESS, "The name %s can be used", name);
}

static int disk_speed(struct validation_check *c)
{
	/* measured before a first installation of a cluster only: the check writes to the disk */
	if (!c->ctx->cluster && str_empty(c->host->installation_disk_path))
		return validation_say(c, VALIDATION_ERROR,
				      "No disk is chosen, so no speed can be known");
	return validation_say(c, VALIDATION_SUCCESS,
			      "The speed of the disk is not measured for a host that joins");
}

/* The type in the cluster's stored platform object; an imported cluster is bare metal. */
static json_t *cluster_extra(const struct validation_check *c)
{
	const char *text = c->ctx->cluster ? c->ctx->cluster->extra : NULL;

	return str_empty(text) ? NULL : json_parse(text, strlen(text), 1u << 20, true, NULL);
}

static bool is_on_platform(const struct validation_check *c, const char *platform)
{
	static const struct {
		const char *platform, *manufacturer;
	} needs[] = { { "vsphere", "VMware" }, { "nutanix", "Nutanix" } };
	const char *maker = text_of(json_child(c->inventory, "system_vendor"), "manufacturer");

	for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
		if (strcmp(platform, needs[i].platform) == 0)
			return str_starts(maker, needs[i].manufacturer);
	}
	return true;
}

static int platform_fits(struct validation_check *c)
{
	AUTO(json_decrefp) json_t *extra = cluster_extra(c);
	const char *platform = json_str(json_child(extra, "platform"), "type");
	if (str_empty(platform))
		platform = "baremetal";

	if (!is_on_platform(c, platform))
		return validation_say(
			c, VALIDATION_FAILURE,
			"The cluster's platform is %s, but the machine is no such guest", platform);
	return validation_say(c, VALIDATION_SUCCESS, "The machine fits the cluster's platform %s",
			      platform);
}

static int vsphere_disk_uuid(struct validation_check *c)
{
	AUTO(json_decrefp) json_t *extra = cluster_extra(c);
	const char *platform = json_str(json_child(extra, "platform"), "type");
	size_t i;
	json_t *disk;

	if (str_empty(platform) || strcmp(platform, "vsphere") != 0)
		return VALIDATION_SUPPRESSED;
	json_array_foreach(json_child(c->inventory, "disks"), i, disk) {
		if (disk_is_eligible(disk) && !json_flag(disk, "has_uuid"))
			return validation_say(
				c, VALIDATION_FAILURE,
				"Disk %s shows no UUID: set disk.EnableUUID of the virtual machine",
				text_of(disk, "name"));
	}
	return validation_say(c, VALIDATION_SUCCESS, "Every disk shows its UUID");
}

static int tang_reached(struct validation_check *c)
{
	const char *text = c->host->tang_connectivity;
	if (str_empty(text))
		return validation_say(c, VALIDATION_PENDING,
				      "Waiting for the host's answer about its Tang servers");
	AUTO(json_decrefp) json_t *reply = json_parse(text, strlen(text), 1u << 20, true, NULL);
	return validation_decide(
		c, json_flag(reply, "is_success"), "The host reaches its Tang servers",
		"The host does not reach its Tang servers, which it needs to open its disk");
}

static int disk_encryption(struct validation_check *c)
{
	enum ignition_luks luks = ignition_luks_of(c->ignition);

	if (luks == IGNITION_LUKS_NONE)
		return VALIDATION_SUPPRESSED;
	if (luks == IGNITION_LUKS_TANG)
		return tang_reached(c);
	return validation_decide(
		c, strcmp(text_of(c->inventory, "tpm_version"), "2.0") == 0,
		"The machine has the TPM 2.0 that its disk key needs",
		"The cluster's nodes keep their disk keys in a TPM 2.0, and this machine shows none");
}

static int agent_fits(struct validation_check *c)
{
	const struct rule_config *config = c->ctx->config;
	const char *have = c->host->discovery_agent_version;

	if (!config->upgrade_agent || (have && strcmp(have, config->agent_image) == 0))
		return validation_say(c, VALIDATION_SUCCESS, "The agent fits the service");
	return validation_say(c, VALIDATION_FAILURE, "The agent is %s and will be replaced by %s",
			      str_empty(have) ? "unknown" : have, config->agent_image);
}

static int skips_no_installation_disk(struct validation_check *c)
{
	const char *disk = c->host->installation_disk_id;

	return validation_decide(
		c, str_empty(disk) || !csv_has(c->host->skip_formatting_disks, disk),
		"The installation disk may be formatted",
		"The disk to install on is in the list of disks that must not be formatted");
}

static int skips_known_disks(struct validation_check *c)
{
	const char *p = c->host->skip_formatting_disks, *id;
	size_t len;

	while ((id = csv_next(&p, &len))) {
		char name[512];
		json_t *disk;
		snprintf(name, sizeof(name), "%.*s", (int)MIN_OF(len, sizeof(name) - 1), id);
		if (inventory_find_disk(c->inventory, name, false, &disk) == 0)
			return validation_say(
				c, VALIDATION_FAILURE,
				"Disk %s must not be formatted, but the host has no such disk",
				name);
	}
	return validation_say(c, VALIDATION_SUCCESS,
			      "Every disk that must not be formatted is there");
}

#define BLOCKS_ALL (VALIDATE_BOTH | VALIDATE_POOL_BLOCKS | VALIDATE_BOUND_BLOCKS)
#define MINIMUM_ALL (BLOCKS_ALL | VALIDATE_MINIMUM | VALIDATE_INVENTORY)

const struct validation_rule validation_hardware[] = {
	{ "has-inventory", VALIDATE_BOTH | VALIDATE_BOUND_BLOCKS | VALIDATE_NO_IGNORE,
	  has_inventory },
	{ "inventory-not-partially-truncated", VALIDATE_BOTH, not_partially_truncated },
	{ "inventory-not-fully-truncated",
	  VALIDATE_BOTH | VALIDATE_BOUND_BLOCKS | VALIDATE_NO_IGNORE, not_fully_truncated },
	{ "has-min-cpu-cores", MINIMUM_ALL, min_cpus },
	{ "has-min-memory", MINIMUM_ALL, min_memory },
	{ "has-min-valid-disks", MINIMUM_ALL, min_disks },
	{ "has-cpu-cores-for-role", VALIDATE_BOTH | VALIDATE_BOUND_BLOCKS | VALIDATE_INVENTORY,
	  role_cpus },
	{ "has-memory-for-role", VALIDATE_BOTH | VALIDATE_BOUND_BLOCKS | VALIDATE_INVENTORY,
	  role_memory },
	{ "hostname-unique",
	  VALIDATE_BOUND | VALIDATE_BOUND_BLOCKS | VALIDATE_INVENTORY | VALIDATE_NO_IGNORE,
	  name_unique },
	{ "hostname-valid", BLOCKS_ALL | VALIDATE_INVENTORY | VALIDATE_NO_IGNORE, name_valid },
	{ "sufficient-installation-disk-speed",
	  VALIDATE_BOTH | VALIDATE_BOUND_BLOCKS | VALIDATE_INVENTORY, disk_speed },
	{ "compatible-with-cluster-platform",
	  VALIDATE_BOUND | VALIDATE_BOUND_BLOCKS | VALIDATE_MINIMUM | VALIDATE_INVENTORY,
	  platform_fits },
	{ "vsphere-disk-uuid-enabled", VALIDATE_BOUND | VALIDATE_BOUND_BLOCKS | VALIDATE_INVENTORY,
	  vsphere_disk_uuid },
	{ "disk-encryption-requirements-satisfied",
	  VALIDATE_BOUND | VALIDATE_BOUND_BLOCKS | VALIDATE_MINIMUM | VALIDATE_INVENTORY,
	  disk_encryption },
	{ "compatible-agent", VALIDATE_BOTH | VALIDATE_BOUND_BLOCKS, agent_fits },
	{ "no-skip-installation-disk", VALIDATE_BOTH | VALIDATE_BOUND_BLOCKS | VALIDATE_INVENTORY,
	  skips_no_installation_disk },
	{ "no-skip-missing-disk", VALIDATE_BOTH | VALIDATE_BOUND_BLOCKS | VALIDATE_INVENTORY,
	  skips_known_disks },
	{ NULL },
};
