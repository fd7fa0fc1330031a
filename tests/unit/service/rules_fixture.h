#pragma once
/*
 * One infra-env, one cluster, one host, and the smallest inventory that is enough: what the tests of the rules change in one place each.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/fd.h"
#include "common/json_map.h"
#include "common/str.h"
#include "service/rules.h"

#define FIX_NOW_US 1790000000000000ll
#define FIX_HOST_ID "5f0c1111-2222-4333-8444-555566667777"
#define FIX_IE_ID "0b1e1111-2222-4333-8444-555566667777"
#define FIX_CLUSTER_ID "77d01111-2222-4333-8444-555566667777"

struct fixture {
	struct infra_env ie;
	struct cluster cluster;
	struct host host;
	struct rule_config config;
	struct rule_ctx ctx;
};

static const char fix_inventory[] =
	"{\"hostname\":\"w1\",\"cpu\":{\"count\":2,\"architecture\":\"x86_64\"},"
	"\"memory\":{\"physical_bytes\":8485076992,\"physical_bytes_method\":\"dmidecode\"},"
	"\"boot\":{\"current_boot_mode\":\"uefi\"},\"system_vendor\":{\"product_name\":\"EX-1\"},\"tpm_version\":\"none\","
	"\"disks\":[{\"name\":\"vda\",\"path\":\"/dev/vda\",\"id\":\"/dev/disk/by-id/d1\",\"by_path\":\"/dev/disk/by-path/p1\","
	"\"drive_type\":\"SSD\",\"size_bytes\":100000000000,\"installation_eligibility\":{\"eligible\":true}}],"
	"\"interfaces\":[{\"name\":\"eth0\",\"type\":\"physical\",\"mac_address\":\"52:54:00:00:00:01\",\"ipv4_addresses\":[\"192.0.2.5/24\"]}],"
	"\"routes\":[{\"interface\":\"eth0\",\"destination\":\"0.0.0.0\",\"gateway\":\"192.0.2.1\",\"family\":2}]}";

static inline void fix_init(struct fixture *f, bool bound)
{
	memset(f, 0, sizeof(*f));
	rule_config_init(&f->config);
	f->config.agent_image = "registry.example.com/agent:1";
	f->config.installer_image = "registry.example.com/installer:1";
	f->config.controller_image = "registry.example.com/controller:1";
	strcpy(f->ie.id, FIX_IE_ID);
	str_set(&f->ie.name, "pool1");
	str_set(&f->ie.openshift_version, "4.18");
	strcpy(f->cluster.id, FIX_CLUSTER_ID);
	str_set(&f->cluster.name, "prod");
	str_set(&f->cluster.api_vip_dns_name, "api.prod.example.com");
	str_set(&f->cluster.base_dns_domain, "example.com");
	strcpy(f->host.id, FIX_HOST_ID);
	strcpy(f->host.infra_env_id, FIX_IE_ID);
	f->host.status = bound ? HOST_DISCOVERING : HOST_DISCOVERING_UNBOUND;
	f->host.kind = bound ? HOST_KIND_DAY2 : HOST_KIND_HOST;
	f->host.suggested_role = bound ? ROLE_WORKER : ROLE_AUTO_ASSIGN;
	f->host.checked_in_at = FIX_NOW_US - 1000000;
	f->host.timestamp = FIX_NOW_US / 1000000 - 1;
	str_set(&f->host.discovery_agent_version, f->config.agent_image);
	if (bound)
		strcpy(f->host.cluster_id, FIX_CLUSTER_ID);
	f->ctx = (struct rule_ctx){ .infra_env = &f->ie,
				    .cluster = bound ? &f->cluster : NULL,
				    .now_us = FIX_NOW_US,
				    .config = &f->config };
}

static inline void fix_done(struct fixture *f)
{
	infra_env_done(&f->ie);
	cluster_done(&f->cluster);
	host_done(&f->host);
}

static inline void fix_post(struct fixture *f, const char *inventory)
{
	struct fault err = FAULT_INIT;
	int r = inventory_apply(&f->ctx, &f->host, inventory, strlen(inventory), &err);

	if (r)
		fail_msg("inventory_apply: %s", fault_text(&err));
}

/* The inventory with one member replaced by @json (of a path like "cpu.count", "disks.0.size_bytes"; NULL removes it). Freed by the caller. */
static inline char *fix_changed(const char *path, const char *json)
{
	AUTO(json_decrefp) json_t *root = json_loads(fix_inventory, 0, NULL);
	char part[64];
	json_t *at = root;

	assert_non_null(root);
	while (strchr(path, '.')) {
		size_t n = strcspn(path, ".");
		snprintf(part, sizeof(part), "%.*s", (int)n, path);
		at = json_is_array(at) ? json_array_get(at, (size_t)atoi(part))
				       : json_object_get(at, part);
		assert_non_null(at);
		path += n + 1;
	}
	if (json)
		assert_int_equal(
			json_object_set_new(at, path, json_loads(json, JSON_DECODE_ANY, NULL)), 0);
	else
		json_object_del(at, path);
	return json_dumps(root, JSON_COMPACT);
}

/* A reply that the cluster's configuration was downloaded; it shows managed networking when @managed. */
static inline void fix_api_vip(struct fixture *f, bool managed)
{
	static const char with[] =
		"{\"ignition\":\"{\\\"ignition\\\":{\\\"version\\\":\\\"3.2.0\\\"},\\\"storage\\\":{\\\"files\\\":[{\\\"path\\\":"
		"\\\"/etc/kubernetes/manifests/keepalived.yaml\\\"}]}}\",\"is_success\":true,\"url\":\"http://api\"}";
	static const char without[] =
		"{\"ignition\":\"{\\\"ignition\\\":{\\\"version\\\":\\\"3.2.0\\\"}}\",\"is_success\":true,\"url\":\"http://api\"}";

	str_set(&f->host.api_vip_connectivity, managed ? with : without);
}

/*
 * Runs the tests; the last @n_corpus of them replay recordings of the original and are part of the run only when SLIPWAY_CORPUS names
 * the folder that holds them.
 */
#define FIX_RUN(tests, n_corpus)                                                                 \
	_cmocka_run_group_tests(#tests, tests,                                                   \
				ARRAY_SIZE(tests) - (getenv("SLIPWAY_CORPUS") ? 0 : (n_corpus)), \
				NULL, NULL)

/* A recording of the corpus. New reference. */
static inline json_t *fix_recording(const char *name)
{
	const char *dir = getenv("SLIPWAY_CORPUS");
	assert_non_null(dir);
	AUTO(freep) char *path = str_printf("%s/assisted/%s", dir, name);
	json_error_t e;
	json_t *v = json_load_file(path, 0, &e);
	if (!v)
		fail_msg("%s: %s", path, e.text);
	return v;
}
