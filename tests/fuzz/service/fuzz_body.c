/* Request bodies, against every schema that a route has: the first byte chooses. */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include "service/body.h"
#include "service/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct route *const tables[] = {
	v2_infraenv_routes, v2_cluster_routes, v2_host_routes, v2_host_config_routes,
	v2_step_routes,     v2_event_routes,   NULL,
};

static const struct body_schema *schema_at(size_t want)
{
	size_t n = 0;

	for (size_t k = 0; tables[k]; k++) {
		for (const struct route *r = tables[k]; r->method; r++) {
			if (r->body && n++ == want)
				return r->body;
		}
	}
	return n ? schema_at(want % n) : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *v = NULL;

	if (!size)
		return 0;
	struct fault err = FAULT_INIT;
	int r = body_parse(schema_at(data[0]), (const char *)data + 1, size - 1, &v, &err);
	if ((r == 0) != (v != NULL) || (r < 0 && !err.text[0]))
		abort();
	json_decref(v);
	return 0;
}
