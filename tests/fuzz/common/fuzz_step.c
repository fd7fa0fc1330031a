/* What a service answers to a poll, and the argument of an install step. */
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/wire/step.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void install_cmd(const char *text)
{
	struct install_cmd cmd = { 0 };
	AUTO(json_decrefp) json_t *v = json_parse(text, strlen(text), 1 << 16, true, NULL);
	if (v && json_map_decode(install_cmd_fields, v, &cmd, 0, NULL) == 0) {
		AUTO(json_decrefp) json_t *back = json_map_encode(install_cmd_fields, &cmd);
		if (!back)
			abort();
	}
	json_map_done(install_cmd_fields, &cmd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(json_decrefp) json_t *v = json_parse((const char *)data, size, 1 << 16, true, NULL);
	struct steps s = { 0 };
	struct fault err = FAULT_INIT;
	if (!v)
		return 0;
	if (steps_decode(v, &s, &err) < 0) {
		if (!err.text[0] || s.v)
			abort();
		return 0;
	}
	if (s.n > STEPS_MAX)
		abort();
	for (size_t i = 0; i < s.n; i++) {
		(void)step_type_parse(s.v[i].step_type);
		for (size_t k = 0; k < s.v[i].args.n; k++)
			install_cmd(s.v[i].args.v[k]);
	}
	steps_done(&s);
	return 0;
}
