/*
 * A posted inventory: whatever it is, it is refused whole or stored clean, and the validations can read what was stored.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "service/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const struct rule_ctx *ctx, struct host *h)
{
	struct validations list;
	bool changed;

	if (host_validate(ctx, h, &list, NULL) == 0) {
		free(validations_text(&list));
		validations_done(&list);
	}
	(void)host_refresh(ctx, h, &changed, NULL);
	json_decref(host_instructions(ctx, h, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct infra_env ie = { .openshift_version = (char *)"4.18" };
	struct cluster cluster = {
		.name = (char *)"c",
		.extra = (char *)"{\"machine_networks\":[{\"cidr\":\"192.0.2.0/24\"}]}"
	};
	struct rule_config config;
	struct fault err = { 0 };

	rule_config_init(&config);
	for (int bound = 0; bound < 2; bound++) {
		struct host h = { .id = "h",
				  .status = bound ? HOST_INSUFFICIENT : HOST_DISCOVERING_UNBOUND };
		struct rule_ctx ctx = { .infra_env = &ie,
					.cluster = bound ? &cluster : NULL,
					.now_us = 1,
					.config = &config };
		int r = inventory_apply(&ctx, &h, (const char *)data, size, &err);
		if (r == 0 && !h.inventory)
			abort();
		look(&ctx, &h);
		h.status = HOST_INSTALLING;
		json_decref(host_instructions(&ctx, &h, NULL));
		host_done(&h);
	}
	return 0;
}
