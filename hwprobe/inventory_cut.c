#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/json_map.h"
#include "hwprobe/inventory_json.h"

/*
 * The truncation contract: ineligible disks go first, then what the service can do without, at last everything.
 * The service treats a host with truncation.type "full" as one without inventory.
 */

static void filter(json_t *array, bool (*keeps)(const json_t *))
{
	for (size_t i = json_array_size(array); i > 0; i--)
		if (!keeps(json_array_get(array, i - 1)))
			json_array_remove(array, i - 1);
}

static bool is_eligible(const json_t *disk)
{
	return json_is_true(
		json_object_get(json_object_get(disk, "installation_eligibility"), "eligible"));
}

static bool has_address_or_is_physical(const json_t *nic)
{
	const char *type = json_str(nic, "type");
	return (type && !strcmp(type, "physical")) ||
	       json_array_size(json_object_get(nic, "ipv4_addresses")) ||
	       json_array_size(json_object_get(nic, "ipv6_addresses"));
}

/* The flags that the service looks for: can the CPU run virtual machines? */
static bool is_needed_flag(const json_t *flag)
{
	const char *text = json_string_value(flag);
	return text && (!strcmp(text, "vmx") || !strcmp(text, "svm"));
}

static bool is_default_route(const json_t *route)
{
	const char *to = json_str(route, "destination");
	return to && json_str(route, "gateway") && (!strcmp(to, "0.0.0.0") || !strcmp(to, "::"));
}

static void cut_disks(json_t *inv)
{
	filter(json_object_get(inv, "disks"), is_eligible);
}

static void cut_interfaces(json_t *inv)
{
	filter(json_object_get(inv, "interfaces"), has_address_or_is_physical);
}

static void cut_routes(json_t *inv)
{
	filter(json_object_get(inv, "routes"), is_default_route);
}

static void cut_flags(json_t *inv)
{
	filter(json_object_get(json_object_get(inv, "cpu"), "flags"), is_needed_flag);
}

static const struct {
	const char *reason;
	void (*cut)(json_t *inv);
} cuts[] = {
	{ "disks that cannot be installed on are left out", cut_disks },
	{ "virtual interfaces without addresses are left out", cut_interfaces },
	{ "routes other than default routes are left out", cut_routes },
	{ "CPU flags are left out", cut_flags },
};

static json_t *truncation(const char *type)
{
	return json_pack("{s:s, s:[]}", "type", type, "reasons");
}

static char *text_within(const json_t *v, size_t max_bytes, bool *ret_fits)
{
	char *text = inventory_json_text(v);
	*ret_fits = text && strlen(text) <= max_bytes;
	return text;
}

/* Leaves eligible disks out from the end, half of the rest at a time: a handful of renderings even for thousands of disks. */
static char *cut_eligible_disks(json_t *inv, json_t *reasons, size_t max_bytes, bool *ret_fits)
{
	json_t *disks = json_object_get(inv, "disks");
	json_array_append_new(reasons, json_string("disks at the end of the list are left out"));
	AUTO(freep) char *text = NULL;
	for (size_t keep = json_array_size(disks) / 2; keep > 0; keep /= 2) {
		while (json_array_size(disks) > keep)
			json_array_remove(disks, json_array_size(disks) - 1);
		free(text);
		text = text_within(inv, max_bytes, ret_fits);
		if (!text || *ret_fits)
			return TAKE(text);
	}
	return NULL;
}

static char *all_cut(size_t max_bytes)
{
	AUTO(json_decrefp)
	json_t *v = json_pack("{s:{s:s, s:[s]}}", "truncation", "type", "full", "reasons",
			      "the inventory is larger than the limit");
	bool fits;
	AUTO(freep) char *text = v ? text_within(v, max_bytes, &fits) : NULL;
	if (!text || fits)
		return TAKE(text);
	/* Nothing shorter says it. */
	json_object_del(json_object_get(v, "truncation"), "reasons");
	return inventory_json_text(v);
}

char *inventory_cut(json_t *inv, size_t max_bytes)
{
	bool fits = false;
	AUTO(freep) char *text = text_within(inv, max_bytes, &fits);
	if (!text || fits)
		return TAKE(text);

	json_t *cut = truncation("partial"), *reasons = json_object_get(cut, "reasons");
	if (json_object_set_new(inv, "truncation", cut) < 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(cuts); i++) {
		cuts[i].cut(inv);
		json_array_append_new(reasons, json_string(cuts[i].reason));
		free(text);
		text = text_within(inv, max_bytes, &fits);
		if (!text || fits)
			return TAKE(text);
	}
	free(text);
	text = cut_eligible_disks(inv, reasons, max_bytes, &fits);
	return text && fits ? TAKE(text) : all_cut(max_bytes);
}
