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
