/* Configuration files: every refusal names file and line. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf.h"
#include "common/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sample {
	char *first, *url, *token;
	bool installed;
	uint64_t created, size, interval_ms;
};

static const struct conf_key keys[] = {
	{ "", "first", CONF_STR, offsetof(struct sample, first) },
	{ "agent", "url", CONF_STR, offsetof(struct sample, url) },
	{ "agent", "token_file", CONF_STR, offsetof(struct sample, token) },
	{ "agent", "installed", CONF_BOOL, offsetof(struct sample, installed) },
	{ "agent", "created", CONF_U64, offsetof(struct sample, created) },
	{ "limits", "size", CONF_SIZE, offsetof(struct sample, size) },
	{ "limits", "interval", CONF_MS, offsetof(struct sample, interval_ms) },
	{ .key = NULL },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sample s = { 0 };
	struct fault err = FAULT_INIT;
	int r = conf_parse("agent.conf", (const char *)data, size, keys, &s, &err);
	if (r < 0 && !str_starts(err.text, "agent.conf"))
		abort();
	if (r == 0 && s.url && !str_is_text(s.url))
		abort();
	conf_done(keys, &s);
	return 0;
}
