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

enum {
	SLAAC_PREFIX = 64
}; /* RFC 4862 5.5.3 with the interface identifiers of all link types that there are */

static bool has_route_of(struct address_book *b, const struct address *a, uint8_t protocol)
{
	struct address_route r;
	for (size_t pos = 0; address_next_route(b, a, &pos, &r);)
		if (r.m->rtm_protocol == protocol && (!r.dst || address_is_in(a, &r)))
			return true;
	return false;
}

/* Did a router say that this prefix is on the link? The kernel's own routes of such a prefix are those of the address. */
static bool is_advertised(struct address_book *b, const struct address *a)
{
	struct address_route r;
	for (size_t pos = 0; address_next_route(b, a, &pos, &r);)
		if (r.m->rtm_protocol == RTPROT_RA && address_is_in(a, &r))
			return true;
	return false;
}

static void find_v4_method(struct address_book *b, const struct hwp_nic *n, const struct address *a,
			   struct hwp_address *state, const char *text)
{
	struct survey *s = b->s;
	if (a->valid_s == UINT32_MAX) {
		put_str(s, &state->method, "static", "IFA_F_PERMANENT");
		return;
	}
	const char *lease = address_lease(b, n, text);
	if (lease)
		put_str(s, &state->method, "dhcp4", lease);
	else if (has_route_of(b, a, RTPROT_DHCP))
		put_str(s, &state->method, "dhcp4", "IFA_CACHEINFO, RTPROT_DHCP");
}

static void find_v6_method(struct address_book *b, const struct address *a,
			   struct hwp_address *state)
{
	struct survey *s = b->s;
	bool is_made_by_kernel = a->protocol == IFAPROT_KERNEL_RA ||
				 a->flags & (IFA_F_MANAGETEMPADDR | IFA_F_TEMPORARY);
	if (is_made_by_kernel)
		put_str(s, &state->method, "slaac", "IFA_PROTO, IFA_FLAGS");
	else if (a->valid_s == UINT32_MAX)
		put_str(s, &state->method, "static", "IFA_F_PERMANENT");
	else if (a->prefix == 128)
		put_str(s, &state->method, "dhcp6", "IFA_CACHEINFO");
	else if (a->prefix == SLAAC_PREFIX && is_advertised(b, a))
		put_str(s, &state->method, "slaac", "IFA_CACHEINFO, RTPROT_RA");
	else if (has_route_of(b, a, RTPROT_DHCP))
		put_str(s, &state->method, "dhcp6", "IFA_CACHEINFO, RTPROT_DHCP");
}

/* Of the neighbours' route, whoever made it: DHCPv6 gives addresses without a prefix. */
static void find_on_link_prefix(struct address_book *b, const struct address *a,
				struct hwp_address *state)
{
	struct address_route r;
	for (size_t pos = 0; address_next_route(b, a, &pos, &r);) {
		bool is_on_link = r.m->rtm_protocol == RTPROT_RA ||
				  r.m->rtm_protocol == RTPROT_KERNEL;
		if (is_on_link && r.m->rtm_dst_len < 128 && address_is_in(a, &r)) {
			put_num(b->s, &state->on_link_prefix, r.m->rtm_dst_len, "RTM_GETROUTE");
			return;
		}
	}
}

void address_find_method(struct address_book *b, const struct hwp_nic *n, const struct address *a,
			 struct hwp_address *state)
{
	struct survey *s = b->s;
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
	else if (address_is_of_ibft(b, text))
		put_str(s, &state->method, "ibft", "sys/firmware/ibft");
	else if (a->family == AF_INET)
		find_v4_method(b, n, a, state, text);
	else
		find_v6_method(b, a, state);
	if (a->family == AF_INET6 && !address_is_link_local(a))
		find_on_link_prefix(b, a, state);
}
