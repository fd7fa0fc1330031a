/* How an interface came by an address: the kernel does not keep it, but flags, lifetimes, routes and leases tell. */
#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/nic_addr.h"

#ifndef IFAPROT_KERNEL_LO /* Linux 5.18 */
#define IFAPROT_KERNEL_LO 1
#define IFAPROT_KERNEL_RA 2
#define IFAPROT_KERNEL_LL 3
#endif

#define IBFT_DIR "sys/firmware/ibft"

enum {
	SLAAC_PREFIX = 64
}; /* RFC 4862 5.5.3 with the interface identifiers of all link types that there are */

static bool has_route_of(struct survey *s, const struct address *a, uint8_t protocol)
{
	struct address_route r;
	for (size_t pos = 0; address_next_route(s, a, &pos, &r);)
		if (r.m->rtm_protocol == protocol && (!r.dst || address_is_in(a, &r)))
			return true;
	return false;
}

/* Did a router say that this prefix is on the link? The kernel's own routes of such a prefix are those of the address. */
static bool is_advertised(struct survey *s, const struct address *a)
{
	struct address_route r;
	for (size_t pos = 0; address_next_route(s, a, &pos, &r);)
		if (r.m->rtm_protocol == RTPROT_RA && address_is_in(a, &r))
			return true;
	return false;
}

/* The firmware's table for booting by iSCSI names the addresses that it used. */
static bool is_of_ibft(struct survey *s, const char *text)
{
	struct root_names names = attr_list(s, IBFT_DIR);
	for (size_t i = 0; i < names.n; i++) {
		char *ip = str_starts(names.v[i], "ethernet")
				   ? attr_text(s, IBFT_DIR "/%s/ip-addr", names.v[i])
				   : NULL;
		if (ip && !strcmp(ip, text))
			return true;
	}
	return false;
}

/* systemd-networkd keeps its lease by the interface's number ("ADDRESS=192.0.2.7"); NetworkManager keeps a file of each device it manages. */
static const char *lease_source(struct survey *s, const struct hwp_nic *n, const char *text)
{
	char *data = NULL, *save = NULL;
	char *path = arena_printf(s->tmp, "run/systemd/netif/leases/%lld", (long long)n->ifindex.v);
	if (path && attr_file(s, path, ROOT_TABLE_MAX, &data, NULL) == 0)
		for (char *line = strtok_r(data, "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save))
			if (str_starts(line, "ADDRESS=") &&
			    !strcmp(line + strlen("ADDRESS="), text))
				return path;
	path = arena_printf(s->tmp, "run/NetworkManager/devices/%lld", (long long)n->ifindex.v);
	return path && attr_file(s, path, ROOT_TABLE_MAX, &data, NULL) == 0 ? path : NULL;
}

static void find_v4_method(struct survey *s, const struct hwp_nic *n, const struct address *a,
			   struct hwp_address *state, const char *text)
{
	if (a->valid_s == UINT32_MAX) {
		put_str(s, &state->method, "static", "IFA_F_PERMANENT");
		return;
	}
	const char *lease = lease_source(s, n, text);
	if (lease)
		put_str(s, &state->method, "dhcp4", lease);
	else if (has_route_of(s, a, RTPROT_DHCP))
		put_str(s, &state->method, "dhcp4", "IFA_CACHEINFO, RTPROT_DHCP");
}

static void find_v6_method(struct survey *s, const struct hwp_nic *n, const struct address *a,
			   struct hwp_address *state)
{
	bool is_made_by_kernel = a->protocol == IFAPROT_KERNEL_RA ||
				 a->flags & (IFA_F_MANAGETEMPADDR | IFA_F_TEMPORARY);
	if (is_made_by_kernel)
		put_str(s, &state->method, "slaac", "IFA_PROTO, IFA_FLAGS");
	else if (a->valid_s == UINT32_MAX)
		put_str(s, &state->method, "static", "IFA_F_PERMANENT");
	else if (a->prefix == 128)
		put_str(s, &state->method, "dhcp6", "IFA_CACHEINFO");
	else if (a->prefix == SLAAC_PREFIX && is_advertised(s, a))
		put_str(s, &state->method, "slaac", "IFA_CACHEINFO, RTPROT_RA");
	else if (has_route_of(s, a, RTPROT_DHCP))
		put_str(s, &state->method, "dhcp6", "IFA_CACHEINFO, RTPROT_DHCP");
}

/* Of the neighbours' route, whoever made it: DHCPv6 gives addresses without a prefix. */
static void find_on_link_prefix(struct survey *s, const struct address *a,
				struct hwp_address *state)
{
	struct address_route r;
	for (size_t pos = 0; address_next_route(s, a, &pos, &r);) {
		bool is_on_link = r.m->rtm_protocol == RTPROT_RA ||
				  r.m->rtm_protocol == RTPROT_KERNEL;
		if (is_on_link && r.m->rtm_dst_len < 128 && address_is_in(a, &r)) {
			put_num(s, &state->on_link_prefix, r.m->rtm_dst_len, "RTM_GETROUTE");
			return;
		}
	}
}

void address_find_method(struct survey *s, const struct hwp_nic *n, const struct address *a,
			 struct hwp_address *state)
{
	static const char *const protocols[] = {
		[IFAPROT_KERNEL_LO] = "loopback",
		[IFAPROT_KERNEL_RA] = "router-advertisement",
		[IFAPROT_KERNEL_LL] = "link-local",
	};
	char text[INET6_ADDRSTRLEN];
	if (a->protocol < ARRAY_SIZE(protocols))
		put_str(s, &state->protocol, protocols[a->protocol], "IFA_PROTO");
	if (address_is_loopback(a) || !inet_ntop(a->family, a->bytes, text, sizeof(text)))
		return;
	if (address_is_link_local(a))
		put_str(s, &state->method, "link-local", "RTM_GETADDR");
	else if (is_of_ibft(s, text))
		put_str(s, &state->method, "ibft", IBFT_DIR);
	else if (a->family == AF_INET)
		find_v4_method(s, n, a, state, text);
	else
		find_v6_method(s, n, a, state);
	if (a->family == AF_INET6 && !address_is_link_local(a))
		find_on_link_prefix(s, a, state);
}
