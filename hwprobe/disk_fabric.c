/* How a disk is reached: Fibre Channel, iSCSI, NVMe, channel-attached DASD, and the paths of those that have several. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/disk.h"

/* The first component of the real path that is @prefix and a number or what starts with one, in tmp ("rport-0:0-3"); NULL = none. */
static char *component(struct survey *s, const char *path, const char *prefix)
{
	for (const char *p = path; p; p = strchr(p, '/')) {
		p += *p == '/';
		size_t n = strcspn(p, "/");
		if (n > strlen(prefix) && str_starts(p, prefix) &&
		    isdigit((unsigned char)p[strlen(prefix)]))
			return arena_copy(s->tmp, p, n);
	}
	return NULL;
}

/* --- Fibre Channel: host adapter and remote port (scsi_transport_fc) -------------------------------------------- */

static void find_fc(struct survey *s, const struct block_dev *b, struct hwp_disk *d)
{
	struct hwp_fc *f = &d->fc;
	char *rport = component(s, b->real, "rport-"), *host = disk_ancestor(s, b, "host");
	if (!rport || !host)
		return;
	put_attr(s, &f->host_wwpn, NULL, "sys/class/fc_host/%s/port_name", host);
	put_attr(s, &f->host_wwnn, NULL, "sys/class/fc_host/%s/node_name", host);
	put_attr(s, &f->host_state, NULL, "sys/class/fc_host/%s/port_state", host);
	put_attr(s, &f->host_speed, NULL, "sys/class/fc_host/%s/speed", host);
	put_attr(s, &f->target_wwpn, NULL, "sys/class/fc_remote_ports/%s/port_name", rport);
	put_attr(s, &f->target_wwnn, NULL, "sys/class/fc_remote_ports/%s/node_name", rport);
	put_attr(s, &f->target_state, NULL, "sys/class/fc_remote_ports/%s/port_state", rport);
	const char *lun = d->hctl.s ? strrchr(d->hctl.s, ':') : NULL;
	int64_t n;
	if (lun && str_to_i64(lun + 1, &n) == 0)
		put_num(s, &f->lun, n, "device/scsi_device");
}

/* --- iSCSI ----------------------------------------------------------------------------------------------------- */

static void find_portal(struct survey *s, struct hwp_iscsi *i, const char *session)
{
	/* "session1" has the connections "connection1:0", … */
	char *dir = arena_printf(s->tmp, "sys/class/iscsi_connection/connection%s:0",
				 session + strlen("session"));
	if (!dir)
		return;
	char *address = attr_text(s, "%s/persistent_address", dir);
	char *port = attr_text(s, "%s/persistent_port", dir);
	if (address && port)
		put_str(s, &i->portal,
			arena_printf(s->tmp, strchr(address, ':') ? "[%s]:%s" : "%s:%s", address,
				     port),
			dir);
}

static void find_iscsi(struct survey *s, const struct block_dev *b, struct hwp_disk *d)
{
	struct hwp_iscsi *i = &d->iscsi;
	char *session = disk_ancestor(s, b, "session");
	bool has_ibft;
	if (!session)
		return;
	put_str(s, &i->session, session, "sysfs path");
	put_attr(s, &i->target, NULL, "sys/class/iscsi_session/%s/targetname", session);
	put_attr(s, &i->initiator, NULL, "sys/class/iscsi_session/%s/initiatorname", session);
	find_portal(s, i, session);
	if (i->target.s)
		put_bool(s, &i->is_boot_target, disk_is_boot_target(s, i->target.s, &has_ibft),
			 "sys/firmware/ibft");
}

/* --- NVMe ------------------------------------------------------------------------------------------------------- */

bool disk_is_ana_open(const char *state)
{
	if (state && str_starts(state, "active/"))
		state += strlen("active/");
	return !state || !strcmp(state, "optimized") || !strcmp(state, "non-optimized");
}

/* A namespace is as near as the nearest of its paths. */
static void find_best_ana(struct hwp_disk *d)
{
	static const char *const best_first[] = { "optimized", "non-optimized" };
	for (size_t k = 0; k < ARRAY_SIZE(best_first); k++) {
		for (size_t i = 0; i < d->path_count && !d->nvme.ana_state.s; i++)
			if (str_eq(d->paths[i].ana_state.s, best_first[k]))
				d->nvme.ana_state = d->paths[i].ana_state;
	}
	for (size_t i = 0; i < d->path_count && !d->nvme.ana_state.s; i++)
		d->nvme.ana_state = d->paths[i].ana_state;
}

/* Numbers of a path device, "nvme0c1n2": subsystem, controller, namespace. */
static bool parse_nvme_path(const char *name, unsigned *subsystem, unsigned *controller,
			    unsigned *ns)
{
	char rest;
	return sscanf(name, "nvme%uc%un%u%c", subsystem, controller, ns, &rest) == 3;
}

bool disk_is_nvme_path(const char *name)
{
	unsigned subsystem, controller, ns;
	return parse_nvme_path(name, &subsystem, &controller, &ns);
}

static struct hwp_path *new_path(struct survey *s, struct hwp_disk *d, const char *name)
{
	struct hwp_path *paths = (struct hwp_path *)d->paths;
	struct hwp_path *p = arena_append(s->mem, &paths, &d->path_count, sizeof(*p));
	d->paths = paths;
	if (p)
		put_str(s, &p->name, name, "sys/block");
	return p;
}

static void find_nvme_paths(struct survey *s, const struct block_map *m, const struct block_dev *b,
			    struct hwp_disk *d)
{
	unsigned subsystem, ns, x, c, y;
	char rest;
	if (sscanf(b->name, "nvme%un%u%c", &subsystem, &ns, &rest) != 2)
		return;
	for (size_t i = 0; i < m->n; i++) {
		const char *name = m->v[i].name, *dir = m->v[i].dir;
		if (!parse_nvme_path(name, &x, &c, &y) || x != subsystem || y != ns)
			continue;
		struct hwp_path *p = new_path(s, d, name);
		if (!p)
			return;
		put_str(s, &p->controller, arena_printf(s->tmp, "nvme%u", c), "sys/block");
		put_attr(s, &p->transport, NULL, "%s/device/transport", dir);
		put_attr(s, &p->address, NULL, "%s/device/address", dir);
		put_attr(s, &p->state, NULL, "%s/device/state", dir);
		put_attr(s, &p->ana_state, NULL, "%s/ana_state", dir);
	}
}

/* The subsystem is on the way to a namespace with native multipath; otherwise it is the one that has its controller. */
static void find_nvme_subsystem(struct survey *s, const struct block_dev *b, struct hwp_nvme *n)
{
	char *name = component(s, b->real, "nvme-subsys"), *controller;
	if (put_str(s, &n->subsystem, name, "sysfs path"))
		return;
	controller = component(s, b->real, "nvme");
	struct root_names all = attr_list(s, "sys/class/nvme-subsystem");
	for (size_t i = 0; controller && i < all.n; i++) {
		char *path = arena_printf(s->tmp, "sys/class/nvme-subsystem/%s/%s", all.v[i],
					  controller);
		if (path && root_exists(s->root, path))
			put_str(s, &n->subsystem, all.v[i], "sys/class/nvme-subsystem");
	}
}

static void find_nvme(struct survey *s, const struct block_map *m, const struct block_dev *b,
		      struct hwp_disk *d)
{
	struct hwp_nvme *n = &d->nvme;
	if (!str_starts(b->name, "nvme"))
		return;
	find_nvme_paths(s, m, b, d);
	put_attr(s, &n->nqn, NULL, "%s/device/subsysnqn", b->dir);
	put_attr_num(s, &n->nsid, "%s/nsid", b->dir);
	find_nvme_subsystem(s, b, n);
	if (!put_attr(s, &n->transport, NULL, "%s/device/transport", b->dir) && d->path_count)
		n->transport = d->paths[0].transport;
	if (!put_attr(s, &n->ana_state, NULL, "%s/ana_state", b->dir))
		find_best_ana(d);
}

/* --- the legs of a multipath map --------------------------------------------------------------------------------- */

static void find_multipath(struct survey *s, const struct block_map *m, const struct block_dev *b,
			   struct hwp_disk *d)
{
	struct root_names legs = { 0 };
	if (disk_is_multipath(b))
		legs = attr_list(s, "%s/slaves", b->dir);
	for (size_t i = 0; i < legs.n; i++) {
		const struct block_dev *leg = block_by_name(m, legs.v[i]);
		struct hwp_path *p = leg ? new_path(s, d, leg->name) : NULL;
		if (!p)
			continue;
		struct root_names hctl = attr_list(s, "%s/device/scsi_device", leg->dir);
		put_str(s, &p->controller, hctl.n ? hctl.v[0] : NULL, "device/scsi_device");
		put_str(s, &p->transport, disk_transport(leg), "sysfs path");
		put_attr(s, &p->state, NULL, "%s/device/state", leg->dir);
		put_attr(s, &p->ana_state, NULL, "%s/device/access_state", leg->dir); /* ALUA */
		char *rport = component(s, leg->real, "rport-");
		if (rport)
			put_attr(s, &p->address, NULL, "sys/class/fc_remote_ports/%s/port_name",
				 rport);
	}
}

/* --- DASD -------------------------------------------------------------------------------------------------------- */

static void find_dasd(struct survey *s, const struct block_dev *b, struct hwp_disk *d)
{
	struct hwp_dasd *x = &d->dasd;
	if (!str_starts(b->name, "dasd"))
		return;
	put_attr(s, &x->discipline, NULL, "%s/device/discipline", b->dir);
	put_attr(s, &x->uid, NULL, "%s/device/uid", b->dir);
	put_attr(s, &x->vendor, NULL, "%s/device/vendor", b->dir);
	put_attr(s, &x->status, NULL, "%s/device/status", b->dir);
	put_attr_bool(s, &x->ese, "%s/device/ese", b->dir);
	/* …/0.0.1234/block/dasda: the bus id of the device */
	char *real = arena_dup(s->tmp, b->real), *block = real ? strstr(real, "/block/") : NULL;
	if (!block)
		return;
	*block = '\0';
	char *id = strrchr(real, '/');
	put_str(s, &x->bus_id, id ? id + 1 : NULL, "sysfs path");
}

void disk_find_fabric(struct survey *s, const struct block_map *m, const struct block_dev *b,
		      struct hwp_disk *d)
{
	find_fc(s, b, d);
	find_iscsi(s, b, d);
	find_nvme(s, m, b, d);
	find_multipath(s, m, b, d);
	find_dasd(s, b, d);
}
