#include <errno.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/str.h"
#include "service/disk_rules.h"
#include "service/requirement.h"
#include "service/rules.h"
#include "service/shape.h"

#define INVENTORY_MAX \
	(4u           \
	 << 20) /* bytes of a posted inventory; smartctl texts of many disks are the bulk of it */

/* Nics of the kinds that can carry a node's network; the rest (veth, bridges, tunnels) would only confuse. */
static bool interface_is_kept(const json_t *nic)
{
	static const char *const kept[] = { "", "physical", "vlan", "bond" };
	const char *type = json_str(nic, "type");

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		if (strcmp(type ? type : "", kept[i]) == 0)
			return true;
	}
	return false;
}

static void drop_virtual_interfaces(json_t *inventory)
{
	json_t *list = json_child(inventory, "interfaces");

	for (size_t i = json_array_size(list); i > 0; i--) {
		if (!interface_is_kept(json_array_get(list, i - 1)))
			json_array_remove(list, i - 1);
	}
}

static int fill_disk_ids(json_t *inventory, struct fault *err)
{
	size_t i;
	json_t *disk;

	json_array_foreach(json_child(inventory, "disks"), i, disk) {
		const char *path = json_str(disk, "path");
		if (!path || !str_empty(json_str(disk, "id")))
			continue;
		if (json_object_set_new(disk, "id", json_string(path)))
			return fault_oom(err);
	}
	return 0;
}

static json_t *disk_of_host(json_t *inventory, const struct host *h)
{
	json_t *disk;

	if (!str_empty(h->installation_disk_id) &&
	    inventory_find_disk(inventory, h->installation_disk_id, true, &disk))
		return disk;
	return disk_rules_choose(inventory);
}

static const char *or_null(const char *s)
{
	return str_empty(s) ? NULL : s;
}

static int store(const struct rule_ctx *ctx, struct host *h, json_t *inventory, struct fault *err)
{
	AUTO(freep) char *text = json_text(inventory, true);
	AUTO(freep) char *to_format = disk_rules_to_format(inventory, h->skip_formatting_disks);
	if (!text || !to_format)
		return fault_oom(err);

	json_t *disk = disk_of_host(inventory, h);
	const char *id = disk ? json_str(disk, "id") : NULL,
		   *path = disk ? json_str(disk, "path") : NULL;
	if (str_set(&h->installation_disk_id, id) < 0 ||
	    str_set(&h->installation_disk_path, path) < 0 ||
	    str_set(&h->disks_to_be_formatted, or_null(to_format)) < 0)
		return fault_oom(err);

	free(h->inventory);
	h->inventory = TAKE(text);
	if (ctx->parsed) {
		rule_parsed_done(ctx->parsed);
		*ctx->parsed = (struct rule_parsed){ h->inventory, json_incref(inventory) };
	}
	return host_note_inventory(h) < 0 ? fault_oom(err) : 0;
}

int inventory_apply(const struct rule_ctx *ctx, struct host *h, const char *text, size_t len,
		    struct fault *err)
{
	AUTO(json_decrefp) json_t *posted = json_parse(text, len, INVENTORY_MAX, true, err);
	if (!posted)
		return fault_prefix(err, -EINVAL, "inventory") == -ENOMEM ? -ENOMEM : -EINVAL;

	AUTO(json_decrefp) json_t *inventory = NULL;
	int r = shape_apply(shape_inventory, posted, &inventory, err);
	if (r < 0) {
		fault_prefix(err, r, "inventory");
		return r == -ENOMEM ? r : -EINVAL;
	}
	drop_virtual_interfaces(inventory);
	r = fill_disk_ids(inventory, err);
	if (r == 0)
		r = disk_rules_eligibility(ctx, inventory, requirement_for(ctx, h)->disk_gb, err);
	if (r < 0)
		return r;
	return store(ctx, h, inventory, err);
}

int inventory_find_disk(json_t *inventory, const char *id, bool eligible_only, json_t **ret_disk)
{
	size_t i;
	json_t *disk;

	json_array_foreach(json_child(inventory, "disks"), i, disk) {
		if (!disk_is_named(disk, id) || (eligible_only && !disk_is_eligible(disk)))
			continue;
		*ret_disk = disk;
		return 1;
	}
	return 0;
}
