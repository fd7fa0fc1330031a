#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/probe.h"

/*
 * Names that say nothing about the machine: replaced by a MAC address. "(none)" is what the kernel calls itself before anybody
 * has named it (CONFIG_DEFAULT_HOSTNAME); no service would take it for a name.
 */
static const char *const no_names[] = {
	"localhost",  "localhost.localdomain",   "localhost4", "localhost4.localdomain4",
	"localhost6", "localhost6.localdomain6", "(none)",
};

static bool is_no_name(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_SIZE(no_names); i++)
		if (!strcmp(name, no_names[i]))
			return true;
	return false;
}

/* Go's IsGlobalUnicast(): private and unique local addresses count. @text: "address/prefix". */
static bool is_global_unicast(const char *text)
{
	char host[INET6_ADDRSTRLEN];
	struct in_addr v4;
	struct in6_addr v6;
	if (!str_copy(host, sizeof(host), text) && !strchr(host, '/'))
		return false;
	host[strcspn(host, "/")] = '\0';
	if (inet_pton(AF_INET, host, &v4) == 1) {
		uint32_t a = ntohl(v4.s_addr);
		return a != 0 && a != 0xffffffff && (a >> 24) != 127 && (a >> 28) != 14 &&
		       (a >> 16) != 0xa9fe;
	}
	return inet_pton(AF_INET6, host, &v6) == 1 && !IN6_IS_ADDR_UNSPECIFIED(&v6) &&
	       !IN6_IS_ADDR_LOOPBACK(&v6) && !IN6_IS_ADDR_MULTICAST(&v6) &&
	       !IN6_IS_ADDR_LINKLOCAL(&v6);
}

static bool has_global_address(const struct hwp_nic *n)
{
	for (size_t i = 0; i < n->ipv4_addresses.n; i++)
		if (is_global_unicast(n->ipv4_addresses.v[i]))
			return true;
	for (size_t i = 0; i < n->ipv6_addresses.n; i++)
		if (is_global_unicast(n->ipv6_addresses.v[i]))
			return true;
	return false;
}

static bool can_name_the_host(const struct hwp_nic *n)
{
	static const char *const types[] = { "physical", "vlan", "bond" };
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (str_eq(n->type.s, types[i]))
			return n->mac_address.s && has_global_address(n);
	return false;
}

static const struct hwp_nic *first_by_name(struct survey *s)
{
	const struct hwp_nic *first = NULL;
	for (size_t i = 0; i < s->inv->nic_count; i++) {
		const struct hwp_nic *n = &s->inv->nics[i];
		if (can_name_the_host(n) && (!first || strcmp(n->name.s, first->name.s) < 0))
			first = n;
	}
	return first;
}

static void name_after_nic(struct survey *s)
{
	if (!(s->done & HWP_NICS)) {
		probe_nics.run(s);
		s->done |= HWP_NICS;
	}
	const struct hwp_nic *n = first_by_name(s);
	char *name = n ? arena_dup(s->tmp, n->mac_address.s) : NULL;
	for (char *p = name; p && *p; p++)
		*p = *p == ':' ? '-' : (char)tolower((unsigned char)*p);
	put_str(s, &s->inv->hostname, name, "interface MAC");
}

static void run(struct survey *s)
{
	struct hwp_str *name = &s->inv->hostname;
	if (!put_attr(s, name, NULL, "proc/sys/kernel/hostname"))
		put_str(s, name, survey_uname(s, 1), "uname");
	if (is_no_name(name->s))
		name_after_nic(s);
}

const struct probe probe_hostname = { .name = "hostname", .part = HWP_HOSTNAME, .run = run };
