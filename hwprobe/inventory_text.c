#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/inventory.h"
#include "hwprobe/text_table.h"

enum { TEXT_MAX = 16 << 20 };

/* "274.9 GB": powers of 1000, as on the label of a disk. */
static const char *size_text(struct arena *a, int64_t bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	double v = (double)bytes;
	size_t u = 0;
	for (; v >= 999.95 && u + 1 < ARRAY_SIZE(units); u++)
		v /= 1000;
	return arena_printf(a, u ? "%.1f %s" : "%.0f %s", v, units[u]);
}

/* "64.0 GiB", "512 MiB": powers of 1024, as memory is sold. */
static const char *memory_text(struct arena *a, int64_t bytes)
{
	if (bytes >= 1 << 30)
		return arena_printf(a, "%.1f GiB", (double)bytes / (1 << 30));
	return bytes >= 1 << 20 ? arena_printf(a, "%.0f MiB", (double)bytes / (1 << 20))
				: arena_printf(a, "%.0f KiB", (double)bytes / (1 << 10));
}

/* What is built in, and what of that the kernel has for itself and others; NULL = neither is known. */
static const char *memory_sizes(struct arena *a, const struct hwp_memory *m)
{
	const char *usable = m->usable_bytes.source ? memory_text(a, m->usable_bytes.v) : NULL;
	if (!m->physical_bytes.source)
		return usable ? arena_printf(a, "%s usable", usable) : NULL;
	const char *physical = memory_text(a, m->physical_bytes.v);
	return usable ? arena_printf(a, "%s (%s usable)", physical, usable) : physical;
}

/* "25 Gb/s", "2.5 Gb/s", "100 Mb/s" */
static const char *speed_text(struct arena *a, int64_t mbps)
{
	return mbps >= 1000 ? arena_printf(a, "%.15g Gb/s", (double)mbps / 1000)
			    : arena_printf(a, "%" PRId64 " Mb/s", mbps);
}

/* --- sections --------------------------------------------------------------------------------------------- */

static void add_fact(struct text_table *t, const char *name, const char *value)
{
	if (!str_empty(value))
		text_table_add(t, (const char *const[]){ name, value });
}

static const char *cpu_text(struct arena *a, const struct hwp_cpu *c)
{
	const char *mhz =
		c->frequency_mhz.source ? arena_printf(a, ", %.0f MHz", c->frequency_mhz.v) : "";
	const char *shape = c->cores.source
				    ? arena_printf(a, ", sockets: %" PRId64 ", cores: %" PRId64,
						   c->sockets.v, c->cores.v)
				    : "";
	return arena_printf(a, "%" PRId64 " x %s (%s%s%s)", c->count.v,
			    c->model_name.s ? c->model_name.s : "unknown",
			    c->architecture.s ? c->architecture.s : "?", mhz, shape);
}

/* What firmware says instead of a name is shown, but not as one. */
static const char *named(struct arena *a, const struct hwp_str *s)
{
	return hwp_is_placeholder(s->s) ? arena_printf(a, "%s (a placeholder)", s->s) : s->s;
}

static const char *firmware_text(struct arena *a, const struct hwp_vendor *v)
{
	const struct hwp_str *const parts[] = { &v->firmware_vendor, &v->firmware_version,
						&v->firmware_date };
	const char *text = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (parts[i]->s)
			text = arena_printf(a, "%s%s%s", text ? text : "", text ? ", " : "",
					    parts[i]->s);
	return text;
}

static const char *clock_text(struct arena *a, const struct hwp_clock *c)
{
	char text[64];
	struct tm tm;
	time_t now = (time_t)c->realtime_s.v;
	if (!c->realtime_s.source || !gmtime_r(&now, &tm) ||
	    !strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm))
		return NULL;
	const char *rtc = "";
	int64_t apart;
	if (c->rtc_s.source && !__builtin_sub_overflow(c->rtc_s.v, c->realtime_s.v, &apart))
		rtc = arena_printf(a, ", battery clock %+" PRId64 " s", apart);
	return arena_printf(a, "%s, %s%s", text, c->synced.v ? "synchronised" : "not synchronised",
			    rtc);
}

static const char *bmc_text(struct arena *a, const struct hwp_bmc *b)
{
	const char *v4 = str_eq(b->address.s, "0.0.0.0") ? "" : b->address.s;
	const char *v6 = str_eq(b->v6address.s, "::/0") ? "" : b->v6address.s;
	if (!*v4 && !*v6)
		return b->is_without_driver.v ? "present, without a driver" : NULL;
	const char *vlan = b->vlan_id.source ? arena_printf(a, ", VLAN %" PRId64, b->vlan_id.v)
					     : "";
	return arena_printf(a, "%s%s%s%s", v4, *v4 && *v6 ? " " : "", v6, vlan);
}

static void add_machine(struct text_table *t, const struct hwp_inventory *inv)
{
	struct arena *a = &t->mem;
	const struct hwp_vendor *v = hwp_get_system_vendor(inv);
	const struct hwp_boot *b = hwp_get_boot(inv);
	add_fact(t, "Host name", hwp_get_hostname(inv));
	if (v) {
		add_fact(t, "Vendor", named(a, &v->manufacturer));
		add_fact(t, "Product", named(a, &v->product_name));
		add_fact(t, "Serial number", named(a, &v->serial_number));
		add_fact(t, "Firmware", firmware_text(a, v));
		add_fact(t, "Virtual machine", v->is_virtual.v ? v->virtualization.s : "no");
	}
	if (hwp_get_cpu(inv))
		add_fact(t, "Processors", cpu_text(a, &inv->cpu));
	if (hwp_get_memory(inv))
		add_fact(t, "Memory", memory_sizes(a, &inv->memory));
	if (b)
		add_fact(t, "Boot",
			 arena_printf(a, "%s, secure boot: %s", b->current_boot_mode.s,
				      b->secure_boot_state.s));
	if (hwp_get_clock(inv))
		add_fact(t, "Clock", clock_text(a, &inv->clock));
	const struct hwp_tpm *tpm = hwp_get_tpm(inv);
	if (tpm)
		add_fact(t, "TPM",
			 tpm->is_without_driver.v ? "present, without a driver" : tpm->version.s);
	if (hwp_get_bmc(inv))
		add_fact(t, "BMC", bmc_text(a, &inv->bmc));
}

static const char *reasons_text(struct arena *a, const char *text, const struct hwp_reason *list,
				size_t n)
{
	for (size_t i = 0; i < n; i++)
		text = arena_printf(a, "%s%s%s", text, i ? "; " : " ", list[i].text);
	return text;
}

/* May it be installed on? All that speaks against it. */
static const char *install_text(struct arena *a, const struct hwp_disk *d)
{
	if (d->reason_count)
		return reasons_text(a, "no:", d->reasons, d->reason_count);
	bool is_failing = str_eq(d->smart.s, "failing");
	if (d->warning_count)
		return reasons_text(a, is_failing ? "yes, but it is about to fail;" : "yes, but:",
				    d->warnings, d->warning_count);
	return is_failing ? "yes, but it is about to fail" : "yes";
}

/* Is the name in the list "sda1,dm-4"? */
static bool is_among(const char *list, const char *name)
{
	size_t n = strlen(name);
	for (const char *p = list; p && *p; p += strcspn(p, ","), p += *p == ',')
		if (strcspn(p, ",") == n && !strncmp(p, name, n))
			return true;
	return false;
}

/* One of several ways to a disk that stands in the list, too. */
static bool is_way(const struct hwp_inventory *inv, const struct hwp_disk *d)
{
	for (size_t i = 0; d->holders.s && i < hwp_disk_count(inv); i++)
		if (str_eq(inv->disks[i].drive_type.s, "Multipath") &&
		    is_among(d->holders.s, inv->disks[i].name.s))
			return true;
	return false;
}

/* Bytes that the machine really has: not those of what is made of other disks, of second ways, and of media. */
static bool is_counted(const struct hwp_inventory *inv, const struct hwp_disk *d)
{
	static const char *const others[] = { "LVM", "RAID", "ODD", "FDD" };
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (str_eq(d->drive_type.s, others[i]))
			return false;
	return !is_way(inv, d);
}

static void add_disk(struct text_table *t, const struct hwp_disk *d)
{
	const char *model = d->model_full.s ? d->model_full.s : d->model.s;
	const char *type = d->drive_type_full.s ? d->drive_type_full.s : d->drive_type.s;
	text_table_add(t,
		       (const char *const[]){ d->name.s, size_text(&t->mem, d->size_bytes.v), type,
					      model, d->serial.s, install_text(&t->mem, d) });
}

static void add_disks(struct text_table *t, const struct hwp_inventory *inv)
{
	int64_t total = 0;
	size_t n = hwp_disk_count(inv), counted = 0;
	text_table_add(
		t, (const char *const[]){ "DISK", "SIZE", "TYPE", "MODEL", "SERIAL", "INSTALL" });
	for (size_t i = 0; i < n; i++) {
		const struct hwp_disk *d = hwp_disk_at(inv, i);
		add_disk(t, d);
		if (!is_counted(inv, d))
			continue;
		counted++;
		if (__builtin_add_overflow(total, d->size_bytes.v, &total))
			total = INT64_MAX;
	}
	const char *disks =
		arena_printf(&t->mem, "%zu %s", counted, counted == 1 ? "disk" : "disks");
	if (n > 1)
		text_table_add(t, (const char *const[]){ "total", size_text(&t->mem, total), "",
							 disks, "", "" });
}

static const char *joined(struct arena *a, const struct hwp_strs *x, const struct hwp_strs *y)
{
	const char *text = NULL;
	const struct hwp_strs *const lists[] = { x, y };
	for (size_t l = 0; l < 2; l++)
		for (size_t i = 0; i < lists[l]->n; i++)
			text = arena_printf(a, "%s%s%s", text ? text : "", text ? " " : "",
					    lists[l]->v[i]);
	return text;
}

/* How it belongs to others: "802.3ad of eno1 eno2", "VLAN 42 on bond0", "in bond0", "VF 3 of 0000:01:00.0". */
static const char *relation_text(struct arena *a, const struct hwp_nic *n)
{
	static const struct hwp_strs none;
	const char *text = n->driver.s ? n->driver.s : "";
	if (n->members.n)
		text = arena_printf(a, "%s of %s", n->bond_mode.s ? n->bond_mode.s : n->type.s,
				    joined(a, &n->members, &none));
	else if (n->vlan_id.source)
		text = arena_printf(a, "VLAN %" PRId64 " on %s", n->vlan_id.v,
				    n->lower.s ? n->lower.s : "?");
	else if (n->sriov_vf_index.source)
		text = arena_printf(a, "VF %" PRId64 " of %s", n->sriov_vf_index.v, n->sriov_pf.s);
	if (n->master.s)
		text = arena_printf(a, "%s%sin %s", text ? text : "", text && *text ? ", " : "",
				    n->master.s);
	return text;
}

static void add_nics(struct text_table *t, const struct hwp_inventory *inv)
{
	text_table_add(t, (const char *const[]){ "INTERFACE", "TYPE", "MAC", "LINK", "MTU",
						 "ADDRESSES", "PART" });
	for (size_t i = 0; i < hwp_nic_count(inv); i++) {
		const struct hwp_nic *n = hwp_nic_at(inv, i);
		const char *speed = n->speed_mbps.v > 0 ? speed_text(&t->mem, n->speed_mbps.v)
							: "up";
		text_table_add(t, (const char *const[]){
					  n->name.s, n->type.s, n->mac_address.s,
					  n->has_carrier.v ? speed : "no carrier",
					  arena_printf(&t->mem, "%" PRId64, n->mtu.v),
					  joined(&t->mem, &n->ipv4_addresses, &n->ipv6_addresses),
					  relation_text(&t->mem, n) });
	}
}

static void add_modules(struct text_table *t, const struct hwp_inventory *inv)
{
	size_t n = hwp_get_memory(inv) ? inv->memory.dimm_count : 0, filled = 0;
	int64_t total = 0;
	text_table_add(t,
		       (const char *const[]){ "MEMORY", "SIZE", "TYPE", "SPEED", "MAKER", "PART" });
	for (size_t i = 0; i < n; i++) {
		const struct hwp_dimm *d = &inv->memory.dimms[i];
		const char *size = d->size_bytes.v ? memory_text(&t->mem, d->size_bytes.v)
						   : "empty";
		const char *speed = NULL;
		if (d->speed_mts.source)
			speed = arena_printf(&t->mem, "%" PRId64 " MT/s", d->speed_mts.v);
		text_table_add(t, (const char *const[]){ d->locator.s, size, d->type.s, speed,
							 d->manufacturer.s, d->part_number.s });
		filled += d->size_bytes.v > 0;
		if (__builtin_add_overflow(total, d->size_bytes.v, &total))
			total = INT64_MAX;
	}
	if (n > 1)
		text_table_add(
			t, (const char *const[]){ "total", memory_text(&t->mem, total),
						  arena_printf(&t->mem, "%zu of %zu", filled, n),
						  "", "", "" });
}

static void add_neighbour(struct text_table *t, const struct hwp_nic *n, const struct hwp_lldp *l)
{
	static const struct hwp_strs none;
	const char *vlan = NULL;
	if (l->port_vlan_id.source)
		vlan = arena_printf(&t->mem, "%" PRId64, l->port_vlan_id.v);
	text_table_add(t, (const char *const[]){
				  n->name.s, l->system_name.s, l->chassis_id.s, l->port_id.s, vlan,
				  joined(&t->mem, &l->management_addresses, &none) });
}

static void add_neighbours(struct text_table *t, const struct hwp_inventory *inv)
{
	text_table_add(t, (const char *const[]){ "NEIGHBOUR ON", "SYSTEM", "CHASSIS", "PORT",
						 "VLAN", "ADDRESSES" });
	for (size_t i = 0; i < hwp_nic_count(inv); i++) {
		const struct hwp_nic *n = hwp_nic_at(inv, i);
		for (size_t k = 0; k < n->lldp_count; k++)
			add_neighbour(t, n, &n->lldp[k]);
	}
}

/* All ways of it. */
static void add_route(struct text_table *t, const struct hwp_route *r)
{
	const char *gateway = r->gateway.s, *interface = r->interface.s;
	for (size_t i = 0; i < r->nexthop_count; i++) {
		const struct hwp_nexthop *h = &r->nexthops[i];
		const char *way = h->gateway.s ? h->gateway.s : "-",
			   *link = h->interface.s ? h->interface.s : "-";
		gateway = i ? arena_printf(&t->mem, "%s %s", gateway, way) : way;
		interface = i ? arena_printf(&t->mem, "%s %s", interface, link) : link;
	}
	text_table_add(t, (const char *const[]){ arena_printf(&t->mem, "%s/%" PRId64,
							      r->destination.s, r->prefixlen.v),
						 gateway, interface,
						 arena_printf(&t->mem, "%" PRId64, r->metric.v) });
}

static void add_routes(struct text_table *t, const struct hwp_inventory *inv)
{
	text_table_add(t, (const char *const[]){ "ROUTE", "GATEWAY", "INTERFACE", "METRIC" });
	for (size_t i = 0; i < hwp_route_count(inv); i++)
		add_route(t, hwp_route_at(inv, i));
}

static void add_gpus(struct text_table *t, const struct hwp_inventory *inv)
{
	text_table_add(t, (const char *const[]){ "GPU", "ID", "VENDOR", "NAME" });
	for (size_t i = 0; i < hwp_gpu_count(inv); i++) {
		const struct hwp_gpu *g = hwp_gpu_at(inv, i);
		const char *id = arena_printf(&t->mem, "%s:%s",
					      g->vendor_id.s ? g->vendor_id.s : "?",
					      g->device_id.s ? g->device_id.s : "?");
		text_table_add(t,
			       (const char *const[]){ g->address.s, id, g->vendor.s, g->name.s });
	}
}

/* What is missing above. */
static void add_errors(struct text_table *t, const struct hwp_inventory *inv)
{
	text_table_add(t, (const char *const[]){ "NOT COMPLETE", "SOURCE", "WHY" });
	for (size_t i = 0; i < inv->error_count; i++)
		text_table_add(t, (const char *const[]){ inv->errors[i].part, inv->errors[i].source,
							 inv->errors[i].detail });
	for (size_t i = 0; i < inv->degraded.n; i++)
		text_table_add(
			t, (const char *const[]){ "all", inv->degraded.v[i],
						  "it is not there: second sources were used" });
}

static const struct {
	size_t columns, right; /* a column of numbers */
	void (*add)(struct text_table *t, const struct hwp_inventory *inv);
} sections[] = {
	{ 2, TEXT_COLUMNS_MAX, add_machine },
	{ 6, 1, add_modules },
	{ 6, 1, add_disks },
	{ 7, 4, add_nics },
	{ 6, 4, add_neighbours },
	{ 4, 3, add_routes },
	{ 4, TEXT_COLUMNS_MAX, add_gpus },
	{ 3, TEXT_COLUMNS_MAX, add_errors },
};

char *hwp_to_text(const struct hwp_inventory *inv, unsigned width)
{
	if (!inv)
		return NULL;
	AUTO(buf_done) struct buf out;
	buf_init(&out, TEXT_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		AUTO(text_table_done)
		struct text_table t = { .columns = sections[i].columns, .has_heading = i > 0 };
		if (sections[i].right < TEXT_COLUMNS_MAX)
			t.is_right[sections[i].right] = true;
		sections[i].add(&t, inv);
		/* A table with nothing but its heading is left out. */
		if (t.n <= t.has_heading)
			continue;
		if ((out.len && buf_append_str(&out, "\n") < 0) ||
		    text_table_put(&t, &out, width) < 0)
			return NULL;
	}
	return buf_take(&out);
}
