#include "rules_fixture.h"
#include "service/disk_rules.h"

static void test_size_text(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} rows[] = {
		{ 0, "0 B" },
		{ 999, "999 B" },
		{ 1000, "1 kB" },
		{ 106516480, "106.516 MB" },
		{ 21474836480, "21.474 GB" },
		{ 49999999999, "49.999 GB" },
		{ 100000000000, "100 GB" },
		{ 2000398934016, "2 TB" },
		{ UINT64_MAX, "18.446 EB" },
		{ 1500, "1.5 kB" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[SIZE_TEXT_LEN];
		disk_size_text(rows[i].bytes, text);
		assert_string_equal(text, rows[i].text);
	}
}

static void test_names(void **state)
{
	AUTO(json_decrefp)
	json_t *disk = json_loads(
		"{\"id\":\"/dev/disk/by-id/x\",\"by_path\":\"/dev/disk/by-path/y\",\"name\":\"sda\"}",
		0, NULL);
	assert_true(disk_is_named(disk, "/dev/disk/by-id/x"));
	assert_true(disk_is_named(disk, "/dev/disk/by-path/y"));
	assert_true(disk_is_named(disk, "/dev/sda"));
	assert_false(disk_is_named(disk, "sda"));
	assert_false(disk_is_named(disk, "/dev/sdb"));
	assert_false(disk_is_named(disk, ""));
	assert_false(disk_is_named(disk, NULL));
	AUTO(json_decrefp) json_t *bare = json_object();
	assert_false(disk_is_named(bare, "")); /* fields that are absent are not the empty name */
}

static void test_find(void **state)
{
	struct fixture f;
	json_t *disk = NULL;
	fix_init(&f, false);
	AUTO(freep) char *text = fix_changed("disks.0.size_bytes", "1");
	fix_post(&f, text);
	AUTO(json_decrefp) json_t *inventory = json_loads(f.host.inventory, 0, NULL);
	assert_int_equal(inventory_find_disk(inventory, "/dev/vda", false, &disk), 1);
	assert_string_equal(json_str(disk, "name"), "vda");
	assert_int_equal(inventory_find_disk(inventory, "/dev/vda", true, &disk), 0);
	assert_int_equal(inventory_find_disk(NULL, "/dev/vda", false, &disk), 0);
	fix_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_size_text),
					    cmocka_unit_test(test_names),
					    cmocka_unit_test(test_find) };
	return FIX_RUN(tests, 0);
}
