#include "hwprobe/inventory_cut.h"

#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/json_map.h"
#include "hwprobe/json_out.h"

/* As json_out.c writes it. */
#define TEXT_FLAGS (JSON_COMPACT | JSON_REAL_PRECISION(JSON_OUT_REAL_DIGITS))

/*
 * The truncation contract: ineligible disks go first, then what the service can do without, at last everything.
 * The service treats a host with truncation.type "full" as one without inventory.
 */

/* Returns whether something was left out. */
static bool filter(json_t *array, bool (*keeps)(const json_t *))
{
	size_t n = json_array_size(array);
	for (size_t i = n; i > 0; i--)
		if (!keeps(json_array_get(array, i - 1)))
			json_array_remove(array, i - 1);
	return json_array_size(array) < n;
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

static bool cut_disks(json_t *inv)
{
	return filter(json_object_get(inv, "disks"), is_eligible);
}

static bool cut_interfaces(json_t *inv)
{
	return filter(json_object_get(inv, "interfaces"), has_address_or_is_physical);
}

static bool cut_routes(json_t *inv)
{
	return filter(json_object_get(inv, "routes"), is_default_route);
}

static bool cut_flags(json_t *inv)
{
	return filter(json_object_get(json_object_get(inv, "cpu"), "flags"), is_needed_flag);
}

static const struct {
	const char *reason;
	bool (*cut)(json_t *inv);
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

static char *text_of(const json_t *v)
{
	return json_dumps(v, TEXT_FLAGS);
}

static char *text_within(const json_t *v, size_t max_bytes, bool *ret_fits)
{
	char *text = text_of(v);
	*ret_fits = text && strlen(text) <= max_bytes;
	return text;
}

/* How many of @disks, from the front, have room in @room bytes, with the commas between them. */
static size_t disks_within(const json_t *disks, size_t room)
{
	size_t i;
	for (i = 0; i < json_array_size(disks); i++) {
		size_t len = json_dumpb(json_array_get(disks, i), NULL, 0, TEXT_FLAGS);
		size_t comma = i > 0;
		if (!len || len + comma > room)
			break;
		room -= len + comma;
	}
	return i;
}

/*
 * Leaves eligible disks out from the end, as few as possible. Not all of them: an inventory without any would say that the machine has
 * none to install on. NULL = not one fits, or no memory.
 */
static char *cut_eligible_disks(json_t *inv, json_t *reasons, size_t max_bytes)
{
	AUTO(json_decrefp) json_t *disks = json_incref(json_object_get(inv, "disks"));
	AUTO(json_decrefp) json_t *kept = json_array();
	json_array_append_new(reasons, json_string("disks at the end of the list are left out"));
	if (json_object_set(inv, "disks", kept) < 0)
		return NULL;
	bool fits;
	AUTO(freep) char *without = text_within(inv, max_bytes, &fits);
	size_t n = fits ? disks_within(disks, max_bytes - strlen(without)) : 0;
	for (size_t i = 0; i < n; i++)
		if (json_array_append(kept, json_array_get(disks, i)) < 0)
			return NULL;
	return n ? text_of(inv) : NULL;
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
	return text_of(v);
}

char *inventory_cut(const char *text, size_t max_bytes)
{
	AUTO(json_decrefp) json_t *inv = json_loads(text, 0, NULL);
	json_t *cut = truncation("partial"), *reasons = json_object_get(cut, "reasons");
	if (json_object_set_new(inv, "truncation", cut) < 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(cuts); i++) {
		if (!cuts[i].cut(inv))
			continue;
		json_array_append_new(reasons, json_string(cuts[i].reason));
		bool fits;
		AUTO(freep) char *shorter = text_within(inv, max_bytes, &fits);
		if (!shorter || fits)
			return TAKE(shorter);
	}
	AUTO(freep) char *shorter = cut_eligible_disks(inv, reasons, max_bytes);
	return shorter ? TAKE(shorter) : all_cut(max_bytes);
}
