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

enum { TEXT_MAX = 16 << 20, COLUMNS_MAX = 8 };

/* A table that learns the width of its columns as rows are added. Cells are kept in an arena. */
struct text_table {
	struct arena mem;
	size_t columns;
	bool is_right[COLUMNS_MAX]; /* numbers */
	const char ***rows;
	size_t n;
};

static void table_done(struct text_table *t)
{
	arena_done(&t->mem);
}

static void add_row(struct text_table *t, const char *const *cells)
{
	const char **row = arena_alloc(&t->mem, sizeof(*row) * COLUMNS_MAX);
	const char ***slot = row ? arena_append(&t->mem, &t->rows, &t->n, sizeof(*slot)) : NULL;
	if (!slot)
		return;
	for (size_t i = 0; i < t->columns; i++)
		row[i] = arena_dup(&t->mem, cells[i] ? cells[i] : "-");
	*slot = row;
}

static size_t column_width(const struct text_table *t, size_t column)
{
	size_t width = 0;
	for (size_t i = 0; i < t->n; i++)
		if (t->rows[i][column] && strlen(t->rows[i][column]) > width)
			width = strlen(t->rows[i][column]);
	return width;
}

/* One line, cut at @width columns; control characters become blanks. */
static int put_line(struct buf *out, char *line, unsigned width)
{
	size_t n = strlen(line);
	while (n && line[n - 1] == ' ')
		line[--n] = '\0';
	if (width && n > width) {
		n = width;
		while (n &&
		       ((unsigned char)line[n] & 0xc0) == 0x80) /* not inside a UTF-8 character */
			n--;
		line[n] = '\0';
	}
	for (char *p = line; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	return buf_printf(out, "%s\n", line);
}

static int put_table(struct buf *out, const struct text_table *t, unsigned width)
{
	int widths[COLUMNS_MAX];
	for (size_t c = 0; c < t->columns; c++)
		widths[c] = (int)column_width(t, c);
	for (size_t i = 0; i < t->n; i++) {
		AUTO(buf_done) struct buf line;
		buf_init(&line, TEXT_MAX);
		for (size_t c = 0; c < t->columns; c++) {
			const char *cell = t->rows[i][c] ? t->rows[i][c] : "";
			if (buf_printf(&line, t->is_right[c] ? "%*s  " : "%-*s  ", widths[c],
				       cell) < 0)
				return -ENOMEM;
		}
		int r = put_line(out, line.data, width);
		if (r < 0)
			return r;
	}
	return t->mem.has_failed ? -ENOMEM : 0;
}

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

static const char *memory_text(struct arena *a, int64_t bytes)
{
	return arena_printf(a, "%.1f GiB", (double)bytes / (1 << 30));
}

/* --- sections --------------------------------------------------------------------------------------------- */

static void add_fact(struct text_table *t, const char *name, const char *value)
{
	if (!str_empty(value))
		add_row(t, (const char *const[]){ name, value });
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
	if (hwp_get_memory(inv) && inv->memory.physical_bytes.source)
		add_fact(t, "Memory",
			 arena_printf(a, "%s (%s usable)",
				      memory_text(a, inv->memory.physical_bytes.v),
				      memory_text(a, inv->memory.usable_bytes.v)));
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

/* May it be installed on? */
static const char *install_text(struct arena *a, const struct hwp_disk *d)
{
	if (d->reason_count)
		return arena_printf(a, "no: %s", d->reasons[0].text);
	if (str_eq(d->smart.s, "failing"))
		return "yes, but it is about to fail";
	return d->warning_count ? arena_printf(a, "yes, but: %s", d->warnings[0].text) : "yes";
}

static void add_disks(struct text_table *t, const struct hwp_inventory *inv)
{
	int64_t total = 0;
	add_row(t, (const char *const[]){ "DISK", "SIZE", "TYPE", "MODEL", "SERIAL", "INSTALL" });
	for (size_t i = 0; i < hwp_disk_count(inv); i++) {
		const struct hwp_disk *d = hwp_disk_at(inv, i);
		const char *model = d->model_full.s ? d->model_full.s : d->model.s;
		const char *answer = install_text(&t->mem, d);
		add_row(t, (const char *const[]){ d->name.s, size_text(&t->mem, d->size_bytes.v),
						  d->drive_type.s, model, d->serial.s, answer });
		total += d->size_bytes.v;
	}
	if (hwp_disk_count(inv) > 1)
		add_row(t, (const char *const[]){ "total", size_text(&t->mem, total), "", "", "",
						  "" });
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
	add_row(t, (const char *const[]){ "INTERFACE", "TYPE", "MAC", "LINK", "MTU", "ADDRESSES",
					  "PART" });
	for (size_t i = 0; i < hwp_nic_count(inv); i++) {
		const struct hwp_nic *n = hwp_nic_at(inv, i);
		const char *speed = n->speed_mbps.v > 0 ? arena_printf(&t->mem, "%" PRId64 " Mb/s",
								       n->speed_mbps.v)
							: "up";
		add_row(t, (const char *const[]){
				   n->name.s, n->type.s, n->mac_address.s,
				   n->has_carrier.v ? speed : "no carrier",
				   arena_printf(&t->mem, "%" PRId64, n->mtu.v),
				   joined(&t->mem, &n->ipv4_addresses, &n->ipv6_addresses),
				   relation_text(&t->mem, n) });
	}
}

static void add_modules(struct text_table *t, const struct hwp_inventory *inv)
{
	size_t n = hwp_get_memory(inv) ? inv->memory.dimm_count : 0;
	add_row(t, (const char *const[]){ "MEMORY", "SIZE", "TYPE", "SPEED", "MAKER", "PART" });
	for (size_t i = 0; i < n; i++) {
		const struct hwp_dimm *d = &inv->memory.dimms[i];
		const char *size = d->size_bytes.v ? memory_text(&t->mem, d->size_bytes.v)
						   : "empty";
		const char *speed = NULL;
		if (d->speed_mts.source)
			speed = arena_printf(&t->mem, "%" PRId64 " MT/s", d->speed_mts.v);
		add_row(t, (const char *const[]){ d->locator.s, size, d->type.s, speed,
						  d->manufacturer.s, d->part_number.s });
	}
}

static void add_neighbour(struct text_table *t, const struct hwp_nic *n, const struct hwp_lldp *l)
{
	static const struct hwp_strs none;
	const char *vlan = NULL;
	if (l->port_vlan_id.source)
		vlan = arena_printf(&t->mem, "%" PRId64, l->port_vlan_id.v);
	add_row(t,
		(const char *const[]){ n->name.s, l->system_name.s, l->chassis_id.s, l->port_id.s,
				       vlan, joined(&t->mem, &l->management_addresses, &none) });
}

static void add_neighbours(struct text_table *t, const struct hwp_inventory *inv)
{
	add_row(t, (const char *const[]){ "NEIGHBOUR ON", "SYSTEM", "CHASSIS", "PORT", "VLAN",
					  "ADDRESSES" });
	for (size_t i = 0; i < hwp_nic_count(inv); i++) {
		const struct hwp_nic *n = hwp_nic_at(inv, i);
		for (size_t k = 0; k < n->lldp_count; k++)
			add_neighbour(t, n, &n->lldp[k]);
	}
}

static void add_routes(struct text_table *t, const struct hwp_inventory *inv)
{
	add_row(t, (const char *const[]){ "ROUTE", "GATEWAY", "INTERFACE", "METRIC" });
	for (size_t i = 0; i < hwp_route_count(inv); i++) {
		const struct hwp_route *r = hwp_route_at(inv, i);
		add_row(t, (const char *const[]){ arena_printf(&t->mem, "%s/%" PRId64,
							       r->destination.s, r->prefixlen.v),
						  r->gateway.s, r->interface.s,
						  arena_printf(&t->mem, "%" PRId64, r->metric.v) });
	}
}

static void add_gpus(struct text_table *t, const struct hwp_inventory *inv)
{
	add_row(t, (const char *const[]){ "GPU", "ID", "VENDOR", "NAME" });
	for (size_t i = 0; i < hwp_gpu_count(inv); i++) {
		const struct hwp_gpu *g = hwp_gpu_at(inv, i);
		const char *id = arena_printf(&t->mem, "%s:%s",
					      g->vendor_id.s ? g->vendor_id.s : "?",
					      g->device_id.s ? g->device_id.s : "?");
		add_row(t, (const char *const[]){ g->address.s, id, g->vendor.s, g->name.s });
	}
}

static const struct {
	size_t columns, right; /* a column of numbers */
	void (*add)(struct text_table *t, const struct hwp_inventory *inv);
} sections[] = {
	{ 2, COLUMNS_MAX, add_machine },
	{ 6, 1, add_modules },
	{ 6, 1, add_disks },
	{ 7, 4, add_nics },
	{ 6, 4, add_neighbours },
	{ 4, 3, add_routes },
	{ 4, COLUMNS_MAX, add_gpus },
};

char *hwp_to_text(const struct hwp_inventory *inv, unsigned width)
{
	AUTO(buf_done) struct buf out;
	if (!inv)
		return NULL;
	buf_init(&out, TEXT_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		AUTO(table_done) struct text_table t = { .columns = sections[i].columns };
		if (sections[i].right < COLUMNS_MAX)
			t.is_right[sections[i].right] = true;
		sections[i].add(&t, inv);
		/* A table with nothing but its heading is left out. */
		if (!t.n || (i > 0 && t.n == 1))
			continue;
		if ((out.len && buf_append_str(&out, "\n") < 0) || put_table(&out, &t, width) < 0)
			return NULL;
	}
	return buf_take(&out);
}
