/* The links by number: their names, and where sysfs shows them. */
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/netdump.h"
#include "hwprobe/nic.h"

#define NET_DIR "sys/class/net"
#define UDEV_DIR "run/udev/data"

enum { LOOKS_MAX = 3 }; /* one may be renamed or gone by now */

struct link_entry {
	uint32_t ifindex;
	const char *name;             /* the kernel's bytes */
	const struct nlattr *address; /* in the dump; NULL = none */
};

/* Every route names a link, and there may be thousands of both: looked up by halving. */
struct link_table {
	struct link_entry *v;
	size_t n;
	bool is_elsewhere; /* sysfs shows another network namespace */
	bool has_udev;
};

static int by_number(const void *a, const void *b)
{
	const struct link_entry *x = a, *y = b;
	return (x->ifindex > y->ifindex) - (x->ifindex < y->ifindex);
}

static void read_links(struct survey *s, struct link_table *t)
{
	const struct netdump *d = survey_netdump(s, NETDUMP_LINK);
	size_t pos = 0;
	for (struct nlmsghdr *h; d && (h = netdump_next(d, &pos));) {
		struct nlattr *tb[IFLA_MAX + 1];
		char name[64];
		const struct ifinfomsg *m = NLMSG_DATA(h);
		if (h->nlmsg_type != RTM_NEWLINK || !netdump_attrs(h, sizeof(*m), tb, IFLA_MAX))
			continue;
		struct link_entry *e = arena_append(s->tmp, &t->v, &t->n, sizeof(*e));
		if (!e)
			break;
		e->ifindex = (uint32_t)m->ifi_index;
		e->name = arena_dup(s->tmp, nlattr_text(tb[IFLA_IFNAME], name, sizeof(name)));
		e->address = tb[IFLA_ADDRESS];
	}
	if (t->n)
		qsort(t->v, t->n, sizeof(*t->v), by_number);
}

/*
 * A mount of sysfs shows the network namespace that it was made in, and a link is in one namespace only: so it shows all of these
 * links or none. A name may be there all the same; another link has it, with another address.
 */
static bool is_elsewhere(struct survey *s, const struct link_table *t)
{
	int looks = 0;
	for (size_t i = 0; i < t->n && looks < LOOKS_MAX; i++) {
		const struct link_entry *e = &t->v[i];
		char mac[64];
		if (!e->name || !e->address ||
		    !mac_text(nla_data(e->address), (size_t)nla_len(e->address), mac, sizeof(mac)))
			continue;
		const char *text = attr_text(s, NET_DIR "/%s/address", e->name);
		if (str_eq(text, mac))
			return false;
		looks += text || s->root->is_live; /* a record may not have it */
	}
	return looks > 0;
}

static const struct link_table *links_of(struct survey *s)
{
	if (s->links)
		return s->links;
	struct link_table *t = arena_alloc(s->tmp, sizeof(*t));
	if (!t)
		return NULL;
	s->links = t;
	read_links(s, t);
	t->is_elsewhere = is_elsewhere(s, t);
	t->has_udev = !t->is_elsewhere && !(s->opt->flags & HWP_NO_UDEV) &&
		      root_exists(s->root, UDEV_DIR);
	return t;
}

const char *link_name(struct survey *s, uint32_t ifindex)
{
	const struct link_entry key = { .ifindex = ifindex };
	const struct link_table *t = links_of(s);
	if (!t || !t->n)
		return NULL;
	const struct link_entry *e = bsearch(&key, t->v, t->n, sizeof(key), by_number);
	return e ? e->name : NULL;
}

char *nic_dir(struct survey *s, const struct hwp_nic *n)
{
	const struct link_table *t = links_of(s);
	const char *name = link_name(s, (uint32_t)n->ifindex.v);
	return name && !t->is_elsewhere ? arena_printf(s->tmp, NET_DIR "/%s", name) : NULL;
}

char *nic_udev_record(struct survey *s, const struct hwp_nic *n)
{
	const struct link_table *t = links_of(s);
	return t && t->has_udev ? arena_printf(s->tmp, UDEV_DIR "/n%lld", (long long)n->ifindex.v)
				: NULL;
}
