/*
 * A reply to a step, as JSON text: it is refused or applied, and what it left in the host can be read by the other rules.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/json_map.h"
#include "service/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum host_status states[] = { HOST_KNOWN, HOST_INSTALLING,
						   HOST_KNOWN_UNBOUND };
	struct infra_env ie = { 0 };
	struct cluster cluster = { .name = (char *)"c", .base_dns_domain = (char *)"example.com" };
	struct rule_config config;
	AUTO(json_decrefp)
	json_t *reply = json_parse((const char *)data, size, 1u << 20, true, NULL);

	if (!json_is_object(reply))
		return 0;
	rule_config_init(&config);
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		struct host h = { .id = "h", .status = states[i] };
		struct rule_ctx ctx = { .infra_env = &ie,
					.cluster = states[i] == HOST_KNOWN_UNBOUND ? NULL
										   : &cluster,
					.now_us = 1,
					.config = &config };
		const char *event = NULL;
		bool changed;
		(void)host_reply_apply(&ctx, &h, reply, &event, NULL);
		(void)host_refresh(&ctx, &h, &changed, NULL);
		json_decref(host_instructions(&ctx, &h, NULL));
		host_done(&h);
	}
	return 0;
}
