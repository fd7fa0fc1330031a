#include "validate_fixture.h"

static void test_rules(void **state)
{
	static const struct fix_rule rows[] = {
		{ "has-inventory", 1, 1, 0, 1, 0, 0 },
		{ "inventory-not-partially-truncated", 1, 1, 0, 0, 0, 1 },
		{ "inventory-not-fully-truncated", 1, 1, 0, 1, 0, 0 },
		{ "has-min-cpu-cores", 1, 1, 1, 1, 1, 1 },
		{ "has-min-memory", 1, 1, 1, 1, 1, 1 },
		{ "has-min-valid-disks", 1, 1, 1, 1, 1, 1 },
		{ "has-cpu-cores-for-role", 1, 1, 0, 1, 0, 1 },
		{ "has-memory-for-role", 1, 1, 0, 1, 0, 1 },
		{ "hostname-unique", 0, 1, 0, 1, 0, 0 },
		{ "hostname-valid", 1, 1, 1, 1, 0, 0 },
		{ "sufficient-installation-disk-speed", 1, 1, 0, 1, 0, 1 },
		{ "compatible-with-cluster-platform", 0, 1, 0, 1, 1, 1 },
		{ "vsphere-disk-uuid-enabled", 0, 1, 0, 1, 0, 1 },
		{ "disk-encryption-requirements-satisfied", 0, 1, 0, 1, 1, 1 },
		{ "compatible-agent", 1, 1, 0, 1, 0, 1 },
		{ "no-skip-installation-disk", 1, 1, 0, 1, 0, 1 },
		{ "no-skip-missing-disk", 1, 1, 0, 1, 0, 1 },
	};

	fix_check_rules(validation_hardware, rows, ARRAY_SIZE(rows));
}

/* Exactly the least, one less, one more, and nothing at all (assisted-v2 §7.4). */
static void test_cpus(void **state)
{
	static const struct {
		bool is_bound;
		enum host_role role;
		const char *count; /* NULL = not there */
		enum validation_status minimum, for_role;
		const char *text; /* of the role's */
	} rows[] = {
		{ false, ROLE_AUTO_ASSIGN, "1", NO, NO,
		  "has 1 CPUs, the role auto-assign needs 2" },
		{ false, ROLE_AUTO_ASSIGN, "2", OK, OK, "the role auto-assign" },
		{ true, ROLE_AUTO_ASSIGN, "1", NO, NO, "has 1 CPUs, the role worker needs 2" },
		{ true, ROLE_AUTO_ASSIGN, "2", OK, OK, "the role worker" },
		{ true, ROLE_WORKER, "3", OK, OK, NULL },
		{ true, ROLE_ARBITER, "1", NO, NO, NULL },
		{ true, ROLE_ARBITER, "2", OK, OK, NULL },
		{ true, ROLE_MASTER, "3", OK, NO, "has 3 CPUs, the role master needs 4" },
		{ true, ROLE_MASTER, "4", OK, OK, NULL },
		{ true, ROLE_WORKER, NULL, NO, NO, "has 0 CPUs" },
		{ true, ROLE_WORKER, "0", NO, NO, NULL },
		{ true, ROLE_WORKER, "-4", NO, NO, "has -4 CPUs" },
	};
	struct fixture f;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fix_host(&f, rows[i].is_bound, "cpu.count", rows[i].count);
		f.host.role = rows[i].role;
		fix_expect(&f, "has-min-cpu-cores", rows[i].minimum, "any role");
		fix_expect(&f, "has-cpu-cores-for-role", rows[i].for_role, rows[i].text);
		fix_done(&f);
	}
}

static void test_memory(void **state)
{
	/* 8192 MiB less 100; with MemTotal 2 % of 8192 MiB less again; a master has 16384 MiB less 100 */
	static const struct {
		enum host_role role;
		const char *memory;
		enum validation_status minimum, for_role;
		const char *text;
	} rows[] = {
		{ ROLE_WORKER, "{\"physical_bytes\":8485076991}", NO, NO,
		  "has 8091 MiB of memory, the role worker needs 8192 MiB" },
		{ ROLE_WORKER, "{\"physical_bytes\":8485076992}", OK, OK, NULL },
		{ ROLE_WORKER, "{\"physical_bytes\":8485076993}", OK, OK, NULL },
		{ ROLE_WORKER,
		  "{\"physical_bytes\":8485076991,\"physical_bytes_method\":\"dmidecode\"}", NO, NO,
		  NULL },
		{ ROLE_WORKER, "{\"physical_bytes\":8485076991,\"physical_bytes_method\":\"ghw\"}",
		  NO, NO, NULL },
		{ ROLE_WORKER,
		  "{\"physical_bytes\":8313278301,\"physical_bytes_method\":\"meminfo\"}", NO, NO,
		  NULL },
		{ ROLE_WORKER,
		  "{\"physical_bytes\":8313278302,\"physical_bytes_method\":\"meminfo\"}", OK, OK,
		  NULL },
		{ ROLE_MASTER, "{\"physical_bytes\":17075011583}", OK, NO,
		  "has 16283 MiB of memory, the role master needs 16384 MiB" },
		{ ROLE_MASTER, "{\"physical_bytes\":17075011584}", OK, OK, NULL },
		{ ROLE_ARBITER, "{\"physical_bytes\":8485076991}", NO, NO, NULL },
		{ ROLE_ARBITER, "{\"physical_bytes\":8485076992}", OK, OK, NULL },
		{ ROLE_WORKER, "{}", NO, NO, "has 0 MiB" },
		{ ROLE_WORKER, "{\"physical_bytes\":-1}", NO, NO, "has 0 MiB" },
		{ ROLE_WORKER, "null", NO, NO, "has 0 MiB" },
		/* what the system can use does not count */
		{ ROLE_WORKER, "{\"usable_bytes\":99999999999}", NO, NO, NULL },
	};
	struct fixture f;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fix_host(&f, true, "memory", rows[i].memory);
		f.host.role = rows[i].role;
		fix_expect(&f, "has-min-memory", rows[i].minimum, "any role");
		fix_expect(&f, "has-memory-for-role", rows[i].for_role, rows[i].text);
		fix_done(&f);
	}
}

static void test_disks(void **state)
{
	/* a pool host may become the smallest of all roles */
	static const struct {
		bool is_bound;
		const char *size;
		enum validation_status want;
	} rows[] = {
		{ false, "49999999999", NO }, { false, "50000000000", OK },
		{ false, "50000000001", OK }, { true, "99999999999", NO },
		{ true, "100000000000", OK }, { true, "100000000001", OK },
		{ true, NULL, NO },           { true, "0", NO },
	};
	struct fixture f;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fix_host(&f, rows[i].is_bound, "disks.0.size_bytes", rows[i].size);
		fix_expect(&f, "has-min-valid-disks", rows[i].want, NULL);
		fix_done(&f);
	}
	fix_host(&f, true, "disks", "[]");
	fix_expect(&f, "has-min-valid-disks", BAD, "no disk at all");
	fix_done(&f);
	fix_host(&f, true, "disks", NULL);
	fix_expect(&f, "has-min-valid-disks", BAD, "no disk at all");
	fix_done(&f);
}

/* One eligible disk among others is enough. */
static void test_one_good_disk(void **state)
{
	static const char two[] =
		"[{\"name\":\"vda\",\"path\":\"/dev/vda\",\"drive_type\":\"SSD\",\"size_bytes\":1},"
		"{\"name\":\"vdb\",\"path\":\"/dev/vdb\",\"drive_type\":\"SSD\",\"size_bytes\":100000000000}]";
	struct fixture f;

	fix_host(&f, true, "disks", two);
	fix_expect(&f, "has-min-valid-disks", OK, NULL);
	fix_done(&f);
}

static void test_names(void **state)
{
	static const struct {
		const char *name;
		enum validation_status want;
		const char *text;
	} rows[] = {
		{ "n", OK, "The name n can be used" },
		{ "n-1.example.com", OK, NULL },
		{ "1", OK, NULL },
		{ "a23456789012345678901234567890123456789012345678901234567890123", OK, NULL },
		{ "a234567890123456789012345678901234567890123456789012345678901234", NO,
		  "at most 63" },
		{ "Upper", NO, "Upper is not a valid host name" },
		{ "a_b", NO, NULL },
		{ "a b", NO, NULL },
		{ "-a", NO, NULL },
		{ ".a", NO, NULL },
		{ "a..b", NO, NULL },
		{ "a.", NO, NULL },
		{ "localhost", NO, "localhost is no name for a host" },
		{ "localhost.localdomain", NO, "is no name" },
		{ "localhost4", NO, "is no name" },
		{ "localhost4.localdomain4", NO, "is no name" },
		{ "localhost6", NO, "is no name" },
		{ "localhost6.localdomain6", NO, "is no name" },
		{ "localhost5", OK, NULL },
	};
	struct fixture f;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		/* as the machine calls itself, and as the user calls it */
		AUTO(freep) char *json = str_printf("\"%s\"", rows[i].name);
		fix_host(&f, false, "hostname", json);
		assert_int_equal(host_note_inventory(&f.host), 0);
		fix_expect(&f, "hostname-valid", rows[i].want, rows[i].text);
		fix_done(&f);
		fix_host(&f, true, "hostname", "\"Bad_One\"");
		str_set(&f.host.requested_hostname, rows[i].name);
		fix_expect(&f, "hostname-valid", rows[i].want, rows[i].text);
		fix_done(&f);
	}
}

/* No other host of the cluster may have the name, wherever in the list it stands. */
static void test_unique_name(void **state)
{
	struct host a = { .id = "a" }, b = { .id = "b" };
	const struct host *peers[] = { &a, &b };
	struct fixture f;

	fix_host(&f, true, NULL, NULL);
	assert_int_equal(host_note_inventory(&f.host), 0);
	fix_expect(&f, "hostname-unique", OK, "called w1");
	f.ctx.peers = peers;
	f.ctx.n_peers = ARRAY_SIZE(peers);
	fix_expect(&f, "hostname-unique", OK, "called w1");
	for (size_t i = 0; i < ARRAY_SIZE(peers); i++) {
		a.inventory_hostname = (char *)(i ? "w2" : "w1");
		b.inventory_hostname = (char *)(i ? "w1" : "w2");
		fix_expect(&f, "hostname-unique", NO, "Another host of the cluster is called w1");
	}
	/* the user's name counts before the machine's own, for both */
	b.requested_hostname = (char *)"n2";
	fix_expect(&f, "hostname-unique", OK, NULL);
	str_set(&f.host.requested_hostname, "n2");
	fix_expect(&f, "hostname-unique", NO, "is called n2");
	fix_done(&f);
}

static void test_truncation(void **state)
{
	static const struct {
		const char *truncation;
		enum validation_status partially, fully;
	} rows[] = {
		{ NULL, OK, OK },
		{ "{\"type\":\"\"}", OK, OK },
		{ "{\"type\":\"partial\",\"reasons\":[\"size\"]}", NO, OK },
		{ "{\"type\":\"full\"}", OK, NO },
	};
	struct fixture f;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fix_host(&f, true, "truncation", rows[i].truncation);
		fix_expect(&f, "inventory-not-partially-truncated", rows[i].partially, NULL);
		fix_expect(&f, "inventory-not-fully-truncated", rows[i].fully, NULL);
		fix_done(&f);
	}
}

static void test_platforms(void **state)
{
	static const struct {
		const char *platform, *manufacturer;
		bool has_uuid;
		enum validation_status fits, disk_uuid;
	} rows[] = {
		{ NULL, "EX", false, OK, ABSENT },
		{ "baremetal", "EX", false, OK, ABSENT },
		{ "none", "EX", false, OK, ABSENT },
		{ "vsphere", "VMware, Inc.", true, OK, OK },
		{ "vsphere", "VMware, Inc.", false, OK, NO },
		{ "vsphere", "EX", true, NO, OK },
		{ "vsphere", "", true, NO, OK },
		{ "nutanix", "Nutanix", false, OK, ABSENT },
		{ "nutanix", "VMware, Inc.", false, NO, ABSENT },
	};
	struct fixture f;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(freep)
		char *vendor = str_printf("{\"manufacturer\":\"%s\"}", rows[i].manufacturer);
		AUTO(freep) char *text = fix_changed("system_vendor", vendor);
		AUTO(json_decrefp) json_t *inventory = json_loads(text, 0, NULL);
		json_t *disk = json_array_get(json_object_get(inventory, "disks"), 0);
		json_object_set_new(disk, "has_uuid", json_boolean(rows[i].has_uuid));
		AUTO(freep) char *posted = json_dumps(inventory, 0);
		fix_init(&f, true);
		fix_post(&f, posted);
		if (rows[i].platform)
			f.cluster.extra =
				str_printf("{\"platform\":{\"type\":\"%s\"}}", rows[i].platform);
		fix_expect(&f, "compatible-with-cluster-platform", rows[i].fits, NULL);
		fix_expect(&f, "vsphere-disk-uuid-enabled", rows[i].disk_uuid, NULL);
		fix_done(&f);
	}
}

static void test_disk_speed(void **state)
{
	struct fixture f;

	fix_host(&f, false, NULL, NULL);
	fix_expect(&f, "sufficient-installation-disk-speed", OK, NULL);
	str_set(&f.host.installation_disk_path, NULL);
	fix_expect(&f, "sufficient-installation-disk-speed", BAD, "No disk is chosen");
	fix_done(&f);
	fix_host(&f, true, NULL, NULL);
	str_set(&f.host.installation_disk_path, NULL);
	fix_expect(&f, "sufficient-installation-disk-speed", OK, NULL);
	fix_done(&f);
}

static void test_agent(void **state)
{
	static const struct {
		bool upgrade;
		const char *version;
		enum validation_status want;
		const char *text;
	} rows[] = {
		{ false, "other:1", OK, NULL },
		{ false, NULL, OK, NULL },
		{ true, "registry.example.com/agent:1", OK, NULL },
		/* compared as text (assisted-v2 §5.1) */
		{ true, "registry.example.com/agent:01", NO,
		  "registry.example.com/agent:01 and will be replaced by registry.example.com/agent:1" },
		{ true, NULL, NO, "The agent is unknown" },
		{ true, "", NO, "The agent is unknown" },
	};
	struct fixture f;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fix_host(&f, true, NULL, NULL);
		f.config.upgrade_agent = rows[i].upgrade;
		str_set(&f.host.discovery_agent_version, rows[i].version);
		fix_expect(&f, "compatible-agent", rows[i].want, rows[i].text);
		fix_done(&f);
	}
}

static void test_skipped_disks(void **state)
{
	static const struct {
		const char *skipped, *chosen;
		enum validation_status installation, missing;
		const char *text; /* of the missing one */
	} rows[] = {
		{ NULL, "/dev/disk/by-id/d1", OK, OK, NULL },
		{ "", "/dev/disk/by-id/d1", OK, OK, NULL },
		{ "/dev/disk/by-id/d1", "/dev/disk/by-id/d1", NO, OK, NULL },
		{ "/dev/disk/by-id/d1", NULL, OK, OK, NULL },
		{ "/dev/disk/by-id/d11", "/dev/disk/by-id/d1", OK, NO,
		  "Disk /dev/disk/by-id/d11 must not be formatted" },
		{ "/dev/disk/by-id/d1,/dev/disk/by-id/d2", "/dev/disk/by-id/d1", NO, NO, "d2" },
	};
	struct fixture f;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fix_host(&f, true, NULL, NULL);
		str_set(&f.host.skip_formatting_disks, rows[i].skipped);
		str_set(&f.host.installation_disk_id, rows[i].chosen);
		fix_expect(&f, "no-skip-installation-disk", rows[i].installation, NULL);
		fix_expect(&f, "no-skip-missing-disk", rows[i].missing, rows[i].text);
		fix_done(&f);
	}
}

static void test_encryption(void **state)
{
	static const struct {
		const char *luks, *tpm, *tang;
		enum validation_status want;
	} rows[] = {
		{ "[]", "\"2.0\"", NULL, ABSENT },
		{ "[{\\\"clevis\\\":{\\\"tpm2\\\":true}}]", "\"2.0\"", NULL, OK },
		{ "[{\\\"clevis\\\":{\\\"tpm2\\\":true}}]", "\"1.2\"", NULL, NO },
		{ "[{\\\"clevis\\\":{\\\"tpm2\\\":true}}]", "\"none\"", NULL, NO },
		{ "[{\\\"clevis\\\":{\\\"tpm2\\\":true}}]", NULL, NULL, NO },
		{ "[{\\\"clevis\\\":{\\\"tang\\\":[{\\\"url\\\":\\\"http://t\\\"}]}}]", NULL, NULL,
		  WAIT },
		{ "[{\\\"clevis\\\":{\\\"tang\\\":[{\\\"url\\\":\\\"http://t\\\"}]}}]", NULL,
		  "{\"is_success\":true}", OK },
		{ "[{\\\"clevis\\\":{\\\"tang\\\":[{\\\"url\\\":\\\"http://t\\\"}]}}]", "\"2.0\"",
		  "{\"tang_server_response\":null}", NO },
		{ "[{\\\"clevis\\\":{\\\"tang\\\":[{\\\"url\\\":\\\"http://t\\\"}]}}]", NULL,
		  "no JSON", NO },
	};
	struct fixture f;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fix_host(&f, true, "tpm_version", rows[i].tpm);
		f.host.api_vip_connectivity = str_printf(
			"{\"is_success\":true,\"ignition\":\"{\\\"storage\\\":{\\\"luks\\\":%s}}\"}",
			rows[i].luks);
		str_set(&f.host.tang_connectivity, rows[i].tang);
		fix_expect(&f, "disk-encryption-requirements-satisfied", rows[i].want, NULL);
		fix_done(&f);
	}
}

/* Without an inventory they wait, but for those that do not need one. */
static void test_without_inventory(void **state)
{
	static const char *const other[] = { "has-inventory", "compatible-agent",
					     "inventory-not-partially-truncated",
					     "inventory-not-fully-truncated" };
	struct fixture f;

	fix_init(&f, true);
	for (const struct validation_rule *rule = validation_hardware; rule->id; rule++) {
		bool waits = true;
		for (size_t i = 0; i < ARRAY_SIZE(other); i++)
			waits &= strcmp(rule->id, other[i]) != 0;
		if (waits)
			fix_expect(&f, rule->id, WAIT, "Waiting for the inventory");
	}
	fix_expect(&f, "has-inventory", NO, "has not sent its inventory");
	fix_expect(&f, "compatible-agent", OK, NULL);
	fix_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),         cmocka_unit_test(test_cpus),
		cmocka_unit_test(test_memory),        cmocka_unit_test(test_disks),
		cmocka_unit_test(test_one_good_disk), cmocka_unit_test(test_names),
		cmocka_unit_test(test_unique_name),   cmocka_unit_test(test_truncation),
		cmocka_unit_test(test_platforms),     cmocka_unit_test(test_disk_speed),
		cmocka_unit_test(test_agent),         cmocka_unit_test(test_skipped_disks),
		cmocka_unit_test(test_encryption),    cmocka_unit_test(test_without_inventory),
	};
	return cmocka_run_group_tests_name("validate_hardware", tests, NULL, NULL);
}
