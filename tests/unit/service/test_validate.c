#include "rules_fixture.h"

#define ABSENT ((enum validation_status) - 1)
#define OK VALIDATION_SUCCESS
#define NO VALIDATION_FAILURE
#define WAIT VALIDATION_PENDING
#define BAD VALIDATION_ERROR

struct validate_case {
	const char *id;
	bool bound;
	enum validation_status want;
	const char *path,
		*json; /* change of the smallest inventory; path "" = no inventory at all; NULL = as it is */
	void (*prepare)(struct fixture *f);
	const char *text; /* part of the message, or NULL */
};

static void silent(struct fixture *f)
{
	f->host.checked_in_at = FIX_NOW_US - 181 * 1000000ll;
}

static void silent_rebooting(struct fixture *f)
{
	silent(f);
	f->host.stage = STAGE_REBOOTING;
}

static void never_seen(struct fixture *f)
{
	f->host.checked_in_at = 0;
}

static void media_lost(struct fixture *f)
{
	f->host.media_disconnected = 2;
}

static void vip_good(struct fixture *f)
{
	fix_api_vip(f, false);
}

static void vip_managed(struct fixture *f)
{
	fix_api_vip(f, true);
}

static void vip_bad(struct fixture *f)
{
	str_set(&f->host.api_vip_connectivity,
		"{\"url\":\"http://a/config/worker\",\"download_error\":\"timed out\"}");
}

static void vip_kubeconfig(struct fixture *f)
{
	str_set(&f->host.api_vip_connectivity,
		"{\"is_success\":true,\"ignition\":\"{\\\"storage\\\":{\\\"files\\\":[{\\\"path\\\":\\\"/etc/kubernetes/kubeconfig\\\","
		"\\\"contents\\\":{\\\"source\\\":\\\"data:,server:%20https://[2001:db8::1]:6443\\\"}}]}}\"}");
}

static void resolved(struct fixture *f, const char *address)
{
	AUTO(freep)
	char *text = str_printf(
		"{\"resolutions\":[{\"domain_name\":\"api.prod.example.com\",\"ipv4_addresses\":[%s]},"
		"{\"domain_name\":\"api-int.prod.example.com\",\"ipv4_addresses\":[%s]},"
		"{\"domain_name\":\"console-openshift-console.apps.prod.example.com\",\"ipv4_addresses\":[%s]}]}",
		address, address, address);
	fix_api_vip(f, false);
	str_set(&f->host.domain_name_resolutions, text);
}

static void resolved_well(struct fixture *f)
{
	resolved(f, "\"198.51.100.20\"");
}

static void resolved_own(struct fixture *f)
{
	resolved(f, "\"192.0.2.5\"");
}

static void resolved_not(struct fixture *f)
{
	resolved(f, "");
}

static void no_domain(struct fixture *f)
{
	fix_api_vip(f, false);
	str_set(&f->cluster.base_dns_domain, NULL);
}

static void ntp_good(struct fixture *f)
{
	str_set(&f->host.ntp_sources,
		"[{\"source_name\":\"a\",\"source_state\":\"unreachable\"},{\"source_name\":\"b\",\"source_state\":\"synced\"}]");
}

static void ntp_bad(struct fixture *f)
{
	str_set(&f->host.ntp_sources, "[{\"source_name\":\"a\",\"source_state\":\"unreachable\"}]");
}

static void clock_unset(struct fixture *f)
{
	f->host.timestamp = 0;
}

static void clock_slow(struct fixture *f)
{
	f->host.timestamp -= 20 * 60 + 1;
}

static void clock_nearly_slow(struct fixture *f)
{
	f->host.timestamp -= 20 * 60;
}

static void clock_fast(struct fixture *f)
{
	f->host.timestamp += 3601;
}

static void clock_nearly_fast(struct fixture *f)
{
	f->host.timestamp += 3600;
}

static void old_agent(struct fixture *f)
{
	f->config.upgrade_agent = true;
	str_set(&f->host.discovery_agent_version, "registry.example.com/agent:0");
}

static void new_agent(struct fixture *f)
{
	f->config.upgrade_agent = true;
}

static void skips_boot_disk(struct fixture *f)
{
	str_set(&f->host.skip_formatting_disks, "/dev/disk/by-id/d1");
}

static void skips_unknown(struct fixture *f)
{
	str_set(&f->host.skip_formatting_disks, "/dev/disk/by-id/d1,/dev/disk/by-id/d9");
}

static void master(struct fixture *f)
{
	f->host.role = ROLE_MASTER;
}

static void named(struct fixture *f)
{
	str_set(&f->host.requested_hostname, "good.example.com");
}

static void luks_tpm(struct fixture *f)
{
	str_set(&f->host.api_vip_connectivity,
		"{\"is_success\":true,\"ignition\":\"{\\\"storage\\\":{\\\"luks\\\":[{\\\"clevis\\\":{\\\"tpm2\\\":true}}]}}\"}");
}

static void luks_tang(struct fixture *f)
{
	str_set(&f->host.api_vip_connectivity,
		"{\"is_success\":true,\"ignition\":\"{\\\"storage\\\":{\\\"luks\\\":[{\\\"clevis\\\":{\\\"tang\\\":[{\\\"url\\\":\\\"http://t\\\"}]}}]}}\"}");
}

static void luks_tang_good(struct fixture *f)
{
	luks_tang(f);
	str_set(&f->host.tang_connectivity, "{\"is_success\":true}");
}

static void luks_tang_bad(struct fixture *f)
{
	luks_tang(f);
	str_set(&f->host.tang_connectivity, "it did not answer");
}

static void on_vsphere(struct fixture *f)
{
	str_set(&f->cluster.extra, "{\"platform\":{\"type\":\"vsphere\"}}");
}

static void networks_v4(struct fixture *f)
{
	str_set(&f->cluster.extra, "{\"machine_networks\":[{\"cidr\":\"192.0.2.0/24\"}]}");
}

#define TWO_NICS(b)                                                                                              \
	"[{\"name\":\"eth0\",\"ipv4_addresses\":[\"192.0.2.5/24\"]},{\"name\":\"eth1\",\"ipv4_addresses\":[\"" b \
	"\"]}]"

static const struct validate_case cases[] = {
	{ "has-inventory", true, OK },
	{ "has-inventory", true, NO, "" },
	{ "inventory-not-partially-truncated", true, OK },
	{ "inventory-not-partially-truncated", true, NO, "truncation", "{\"type\":\"partial\"}" },
	{ "inventory-not-fully-truncated", true, OK, "truncation", "{\"type\":\"partial\"}" },
	{ "inventory-not-fully-truncated", true, NO, "truncation", "{\"type\":\"full\"}" },
	{ "has-min-cpu-cores", false, OK },
	{ "has-min-cpu-cores", false, NO, "cpu.count", "1", NULL, "has 1 CPUs" },
	{ "has-min-cpu-cores", false, NO, "cpu", NULL },
	{ "has-min-cpu-cores", false, WAIT, "" },
	{ "has-min-memory", false, OK },
	{ "has-min-memory", false, NO, "memory.physical_bytes", "8485076991", NULL, "8192 MiB" },
	{ "has-min-memory", true, NO, "memory", "null" },
	{ "has-min-memory", true, WAIT, "" },
	{ "has-min-memory", true, OK, "memory",
	  "{\"physical_bytes\":8314000000,\"physical_bytes_method\":\"meminfo\"}" },
	{ "has-min-memory", true, NO, "memory",
	  "{\"physical_bytes\":8300000000,\"physical_bytes_method\":\"meminfo\"}" },
	{ "has-min-valid-disks", false, OK },
	{ "has-min-valid-disks", false, NO, "disks.0.size_bytes", "1000" },
	{ "has-min-valid-disks", false, BAD, "disks", "[]" },
	{ "has-min-valid-disks", false, WAIT, "" },
	{ "has-cpu-cores-for-role", true, OK, NULL, NULL, NULL, "worker" },
	{ "has-cpu-cores-for-role", true, NO, NULL, NULL, master, "the role master needs 4" },
	{ "has-cpu-cores-for-role", false, OK, NULL, NULL, NULL, "auto-assign" },
	{ "has-memory-for-role", true, OK },
	{ "has-memory-for-role", true, NO, NULL, NULL, master },
	{ "hostname-unique", true, OK },
	{ "hostname-unique", false, ABSENT },
	{ "hostname-valid", false, OK },
	{ "hostname-valid", false, NO, "hostname", "\"localhost\"" },
	{ "hostname-valid", true, NO, "hostname", "\"Upper\"" },
	{ "hostname-valid", true, OK, "hostname", "\"Upper\"", named, "good.example.com" },
	{ "hostname-valid", true, WAIT, "" },
	{ "sufficient-installation-disk-speed", true, OK },
	{ "sufficient-installation-disk-speed", false, OK },
	{ "sufficient-installation-disk-speed", false, BAD, "disks", "[]" },
	{ "compatible-with-cluster-platform", true, OK },
	{ "compatible-with-cluster-platform", true, NO, NULL, NULL, on_vsphere },
	{ "compatible-with-cluster-platform", true, OK, "system_vendor",
	  "{\"manufacturer\":\"VMware, Inc.\"}", on_vsphere },
	{ "compatible-with-cluster-platform", false, ABSENT },
	{ "vsphere-disk-uuid-enabled", true, ABSENT },
	{ "vsphere-disk-uuid-enabled", true, NO, NULL, NULL, on_vsphere },
	{ "vsphere-disk-uuid-enabled", true, OK, "disks.0.has_uuid", "true", on_vsphere },
	{ "disk-encryption-requirements-satisfied", true, ABSENT, NULL, NULL, vip_good },
	{ "disk-encryption-requirements-satisfied", true, NO, NULL, NULL, luks_tpm },
	{ "disk-encryption-requirements-satisfied", true, OK, "tpm_version", "\"2.0\"", luks_tpm },
	{ "disk-encryption-requirements-satisfied", true, WAIT, NULL, NULL, luks_tang },
	{ "disk-encryption-requirements-satisfied", true, OK, NULL, NULL, luks_tang_good },
	{ "disk-encryption-requirements-satisfied", true, NO, NULL, NULL, luks_tang_bad },
	{ "compatible-agent", true, OK, NULL, NULL, new_agent },
	{ "compatible-agent", true, NO, NULL, NULL, old_agent, "agent:0" },
	{ "no-skip-installation-disk", true, OK },
	{ "no-skip-installation-disk", true, NO, NULL, NULL, skips_boot_disk },
	{ "no-skip-missing-disk", true, OK, NULL, NULL, skips_boot_disk },
	{ "no-skip-missing-disk", true, NO, NULL, NULL, skips_unknown, "d9" },
	{ "connected", false, OK },
	{ "connected", false, NO, NULL, NULL, silent },
	{ "connected", true, OK, NULL, NULL, silent_rebooting },
	{ "connected", true, OK, NULL, NULL, never_seen },
	{ "media-connected", true, OK },
	{ "media-connected", true, NO, NULL, NULL, media_lost },
	{ "machine-cidr-defined", true, OK },
	{ "machine-cidr-defined", false, ABSENT },
	{ "belongs-to-machine-cidr", true, OK },
	{ "ignition-downloadable", true, WAIT },
	{ "ignition-downloadable", true, OK, NULL, NULL, vip_good },
	{ "ignition-downloadable", true, NO, NULL, NULL, vip_bad,
	  "http://a/config/worker (timed out)" },
	{ "ignition-downloadable", false, ABSENT },
	{ "belongs-to-majority-group", true, OK },
	{ "mtu-valid", true, OK },
	{ "valid-platform-network-settings", false, OK },
	{ "valid-platform-network-settings", true, NO, "system_vendor.product_name",
	  "\"OpenStack Compute\"" },
	{ "valid-platform-network-settings", true, WAIT, "" },
	{ "ntp-synced", false, ABSENT, NULL, NULL, ntp_bad },
	{ "ntp-synced", false, OK, NULL, NULL, ntp_good },
	{ "ntp-synced", true, NO },
	{ "ntp-synced", true, NO, NULL, NULL, ntp_bad },
	{ "ntp-synced", true, OK, NULL, NULL, ntp_good },
	{ "time-synced-between-host-and-service", true, OK },
	{ "time-synced-between-host-and-service", true, WAIT, NULL, NULL, clock_unset },
	{ "time-synced-between-host-and-service", true, OK, NULL, NULL, clock_nearly_slow },
	{ "time-synced-between-host-and-service", true, NO, NULL, NULL, clock_slow, "slow" },
	{ "time-synced-between-host-and-service", true, OK, NULL, NULL, clock_nearly_fast },
	{ "time-synced-between-host-and-service", true, NO, NULL, NULL, clock_fast, "fast" },
	{ "container-images-available", false, OK },
	{ "sufficient-network-latency-requirement-for-role", true, OK },
	{ "sufficient-packet-loss-requirement-for-role", true, OK },
	{ "has-default-route", true, OK },
	{ "has-default-route", true, OK, "routes",
	  "[{\"destination\":\"::\",\"gateway\":\"fe80::1\",\"family\":10}]" },
	{ "has-default-route", true, NO, "routes", "[{\"destination\":\"0.0.0.0\",\"family\":2}]" },
	{ "has-default-route", true, NO, "routes", NULL },
	{ "has-default-route", false, WAIT, "" },
	{ "api-domain-name-resolved-correctly", true, WAIT },
	{ "api-domain-name-resolved-correctly", true, OK, NULL, NULL, vip_managed },
	{ "api-domain-name-resolved-correctly", true, OK, NULL, NULL, vip_kubeconfig },
	{ "api-domain-name-resolved-correctly", true, WAIT, NULL, NULL, vip_good,
	  "resolve the name api.prod.example.com" },
	{ "api-domain-name-resolved-correctly", true, OK, NULL, NULL, resolved_well },
	{ "api-domain-name-resolved-correctly", true, NO, NULL, NULL, resolved_own, "itself" },
	{ "api-domain-name-resolved-correctly", true, NO, NULL, NULL, resolved_not,
	  "cannot resolve" },
	{ "api-domain-name-resolved-correctly", true, BAD, NULL, NULL, no_domain,
	  "base_dns_domain" },
	{ "api-int-domain-name-resolved-correctly", true, OK, NULL, NULL, resolved_well },
	{ "api-int-domain-name-resolved-correctly", true, NO, NULL, NULL, resolved_not },
	{ "api-int-domain-name-resolved-correctly", true, WAIT },
	{ "apps-domain-name-resolved-correctly", true, OK, NULL, NULL, resolved_well },
	{ "apps-domain-name-resolved-correctly", true, NO, NULL, NULL, resolved_not },
	{ "apps-domain-name-resolved-correctly", true, WAIT },
	{ "dns-wildcard-not-configured", true, OK },
	{ "non-overlapping-subnets", true, OK, "interfaces", TWO_NICS("192.0.2.9/24") },
	{ "non-overlapping-subnets", true, NO, "interfaces", TWO_NICS("192.0.2.9/25"), networks_v4,
	  "eth1" },
	{ "non-overlapping-subnets", true, OK, "interfaces", TWO_NICS("198.51.100.9/24"),
	  networks_v4 },
	{ "non-overlapping-subnets", true, WAIT, "" },
	{ "no-ip-collisions-in-network", false, OK },
};

static const struct validation *find(const struct validations *list, const char *id)
{
	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->v[i].id, id) == 0)
			return &list->v[i];
	}
	return NULL;
}

static void run_case(const struct validate_case *c)
{
	struct fixture f;
	struct validations list;
	fix_init(&f, c->bound);
	if (c->path == NULL)
		fix_post(&f, fix_inventory);
	else if (*c->path) {
		AUTO(freep) char *text = fix_changed(c->path, c->json);
		fix_post(&f, text);
	}
	if (c->prepare)
		c->prepare(&f);
	assert_int_equal(host_validate(&f.ctx, &f.host, &list, NULL), 0);
	const struct validation *v = find(&list, c->id);
	enum validation_status have = v ? v->status : ABSENT;
	if (have != c->want)
		fail_msg("%s: %d, not %d (%s)", c->id, (int)have, (int)c->want,
			 v ? v->message : "absent");
	if (c->text && !strstr(v->message, c->text))
		fail_msg("%s: \"%s\" does not say \"%s\"", c->id, v->message, c->text);
	validations_done(&list);
	fix_done(&f);
}

static void test_table(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		run_case(&cases[i]);
}

/* Every validation that a host of a cluster shows has a case of success above. */
static void test_table_is_complete(void **state)
{
	struct fixture f;
	struct validations list;
	fix_init(&f, true);
	fix_post(&f, fix_inventory);
	assert_int_equal(host_validate(&f.ctx, &f.host, &list, NULL), 0);
	for (size_t i = 0; i < list.n; i++) {
		bool covered = strcmp(list.v[i].category, "operators") == 0;
		for (size_t k = 0; k < ARRAY_SIZE(cases); k++)
			covered |= strcmp(cases[k].id, list.v[i].id) == 0 && cases[k].want == OK;
		if (!covered)
			fail_msg("no case for %s", list.v[i].id);
	}
	validations_done(&list);
	fix_done(&f);
}

static void test_unique_name(void **state)
{
	struct fixture f;
	struct validations list;
	struct host peer = { .id = "peer" };
	const struct host *peers[] = { &peer };
	static const struct {
		const char *requested, *inventory;
		enum validation_status want;
	} rows[] = {
		{ "w1", NULL, NO },  { "w2", "w1", OK }, { NULL, "w1", NO },
		{ NULL, "w10", OK }, { NULL, NULL, OK },
	};
	fix_init(&f, true);
	fix_post(&f, fix_inventory);
	f.ctx.peers = peers;
	f.ctx.n_peers = 1;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		peer.requested_hostname = (char *)rows[i].requested;
		peer.inventory_hostname = (char *)rows[i].inventory;
		assert_int_equal(host_validate(&f.ctx, &f.host, &list, NULL), 0);
		assert_int_equal(find(&list, "hostname-unique")->status, rows[i].want);
		validations_done(&list);
	}
	fix_done(&f);
}

/* Another host's download tells about the cluster's name service as well. */
static void test_peer_shows_networking(void **state)
{
	struct fixture f, other;
	struct validations list;
	fix_init(&f, true);
	fix_init(&other, true);
	fix_post(&f, fix_inventory);
	fix_api_vip(&other, true);
	const struct host *peers[] = { &other.host };
	f.ctx.peers = peers;
	f.ctx.n_peers = 1;
	assert_int_equal(host_validate(&f.ctx, &f.host, &list, NULL), 0);
	assert_int_equal(find(&list, "api-domain-name-resolved-correctly")->status, OK);
	assert_int_equal(find(&list, "ignition-downloadable")->status, WAIT);
	validations_done(&list);
	fix_done(&other);
	fix_done(&f);
}

static void test_disabled_and_ignored(void **state)
{
	struct fixture f;
	struct validations list;
	fix_init(&f, true);
	fix_post(&f, fix_inventory);
	f.config.disabled_validations = "ignition-downloadable, connected";
	str_set(&f.cluster.extra,
		"{\"ignored_host_validations\":\"[\\\"has-default-route\\\",\\\"hostname-valid\\\"]\"}");
	assert_int_equal(host_validate(&f.ctx, &f.host, &list, NULL), 0);
	assert_int_equal(find(&list, "ignition-downloadable")->status, VALIDATION_DISABLED);
	assert_false(find(&list, "has-default-route")->blocking);
	assert_true(find(&list, "hostname-valid")->blocking); /* cannot be ignored */
	assert_false(find(&list, "ntp-synced")->blocking);
	assert_false(find(&list, "mtu-valid")->blocking);
	validations_done(&list);
	fix_done(&f);
}

static void test_text(void **state)
{
	struct fixture f;
	struct validations list;
	fix_init(&f, true);
	fix_post(&f, fix_inventory);
	assert_int_equal(host_validate(&f.ctx, &f.host, &list, NULL), 0);
	AUTO(freep) char *text = validations_text(&list);
	AUTO(json_decrefp) json_t *v = json_loads(text, 0, NULL);
	assert_int_equal(json_object_size(v), 3);
	assert_int_equal(json_array_size(json_object_get(v, "hardware")), 15);
	assert_int_equal(json_array_size(json_object_get(v, "network")), 20);
	assert_int_equal(json_array_size(json_object_get(v, "operators")), 28);
	json_t *first = json_array_get(json_object_get(v, "hardware"), 0);
	assert_string_equal(json_str(first, "id"), "has-inventory");
	assert_string_equal(json_str(first, "status"), "success");
	validations_done(&list);
	fix_done(&f);
}

/* --- against what the original computed (SLIPWAY_CORPUS) --- */

static void load_host(struct fixture *f, json_t *body)
{
	static const struct {
		const char *key;
		size_t offset;
	} texts[] = {
		{ "inventory", offsetof(struct host, inventory) },
		{ "api_vip_connectivity", offsetof(struct host, api_vip_connectivity) },
		{ "ntp_sources", offsetof(struct host, ntp_sources) },
		{ "domain_name_resolutions", offsetof(struct host, domain_name_resolutions) },
		{ "installation_disk_id", offsetof(struct host, installation_disk_id) },
		{ "installation_disk_path", offsetof(struct host, installation_disk_path) },
		{ "skip_formatting_disks", offsetof(struct host, skip_formatting_disks) },
		{ "requested_hostname", offsetof(struct host, requested_hostname) },
	};
	fix_init(f, json_str(body, "cluster_id") != NULL);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		str_set((char **)((char *)&f->host + texts[i].offset),
			json_str(body, texts[i].key));
	f->host.timestamp = json_i64(body, "timestamp");
	assert_int_equal(time_parse(json_str(body, "checked_in_at"), &f->host.checked_in_at), 0);
	f->ctx.now_us = f->host.checked_in_at;
}

/* Same ids, same order, same states; the sentences are our own. */
static void replay(const char *file)
{
	AUTO(json_decrefp) json_t *recording = fix_recording(file);
	json_t *body = json_object_get(json_object_get(recording, "response"), "body");
	AUTO(json_decrefp) json_t *want = json_loads(json_str(body, "validations_info"), 0, NULL);
	struct fixture f;
	struct validations list;
	load_host(&f, body);
	assert_int_equal(host_validate(&f.ctx, &f.host, &list, NULL), 0);
	AUTO(freep) char *text = validations_text(&list);
	AUTO(json_decrefp) json_t *have = json_loads(text, 0, NULL);
	assert_int_equal(json_object_size(have), json_object_size(want));

	const char *category;
	json_t *items;
	json_object_foreach(want, category, items) {
		size_t i;
		json_t *item;
		json_t *ours = json_object_get(have, category);
		json_array_foreach(items, i, item) {
			assert_string_equal(json_str(json_array_get(ours, i), "id"),
					    json_str(item, "id"));
			if (strcmp(json_str(json_array_get(ours, i), "status"),
				   json_str(item, "status")) != 0)
				fail_msg("%s: %s, not %s", json_str(item, "id"),
					 json_str(json_array_get(ours, i), "status"),
					 json_str(item, "status"));
		}
		assert_int_equal(json_array_size(ours), json_array_size(items));
	}
	validations_done(&list);
	fix_done(&f);
}

#define REPLAY(name, file)                           \
	static void test_replay_##name(void **state) \
	{                                            \
		replay(file);                        \
	}
REPLAY(known_unbound, "host-get-known-unbound.json")
REPLAY(known, "host-get-known.json")
REPLAY(insufficient, "host-get-insufficient.json")
REPLAY(vmware, "inventory-stored-vmware.json")
REPLAY(kvm, "inventory-stored-kvm-old-agent.json")
REPLAY(sample, "inventory-stored-documentation-sample.json")

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_table_is_complete),
		cmocka_unit_test(test_unique_name),
		cmocka_unit_test(test_peer_shows_networking),
		cmocka_unit_test(test_disabled_and_ignored),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_replay_known_unbound),
		cmocka_unit_test(test_replay_known),
		cmocka_unit_test(test_replay_insufficient),
		cmocka_unit_test(test_replay_vmware),
		cmocka_unit_test(test_replay_kvm),
		cmocka_unit_test(test_replay_sample),
	};
	return FIX_RUN(tests, 6);
}
