/* Names of PCI devices, looked up line by line. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "hwprobe/pci_ids.h"
#include "tests/unit/hwprobe/tree.h"

static const char database[] =
	"# comment\n10dd  Before\n\t1eb8  Wrong vendor\n\n10de  NVIDIA Corporation\n# inside\n"
	"\t1eb8  TU104GL [Tesla T4]\n\t\t10de 12a2  Tesla T4\n\t1EB9  Upper case\n10df  Emulex\n"
	"\te000  Behind\nffff\nabcd X\n1234  \r\n\t0001      \n1235  Line ends \r\n\t0001  of DOS\t\r\nC 03  Display controller\n\t00  VGA\n0300  Not a vendor";

static void test_lookup(void **state)
{
	static const struct {
		const char *vendor, *device, *vendor_name, *device_name;
	} tests[] = {
		{ "10de", "1eb8", "NVIDIA Corporation", "TU104GL [Tesla T4]" },
		{ "10de", "1eb9", "NVIDIA Corporation", "Upper case" },
		{ "10DE", "1eb8", "NVIDIA Corporation", "TU104GL [Tesla T4]" },
		{ "10de", "e000", "NVIDIA Corporation", NULL }, /* another vendor's */
		{ "10de", "12a2", "NVIDIA Corporation", NULL }, /* a subsystem */
		{ "10de", NULL, "NVIDIA Corporation", NULL },
		{ "10df", "e000", "Emulex", "Behind" },
		{ "ffff", "0001", NULL, NULL }, /* without a name */
		{ "abcd", "0001", NULL, NULL },
		{ "1234", "0001", NULL, NULL }, /* blanks */
		{ "1235", "0001", "Line ends", "of DOS" },
		{ "0300", "0000", NULL, NULL }, /* behind the list of classes */
		{ "beef", "0000", NULL, NULL },
	};
	struct tree t;
	struct pci_ids ids;
	char path[128];
	tree_init(&t);
	tree_file(&t, "ids", database);
	snprintf(path, sizeof(path), "%s/ids", t.dir);
	assert_int_equal(pci_ids_open(&ids, path), 0);
	assert_int_equal(ids.len, sizeof(database) - 1);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct arena a = { 0 };
		char *vendor, *device;
		pci_ids_find(&ids, &a, tests[i].vendor, tests[i].device, &vendor, &device);
		if (!vendor != !tests[i].vendor_name || !device != !tests[i].device_name ||
		    (vendor && strcmp(vendor, tests[i].vendor_name)) ||
		    (device && strcmp(device, tests[i].device_name)))
			fail_msg("%s:%s is %s, %s", tests[i].vendor, tests[i].device, vendor,
				 device);
		arena_done(&a);
	}
	pci_ids_done(&ids);
	assert_null(ids.text);
	tree_done(&t);
}

/* No file, an empty one, a folder: names are unknown, nothing fails. */
static void test_no_database(void **state)
{
	static const char *const names[] = { "none", "empty", "folder" };
	static const int wanted[] = { -ENOENT, -EBADMSG, -EBADMSG };
	struct tree t;
	tree_init(&t);
	tree_file(&t, "empty", "");
	tree_dir(&t, "folder");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct arena a = { 0 };
		struct pci_ids ids;
		char path[128], *vendor, *device;
		snprintf(path, sizeof(path), "%s/%s", t.dir, names[i]);
		assert_int_equal(pci_ids_open(&ids, path), wanted[i]);
		assert_null(ids.text);
		pci_ids_find(&ids, &a, "10de", "1eb8", &vendor, &device);
		assert_null(vendor);
		assert_null(device);
		pci_ids_done(&ids);
		arena_done(&a);
	}
	tree_done(&t);
}

/* Cut anywhere: nothing behind the end is read. The mapping ends with the page, so a copy of exactly that length is used. */
static void test_cut(void **state)
{
	for (size_t n = 0; n < sizeof(database); n++) {
		struct arena a = { 0 };
		char *copy = malloc(n ? n : 1), *vendor, *device;
		memcpy(copy, database, n);
		const struct pci_ids ids = { .text = n ? copy : NULL, .len = n };
		pci_ids_find(&ids, &a, "10df", "e000", &vendor, &device);
		if (device)
			assert_memory_equal(device, "Behind", strlen(device));
		free(copy);
		arena_done(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_no_database),
		cmocka_unit_test(test_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
