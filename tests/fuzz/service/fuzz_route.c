/* "METHOD PATH": matching and parameters. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "service/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct route *const tables[] = {
	v2_infraenv_routes,
	v2_download_routes,
	v2_cluster_routes,
	v2_host_routes,
	v2_host_config_routes,
	v2_step_routes,
	v2_event_routes,
	v2_misc_routes,
	image_routes,
	v2_unserved_routes,
	NULL,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct route_tree *tree;
	char *text = malloc(size + 1), allow[128];
	struct request *r = calloc(1, sizeof(*r));

	if (!text || !r || route_tree_new(tables, &tree) < 0)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	char *path = strchr(text, ' ');
	if (path) {
		*path++ = '\0';
		if (route_find(tree, text, path, r, allow) == ROUTE_FOUND) {
			struct fault err = FAULT_INIT;
			if (route_check_params(r, &err) < 0 && !err.text[0])
				abort();
			if (strlen(request_param(r, "host_id")) > 255)
				abort();
		} else if (strlen(allow) >= sizeof(allow)) {
			abort();
		}
	}
	route_tree_free(tree);
	free(r);
	free(text);
	return 0;
}
