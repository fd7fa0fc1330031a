/*
 * A user's Ignition document: what is accepted must merge into both documents that the service makes, and the result is accepted again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "service/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void merge(const char *text)
{
	struct rule_config config;
	struct infra_env ie = { .id = "0b1e1111-2222-4333-8444-555566667777",
				.ignition_config_override = (char *)text };
	struct cluster cluster = { .api_vip_dns_name = (char *)"192.0.2.1" };
	struct host h = { .id = "h", .ignition_config_overrides = (char *)text };
	struct rule_ctx ctx = {
		.infra_env = &ie, .cluster = &cluster, .now_us = 1, .config = &config
	};
	AUTO(freep) char *discovery = NULL;
	AUTO(freep) char *target = NULL;

	rule_config_init(&config);
	if (ignition_discovery(&ie, &config, "https://s", "t", "CA", true, &discovery, NULL) == 0 &&
	    ignition_check(discovery, NULL) != 0)
		abort();
	if (ignition_target(&ctx, &h, &target, NULL) == 0 && ignition_check(target, NULL) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(freep) char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (ignition_check(text, NULL) == 0)
		merge(text);
	return 0;
}
