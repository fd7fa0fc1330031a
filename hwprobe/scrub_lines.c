#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/scrub.h"

void scrub_learn_drivers(struct scrub *s, const char *data, size_t len)
{
	static const char key[] = " permaddr ";
	for (const char *line = data, *end; line < data + len; line = end + 1) {
		end = memchr(line, '\n', (size_t)(data + len - line));
		end = end ? end : data + len;
		const char *at = memmem(line, (size_t)(end - line), key, strlen(key));
		if (at)
			scrub_add_hwaddr_text(s, at + strlen(key));
	}
}

size_t scrub_ip_text(const struct scrub *s, char *data, size_t len)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t ip[16];
	size_t n = strcspn(data, " \n");
	int family = memchr(data, ':', n) ? AF_INET6 : AF_INET;
	snprintf(text, sizeof(text), "%.*s", (int)MIN_OF(n, sizeof(text) - 1), data);
	if (inet_pton(family, text, ip) != 1) {
		scrub_apply_in_place(s, data, len);
		return len;
	}
	scrub_ip(s, ip, family == AF_INET ? 4 : 16, 128);
	inet_ntop(family, ip, text, sizeof(text));
	return (size_t)snprintf(data, SCRUB_ROOM, "%s\n", text);
}

/* The new text may be longer; there is room where the rest of the lease was. */
size_t scrub_lease(const struct scrub *s, char *data, size_t len)
{
	static const char key[] = "ADDRESS=";
	char text[INET_ADDRSTRLEN] = "", line[64];
	uint8_t ip[4];
	for (char *p = data, *end; *p; p = *end ? end + 1 : end) {
		end = strchrnul(p, '\n');
		if (str_starts(p, key))
			snprintf(text, sizeof(text), "%.*s",
				 (int)MIN_OF((size_t)(end - p) - strlen(key), sizeof(text) - 1),
				 p + strlen(key));
	}
	if (inet_pton(AF_INET, text, ip) != 1)
		return 0;
	scrub_ip(s, ip, sizeof(ip), 128);
	inet_ntop(AF_INET, ip, text, sizeof(text));
	size_t n = (size_t)snprintf(line, sizeof(line), "%s%s\n", key, text);
	if (n > len)
		return 0;
	memcpy(data, line, n);
	return n;
}
