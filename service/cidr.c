#include "service/cidr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"

int cidr_parse(const char *text, struct cidr *ret)
{
	char address[INET6_ADDRSTRLEN + 1];
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	if (len >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, len);
	address[len] = '\0';

	struct cidr c = { 0 };
	c.is_v6 = strchr(address, ':') != NULL;
	if (inet_pton(c.is_v6 ? AF_INET6 : AF_INET, address, c.bytes) != 1)
		return -EINVAL;

	uint64_t most = c.is_v6 ? 128 : 32, bits = most;
	if (slash && (str_to_u64(slash + 1, &bits) < 0 || bits > most))
		return -EINVAL;
	c.bits = (unsigned)bits;
	*ret = c;
	return 0;
}

static bool same_prefix(const struct cidr *a, const struct cidr *b, unsigned bits)
{
	if (a->is_v6 != b->is_v6 || memcmp(a->bytes, b->bytes, bits / 8) != 0)
		return false;
	unsigned rest = bits % 8;
	if (!rest)
		return true;
	uint8_t mask = (uint8_t)(0xff << (8 - rest));
	return (a->bytes[bits / 8] & mask) == (b->bytes[bits / 8] & mask);
}

bool cidr_contains(const struct cidr *net, const struct cidr *a)
{
	return same_prefix(net, a, net->bits);
}

bool cidr_overlaps(const struct cidr *a, const struct cidr *b)
{
	return same_prefix(a, b, MIN_OF(a->bits, b->bits));
}

bool cidr_same_address(const struct cidr *a, const struct cidr *b)
{
	return same_prefix(a, b, a->is_v6 ? 128 : 32);
}

bool cidr_is_address(const char *text)
{
	uint8_t bytes[16];

	return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}
