#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/netdump.h"
#include "hwprobe/nic_addr.h"

#define IBFT_DIR "sys/firmware/ibft"

/* --- routes: there may be tens of thousands of them and of addresses ---------------------------------------------- */

struct route_entry {
	uint32_t ifindex;
	size_t order; /* of the kernel */
	struct address_route route;
};

/* Those of other programs say nothing about addresses. */
static bool is_telling(const struct rtmsg *m)
{
	return m->rtm_protocol == RTPROT_KERNEL || m->rtm_protocol == RTPROT_RA ||
	       m->rtm_protocol == RTPROT_DHCP;
}

static bool parse_route(struct nlmsghdr *h, int family, struct route_entry *ret)
{
	struct nlattr *tb[RTA_MAX + 1];
	const struct rtmsg *m = NLMSG_DATA(h);
	if (h->nlmsg_type != RTM_NEWROUTE || h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)) ||
	    m->rtm_family != family || !is_telling(m) || !netdump_attrs(h, sizeof(*m), tb, RTA_MAX))
		return false;
	size_t len = address_len(family);
	bool has_dst = tb[RTA_DST] && (size_t)nla_len(tb[RTA_DST]) >= len;
	if (m->rtm_dst_len > len * 8 || (m->rtm_dst_len && !has_dst))
		return false;
	*ret = (struct route_entry){
		.ifindex = nlattr_u32(tb[RTA_OIF], 0),
		.route = { m, m->rtm_dst_len ? nla_data(tb[RTA_DST]) : NULL },
	};
	return true;
}

static int by_link(const void *a, const void *b)
{
	const struct route_entry *x = a, *y = b;
	if (x->ifindex != y->ifindex)
		return x->ifindex < y->ifindex ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

static void read_routes(struct survey *s, int family, struct route_list *l)
{
	const struct netdump *d =
		survey_netdump(s, family == AF_INET ? NETDUMP_ROUTE4 : NETDUMP_ROUTE6);
	size_t pos = 0;
	l->has_read = true;
	for (struct nlmsghdr *h; d && (h = netdump_next(d, &pos));) {
		struct route_entry found;
		if (!parse_route(h, family, &found))
			continue;
		struct route_entry *e = arena_append(s->tmp, &l->v, &l->n, sizeof(*e));
		if (!e)
			break;
		*e = found;
		e->order = l->n;
	}
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_link);
}

/* The first entry that is of @ifindex or of one behind it. */
static size_t first_of(const struct route_list *l, uint32_t ifindex)
{
	size_t low = 0, high = l->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (l->v[middle].ifindex < ifindex)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool address_next_route(struct address_book *b, const struct address *a, size_t *pos,
			struct address_route *ret)
{
	struct route_list *l = a->family == AF_INET ? &b->v4 : &b->v6;
	if (!l->has_read)
		read_routes(b->s, a->family, l);
	size_t i = *pos ? *pos : first_of(l, a->ifindex);
	if (i >= l->n || l->v[i].ifindex != a->ifindex)
		return false;
	*ret = l->v[i].route;
	*pos = i + 1;
	return true;
}

static bool has_prefix(const uint8_t *address, const uint8_t *net, unsigned prefix)
{
	unsigned bytes = prefix / 8, bits = prefix % 8;
	if (memcmp(address, net, bytes))
		return false;
	return !bits || ((address[bytes] ^ net[bytes]) & (uint8_t)(0xff00 >> bits)) == 0;
}

bool address_is_in(const struct address *a, const struct address_route *r)
{
	return r->dst && has_prefix(a->bytes, r->dst, r->m->rtm_dst_len);
}

/* --- files -------------------------------------------------------------------------------------------------------- */

/* The firmware's table for booting by iSCSI names the addresses that it used. */
static void read_ibft(struct address_book *b)
{
	struct root_names names = attr_list(b->s, IBFT_DIR);
	b->has_ibft = true;
	for (size_t i = 0; i < names.n; i++) {
		char *ip = str_starts(names.v[i], "ethernet")
				   ? attr_text(b->s, IBFT_DIR "/%s/ip-addr", names.v[i])
				   : NULL;
		const char **slot =
			ip ? arena_append(b->s->tmp, &b->ibft.v, &b->ibft.n, sizeof(*slot)) : NULL;
		if (slot)
			*slot = ip;
	}
}

bool address_is_of_ibft(struct address_book *b, const char *text)
{
	if (!b->has_ibft)
		read_ibft(b);
	for (size_t i = 0; i < b->ibft.n; i++)
		if (!strcmp(b->ibft.v[i], text))
			return true;
	return false;
}

/* systemd-networkd keeps its lease by the interface's number ("ADDRESS=192.0.2.7"); NetworkManager keeps a file of each device it manages. */
static void read_leases(struct address_book *b, const struct hwp_nic *n)
{
	struct survey *s = b->s;
	char *ignored;
	long long number = n->ifindex.v;
	b->lease_of = number;
	b->lease = NULL;
	b->lease_path = arena_printf(s->tmp, "run/systemd/netif/leases/%lld", number);
	if (b->lease_path)
		(void)attr_file(s, b->lease_path, ROOT_TABLE_MAX, &b->lease, NULL);
	b->manager_path = arena_printf(s->tmp, "run/NetworkManager/devices/%lld", number);
	if (b->manager_path && attr_file(s, b->manager_path, ROOT_TABLE_MAX, &ignored, NULL) < 0)
		b->manager_path = NULL;
}

/* Does the lease say "ADDRESS=@text"? */
static bool has_address(const char *lease, const char *text)
{
	static const char key[] = "ADDRESS=";
	for (const char *line = lease; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		size_t len = strcspn(line, "\n");
		if (str_starts(line, key) && len == strlen(key) + strlen(text) &&
		    !strncmp(line + strlen(key), text, strlen(text)))
			return true;
	}
	return false;
}

const char *address_lease(struct address_book *b, const struct hwp_nic *n, const char *text)
{
	if (b->lease_of != n->ifindex.v)
		read_leases(b, n);
	return has_address(b->lease, text) ? b->lease_path : b->manager_path;
}
