#include "rules_fixture.h"

struct disk_case {
	const char *path, *json; /* what is changed in the smallest inventory */
	bool bound;
	const char *chosen; /* installation_disk_id; NULL = none */
	const char *reason; /* part of the first reason; NULL = eligible */
};

static const struct disk_case disk_cases[] = {
	{ "hostname", "\"w1\"", true, "/dev/disk/by-id/d1", NULL },
	{ "disks.0.size_bytes", "99999999999", true, NULL, "100 GB are needed" },
	{ "disks.0.size_bytes", "50000000000", false, "/dev/disk/by-id/d1", NULL },
	{ "disks.0.size_bytes", "49999999999", false, NULL, "it has 49.999 GB and 50 GB" },
	{ "disks.0.size_bytes", "21474836480", false, NULL, "it has 21.474 GB" },
	{ "disks.0.size_bytes", "-1", false, NULL, "it has 0 B" },
	{ "disks.0.drive_type", "\"HDD\"", false, "/dev/disk/by-id/d1", NULL },
	{ "disks.0.drive_type", "\"Multipath\"", false, "/dev/disk/by-id/d1", NULL },
	{ "disks.0.drive_type", "\"RAID\"", false, "/dev/disk/by-id/d1", NULL },
	{ "disks.0.drive_type", "\"FC\"", false, "/dev/disk/by-id/d1", NULL },
	{ "disks.0.drive_type", "\"ODD\"", false, NULL, "Drive type is ODD" },
	{ "disks.0.drive_type", "\"ECKD\"", false, NULL, "Drive type is ECKD" },
	{ "disks.0.drive_type", "\"\"", false, NULL, "Drive type is unknown" },
	{ "disks.0.drive_type", "\"iSCSI\"", false, NULL, "iSCSI host address is not known" },
	{ "disks.0.id", NULL, false, "/dev/vda", NULL },
	{ "disks.0.installation_eligibility", "{\"not_eligible_reasons\":[\"Disk is removable\"]}",
	  false, NULL, "Disk is removable" },
	/* the service's own old sentences do not stay */
	{ "disks.0.installation_eligibility",
	  "{\"not_eligible_reasons\":[\"Disk is too small (disk only has 1 GB)\"]}", false,
	  "/dev/disk/by-id/d1", NULL },
};

static void test_eligibility(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(disk_cases); i++) {
		const struct disk_case *c = &disk_cases[i];
		struct fixture f;
		fix_init(&f, c->bound);
		AUTO(freep) char *text = fix_changed(c->path, c->json);
		print_message("%s = %s\n", c->path, c->json ? c->json : "(none)");
		fix_post(&f, text);

		if (c->chosen)
			assert_string_equal(f.host.installation_disk_id, c->chosen);
		else
			assert_null(f.host.installation_disk_id);
		if (c->chosen)
			assert_string_equal(f.host.installation_disk_path, "/dev/vda");
		AUTO(json_decrefp) json_t *stored = json_loads(f.host.inventory, 0, NULL);
		json_t *disk = json_array_get(json_object_get(stored, "disks"), 0);
		json_t *e = json_object_get(disk, "installation_eligibility");
		json_t *reasons = json_object_get(e, "not_eligible_reasons");
		if (c->reason) {
			assert_null(json_object_get(e, "eligible"));
			assert_non_null(
				strstr(json_string_value(json_array_get(reasons, 0)), c->reason));
		} else {
			assert_true(json_is_true(json_object_get(e, "eligible")));
			assert_true(json_is_null(reasons));
		}
		fix_done(&f);
	}
}

#define DISK(name, more)                                                   \
	"{\"name\":\"" name "\",\"path\":\"/dev/" name "\",\"id\":\"" name \
	"\",\"size_bytes\":200000000000," more "}"

static const struct {
	const char *what, *disks, *chosen, *to_format;
} choices[] = {
	{ "HDD before SSD",
	  DISK("sda", "\"drive_type\":\"SSD\"") "," DISK("sdb", "\"drive_type\":\"HDD\""), "sdb",
	  NULL },
	{ "bootable first",
	  DISK("sda", "\"drive_type\":\"HDD\"") "," DISK(
		  "sdb", "\"drive_type\":\"SSD\",\"bootable\":true"),
	  "sdb", "sdb" },
	{ "NVMe last",
	  DISK("nvme0n1", "\"drive_type\":\"HDD\"") "," DISK("sdb", "\"drive_type\":\"SSD\""),
	  "sdb", NULL },
	{ "smaller first",
	  DISK("sda",
	       "\"drive_type\":\"SSD\"") ",{\"name\":\"sdb\",\"path\":\"/dev/sdb\",\"id\":\"sdb\",\"drive_type\":\"SSD\","
					 "\"size_bytes\":150000000000}",
	  "sdb", NULL },
	{ "by HCTL",
	  DISK("sda", "\"drive_type\":\"SSD\",\"hctl\":\"1:0:0:0\"") "," DISK(
		  "sdb", "\"drive_type\":\"SSD\",\"hctl\":\"0:0:0:0\""),
	  "sdb", NULL },
	{ "path of a multipath device",
	  DISK("sda", "\"drive_type\":\"FC\",\"holders\":\"dm-0\"") "," DISK(
		  "dm-0", "\"drive_type\":\"Multipath\""),
	  "dm-0", NULL },
	{ "mixed paths",
	  DISK("sda", "\"drive_type\":\"FC\",\"holders\":\"dm-0\"") "," DISK(
		  "sdb",
		  "\"drive_type\":\"SSD\",\"holders\":\"dm-0\"") "," DISK("dm-0",
									  "\"drive_type\":\"Multipath\""),
	  "sdb", NULL },
	{ "iSCSI on a nic of its own",
	  DISK("sda", "\"drive_type\":\"iSCSI\",\"iscsi\":{\"host_ip_address\":\"198.51.100.7\"}"),
	  "sda", NULL },
	{ "iSCSI on the default nic",
	  DISK("sda", "\"drive_type\":\"iSCSI\",\"iscsi\":{\"host_ip_address\":\"192.0.2.5\"}"),
	  NULL, NULL },
	{ "removable is not formatted",
	  DISK("sda", "\"drive_type\":\"SSD\",\"bootable\":true,\"removable\":true"), "sda", NULL },
	{ "cards are not formatted", DISK("mmcblk0", "\"drive_type\":\"SSD\",\"bootable\":true"),
	  "mmcblk0", NULL },
	{ "media are not formatted",
	  DISK("sda", "\"drive_type\":\"SSD\",\"bootable\":true,\"is_installation_media\":true"),
	  "sda", NULL },
	{ "none", "", NULL, NULL },
};

static void test_choice(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(choices); i++) {
		struct fixture f;
		fix_init(&f, false);
		AUTO(freep) char *disks = str_printf("[%s]", choices[i].disks);
		AUTO(freep) char *text = fix_changed("disks", disks);
		print_message("%s\n", choices[i].what);
		fix_post(&f, text);
		assert_true(str_eq(f.host.installation_disk_id, choices[i].chosen));
		assert_true(str_eq(f.host.disks_to_be_formatted, choices[i].to_format));
		fix_done(&f);
	}
}

static void test_choice_is_kept(void **state)
{
	static const char *const names[] = { "sda", "/dev/sda" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct fixture f;
		fix_init(&f, false);
		str_set(&f.host.installation_disk_id, names[i]);
		AUTO(freep)
		char *text =
			fix_changed("disks", "[" DISK("sda", "\"drive_type\":\"SSD\"") "," DISK(
						     "sdb", "\"drive_type\":\"HDD\"") "]");
		fix_post(&f, text);
		assert_string_equal(f.host.installation_disk_id, "sda");
		fix_done(&f);
	}
}

static void test_skip_formatting(void **state)
{
	struct fixture f;
	fix_init(&f, false);
	str_set(&f.host.skip_formatting_disks, "x, sda");
	AUTO(freep)
	char *text = fix_changed(
		"disks", "[" DISK("sda", "\"drive_type\":\"SSD\",\"bootable\":true") "," DISK(
				 "sdb", "\"drive_type\":\"SSD\",\"bootable\":true") "]");
	fix_post(&f, text);
	assert_string_equal(f.host.disks_to_be_formatted, "sdb");
	fix_done(&f);
}

static void test_virtual_interfaces_are_dropped(void **state)
{
	struct fixture f;
	fix_init(&f, false);
	AUTO(freep)
	char *text = fix_changed(
		"interfaces",
		"[{\"name\":\"a\",\"type\":\"veth\"},{\"name\":\"b\",\"type\":\"bond\"},{\"name\":\"c\"},"
		"{\"name\":\"d\",\"type\":\"bridge\"},{\"name\":\"e\",\"type\":\"vlan\"}]");
	fix_post(&f, text);
	AUTO(json_decrefp) json_t *stored = json_loads(f.host.inventory, 0, NULL);
	json_t *list = json_object_get(stored, "interfaces");
	assert_int_equal(json_array_size(list), 3);
	assert_string_equal(json_str(json_array_get(list, 0), "name"), "b");
	assert_string_equal(json_str(json_array_get(list, 2), "name"), "e");
	fix_done(&f);
}

static void test_bad_input(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"null",
		"{",
		"{\"disks\":{}}",
		"{\"disks\":[1]}",
		"{\"hostname\":5}",
		"{\"cpu\":{\"count\":\"2\"}}",
		"{\"interfaces\":[{\"flags\":[1]}]}",
		"{\"cpu\":[]}",
	};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct fixture f;
		struct fault err = FAULT_INIT;
		fix_init(&f, false);
		str_set(&f.host.inventory, "{}");
		assert_int_equal(inventory_apply(&f.ctx, &f.host, bad[i], strlen(bad[i]), &err),
				 -EINVAL);
		assert_true(err.text[0]);
		assert_string_equal(f.host.inventory, "{}");
		fix_done(&f);
	}
}

static void test_list_limit(void **state)
{
	for (int over = 0; over < 2; over++) {
		AUTO(json_decrefp) json_t *root = json_object();
		json_t *list = json_array();
		for (int i = 0; i < 4096 + over; i++)
			json_array_append_new(list, json_object());
		json_object_set_new(root, "routes", list);
		AUTO(freep) char *text = json_dumps(root, JSON_COMPACT);
		struct fixture f;
		fix_init(&f, false);
		assert_int_equal(inventory_apply(&f.ctx, &f.host, text, strlen(text), NULL),
				 over ? -EINVAL : 0);
		fix_done(&f);
	}
}

/* --- against what the original stored (SLIPWAY_CORPUS) --- */

/* Reasons are sentences of our own: only how many there are must agree. */
static void count_reasons(json_t *inventory)
{
	size_t i;
	json_t *disk;
	json_array_foreach(json_object_get(inventory, "disks"), i, disk) {
		json_t *e = json_object_get(disk, "installation_eligibility");
		json_t *reasons = json_object_get(e, "not_eligible_reasons");
		json_object_set_new(e, "not_eligible_reasons",
				    json_integer((json_int_t)json_array_size(reasons)));
	}
}

static void replay(const char *posted_file, const char *stored_file)
{
	AUTO(json_decrefp) json_t *posted = fix_recording(posted_file);
	AUTO(json_decrefp) json_t *stored = fix_recording(stored_file);
	json_t *body = json_object_get(json_object_get(stored, "response"), "body");
	AUTO(freep) char *text = json_dumps(posted, JSON_COMPACT);
	struct fixture f;
	fix_init(&f, false);
	fix_post(&f, text);

	AUTO(json_decrefp) json_t *want = json_loads(json_str(body, "inventory"), 0, NULL);
	AUTO(json_decrefp) json_t *have = json_loads(f.host.inventory, 0, NULL);
	count_reasons(want);
	count_reasons(have);
	AUTO(freep) char *want_text = json_dumps(want, JSON_SORT_KEYS | JSON_INDENT(1));
	AUTO(freep) char *have_text = json_dumps(have, JSON_SORT_KEYS | JSON_INDENT(1));
	assert_string_equal(have_text, want_text);
	assert_true(str_eq(f.host.installation_disk_id, json_str(body, "installation_disk_id")));
	assert_true(
		str_eq(f.host.installation_disk_path, json_str(body, "installation_disk_path")));
	fix_done(&f);
}

static void test_replay_vmware(void **state)
{
	replay("inventory-vmware.json", "inventory-stored-vmware.json");
}

static void test_replay_kvm(void **state)
{
	replay("inventory-kvm-old-agent.json", "inventory-stored-kvm-old-agent.json");
}

static void test_replay_sample(void **state)
{
	replay("inventory-documentation-sample.json", "inventory-stored-documentation-sample.json");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_eligibility),
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_choice_is_kept),
		cmocka_unit_test(test_skip_formatting),
		cmocka_unit_test(test_virtual_interfaces_are_dropped),
		cmocka_unit_test(test_bad_input),
		cmocka_unit_test(test_list_limit),
		cmocka_unit_test(test_replay_vmware),
		cmocka_unit_test(test_replay_kvm),
		cmocka_unit_test(test_replay_sample),
	};
	return FIX_RUN(tests, 3);
}
