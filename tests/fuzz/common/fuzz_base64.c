/* base64 and hex: a value has one text only, so what is decoded must be encoded to the same. */
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(const char *text, size_t len,
		       int (*decode)(const char *, size_t, void **, size_t *),
		       char *(*encode)(const void *, size_t))
{
	AUTO(freep) void *plain = NULL;
	size_t plain_len;
	if (decode(text, len, &plain, &plain_len) < 0)
		return;
	AUTO(freep) char *again = encode(plain, plain_len);
	if (strlen(again) != len || memcmp(again, text, len) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	round_trip(text, size, base64_decode, base64_encode);
	round_trip(text, size, base64url_decode, base64url_encode);

	AUTO(freep) char *string = malloc(size + 1);
	memcpy(string, data, size);
	string[size] = '\0';
	AUTO(freep) uint8_t *bytes = malloc(size / 2 + 1);
	if (hex_decode(string, bytes, size / 2) == 0 && strlen(string) % 2)
		abort();
	AUTO(freep) char *hex = malloc(2 * size + 1);
	AUTO(freep) uint8_t *back = malloc(size + 1);
	hex_encode(data, size, hex);
	if (hex_decode(hex, back, size) < 0 || memcmp(back, data, size) != 0)
		abort();
	return 0;
}
