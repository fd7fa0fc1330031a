#pragma once
/*
 * IP addresses and networks as hosts report them: "192.0.2.5/24", "2001:db8::1/64", "192.0.2.5".
 */
#include <stdbool.h>
#include <stdint.h>

struct cidr {
	uint8_t bytes[16]; /* network order; IPv4 uses the first four */
	unsigned bits;     /* of the prefix: 0–32 or 0–128 */
	bool is_v6;
};

/* "ADDRESS/BITS", or "ADDRESS" (then the whole address is the prefix). 0 or -EINVAL. */
int cidr_parse(const char *text, struct cidr *ret);
/* Is the address of @a in the network of @net? Families must match. */
bool cidr_contains(const struct cidr *net, const struct cidr *a);
/* Do the two networks share an address? */
bool cidr_overlaps(const struct cidr *a, const struct cidr *b);
/* The same address, whatever the prefixes say? */
bool cidr_same_address(const struct cidr *a, const struct cidr *b);
/* Is the text an IP address (no prefix)? */
bool cidr_is_address(const char *text);
