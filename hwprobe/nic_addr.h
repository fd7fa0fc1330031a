#pragma once
/* One message of the address dump, and what follows from it and from the routes. */
#include "hwprobe/nic.h"

struct address {
	int family;
	uint32_t ifindex, flags, valid_s, preferred_s; /* UINT32_MAX = for ever */
	unsigned prefix;
	uint8_t protocol; /* IFAPROT_…; 0 = unknown */
	uint8_t bytes[16];
};

/* 4, 16; 0 = neither IPv4 nor IPv6 */
size_t address_len(int family);
bool address_is_link_local(const struct address *a);
/* 127.0.0.0/8, ::1 */
bool address_is_loopback(const struct address *a);

/* --- nic_book.c: what addresses are looked up in, read once for all of them --------------------------------------- */

/* A route on the address's link that some program or protocol has made. */
struct address_route {
	const struct rtmsg *m;
	const uint8_t *dst; /* NULL = a default route */
};

struct route_list {
	bool has_read;
	struct route_entry *v; /* in the order of the links, then of the kernel */
	size_t n;
};

/* In tmp. Starts as { .s = … }. */
struct address_book {
	struct survey *s;
	struct route_list v4, v6;
	bool has_ibft;
	struct hwp_strs ibft; /* addresses that the firmware used to boot by iSCSI */
	int64_t lease_of;     /* interface; 0 = none yet */
	char *lease, *lease_path, *manager_path;
};

/*
 * The routes on the link of @a one by one, of its family, made by the kernel, by routers' advertisements or by DHCP; start with
 * *@pos = 0. false = no more.
 */
bool address_next_route(struct address_book *b, const struct address *a, size_t *pos,
			struct address_route *ret);
/* Is @a in the route's destination, and is that not everything? */
bool address_is_in(const struct address *a, const struct address_route *r);
/* Did the firmware use it to boot by iSCSI? */
bool address_is_of_ibft(struct address_book *b, const char *text);
/* The file that says that it was leased; NULL = none. */
const char *address_lease(struct address_book *b, const struct hwp_nic *n, const char *text);

/* nic_method.c: fills protocol, method and on_link_prefix. */
void address_find_method(struct address_book *b, const struct hwp_nic *n, const struct address *a,
			 struct hwp_address *state);
