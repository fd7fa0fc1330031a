/* The strict parsers of str.h: what is accepted must come back as the same text from the formatter. */
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void numbers(const char *text)
{
	uint64_t u = 0;
	int64_t i = 0;
	bool b;
	if (str_to_u64(text, &u) == 0) {
		AUTO(freep) char *back = str_printf("%llu", (unsigned long long)u);
		check(strlen(back) <= strlen(text) && str_ends(text, back));
	}
	if (str_to_i64(text, &i) == 0)
		check(i < 0 || str_to_u64(*text == '-' ? text + 1 : text, &u) == 0);
	(void)str_to_bool(text, &b);
	(void)str_to_size(text, &u);
	(void)str_to_ms(text, &u);
	check(!uuid_is_valid(text) || strlen(text) == UUID_LEN);
	check(!mac_is_valid(text) || strlen(text) == MAC_LEN);
}

static void times(const char *text)
{
	int64_t us, again;
	char out[TIME_TEXT_LEN];
	if (time_parse(text, &us) < 0)
		return;
	time_format_ms(us, out);
	check(time_parse(out, &again) == 0);
	time_format_nano(us, out);
	/* an offset may lead out of the four-digit years: cut off there */
	check(time_parse(out, &again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(freep) char *text = malloc(size + 1);
	memcpy(text, data, size);
	text[size] = '\0';
	numbers(text);
	times(text);
	AUTO(freep) char *url = url_encode(text, size % 2);
	check(str_is_text(url));
	bool was_text = str_is_text(text);
	AUTO(freep) char *copy = str_dup(text);
	str_make_utf8(copy);
	check(strlen(copy) == strlen(text));
	check(!was_text || str_eq(copy, text));
	str_trim(copy);
	return 0;
}
