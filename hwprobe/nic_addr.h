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

bool address_is_link_local(const struct address *a);
/* 127.0.0.0/8, ::1 */
bool address_is_loopback(const struct address *a);
/* A route on the address's link that some program or protocol has made. */
struct address_route {
	const struct rtmsg *m;
	const uint8_t *dst; /* NULL = a default route */
};
/* The routes on the link of @a one by one, of its family; start with *@pos = 0. false = no more. */
bool address_next_route(struct survey *s, const struct address *a, size_t *pos,
			struct address_route *ret);
/* Is @a in the route's destination, and is that not everything? */
bool address_is_in(const struct address *a, const struct address_route *r);

/* nic_method.c: fills protocol, method and on_link_prefix. */
void address_find_method(struct survey *s, const struct hwp_nic *n, const struct address *a,
			 struct hwp_address *state);
