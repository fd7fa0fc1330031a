/*
 * Boot entries: the lists and load options by themselves, and the whole through libefivar on a
 * folder that stands for efivarfs (EFIVARFS_PATH).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "agent/efiboot.h"
#include "common/cleanup.h"
#include "common/fd.h"

#define GLOBAL "8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define LOADER "\\EFI\\BOOT\\BOOTX64.EFI"

static void test_order(void **state)
{
	static const struct {
		uint16_t before[5], n, number;
		int current; /* -1 = unknown */
		enum install_boot_order how;
		uint16_t after[6];
		uint32_t after_n;
	} cases[] = {
		{ { 1, 2, 3 }, 3, 9, 2, INSTALL_BOOT_AFTER_CURRENT, { 1, 2, 9, 3 }, 4 },
		{ { 1, 2, 3 }, 3, 9, 3, INSTALL_BOOT_AFTER_CURRENT, { 1, 2, 3, 9 }, 4 },
		{ { 1, 2, 3 }, 3, 9, 2, INSTALL_BOOT_FIRST, { 9, 1, 2, 3 }, 4 },
		{ { 1, 2, 3 }, 3, 9, 7, INSTALL_BOOT_AFTER_CURRENT, { 9, 1, 2, 3 }, 4 },
		{ { 1, 2, 3 }, 3, 9, -1, INSTALL_BOOT_AFTER_CURRENT, { 9, 1, 2, 3 }, 4 },
		{ { 0 }, 0, 9, 1, INSTALL_BOOT_AFTER_CURRENT, { 9 }, 1 },
		{ { 9, 1, 9, 2 }, 4, 9, 1, INSTALL_BOOT_AFTER_CURRENT, { 1, 9, 2 }, 3 },
		{ { 1, 9 }, 2, 9, 9, INSTALL_BOOT_AFTER_CURRENT, { 9, 1 }, 2 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint16_t order[6], current = (uint16_t)cases[i].current;

		memcpy(order, cases[i].before, sizeof(cases[i].before));
		uint32_t n = efiboot_order_insert(order, cases[i].n, cases[i].number,
						  cases[i].current < 0 ? NULL : &current,
						  cases[i].how);
		assert_int_equal(n, cases[i].after_n);
		assert_memory_equal(order, cases[i].after, n * 2);
	}
}

/* A load option as firmware writes it: hard disk node with @guid_byte, file node with @path. */
static size_t option(uint8_t *out, uint8_t guid_byte, const char *path)
{
	size_t at = 6, start, file = 4 + 2 * (strlen(path) + 1);

	memset(out, 0, 512);
	out[0] = 1;
	memcpy(out + at, "O\0S\0\0\0", 6);
	at += 6;
	start = at;
	memcpy(out + at, "\x04\x01\x2a\x00\x02\x00\x00\x00", 8);
	memset(out + at + 24, guid_byte, 16);
	out[at + 40] = out[at + 41] = 2;
	at += 42;
	out[at] = out[at + 1] = 4;
	out[at + 2] = (uint8_t)file;
	for (size_t i = 0; path[i]; i++)
		out[at + 4 + 2 * i] = (uint8_t)path[i];
	at += file;
	memcpy(out + at, "\x7f\xff\x04\x00", 4);
	at += 4;
	out[4] = (uint8_t)(at - start);
	out[5] = (uint8_t)((at - start) >> 8);
	return at;
}

static void test_option(void **state)
{
	uint8_t data[512], guid[16], want[16];
	bool is_loader;
	size_t len = option(data, 0x5A, LOADER);

	memset(want, 0x5A, 16);
	assert_true(efiboot_option_disk(data, len, LOADER, guid, &is_loader));
	assert_memory_equal(guid, want, 16);
	assert_true(is_loader);
	assert_true(efiboot_option_disk(data, len, "\\EFI\\debian\\shimx64.efi", guid, &is_loader));
	assert_false(is_loader);
	/* cut anywhere: no read behind the end (the sanitizers watch) */
	for (size_t cut = 0; cut < len; cut++) {
		AUTO(freep) uint8_t *copy = malloc(cut + 1);

		memcpy(copy, data, cut);
		(void)efiboot_option_disk(copy, cut, LOADER, guid, &is_loader);
	}
	/* a node that claims no length, or more than there is */
	data[12 + 2] = 0;
	assert_false(efiboot_option_disk(data, len, LOADER, guid, &is_loader));
	data[12 + 3] = 0xFF;
	assert_false(efiboot_option_disk(data, len, LOADER, guid, &is_loader));
}

static char vars[64];

static void variable_put(const char *name, const void *data, size_t len)
{
	char path[160];
	uint8_t content[600] = { 7 };

	snprintf(path, sizeof(path), "%s%s-" GLOBAL, vars, name);
	memcpy(content + 4, data, len);
	AUTO(closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_int_equal(fd_write(fd, content, len + 4), 0);
}

/* Without the attributes; -1 = not there. */
static ssize_t variable_get(const char *name, uint8_t *data, size_t size)
{
	char path[160];
	uint8_t content[600];

	snprintf(path, sizeof(path), "%s%s-" GLOBAL, vars, name);
	AUTO(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ssize_t n = fd_read(fd, content, sizeof(content));
	assert_true(n >= 4 && (size_t)n - 4 <= size);
	assert_int_equal(content[0], 7);
	memcpy(data, content + 4, (size_t)n - 4);
	return n - 4;
}

static int vars_make(void **state)
{
	/*
	 * of the same length before and after: a plain folder does not shorten a file that is
	 * written again, efivarfs does
	 */
	static const uint16_t order[] = { 1, 3, 5 }, current = 1;
	uint8_t data[512];

	strcpy(vars, getenv("EFIVARFS_PATH"));
	if (dir_make_at(AT_FDCWD, vars, 0700, NULL) < 0)
		return -1;
	variable_put("Boot0001", data, option(data, 0x01, "\\EFI\\BOOT\\NET.EFI"));
	variable_put("Boot0002", data,
		     option(data, 0x77,
			    "\\EFI\\debian\\shimx64.efi")); /* on the disk that is overwritten */
	variable_put("Boot0003", data,
		     option(data, 0x33,
			    "\\EFI\\debian\\shimx64.efi")); /* another disk, the same system */
	variable_put("Boot0005", data, option(data, 0x77, LOADER));
	variable_put("BootOrder", order, sizeof(order));
	variable_put("BootCurrent", &current, 2);
	return 0;
}

static int vars_remove(void **state)
{
	return dir_remove_at(AT_FDCWD, vars, NULL);
}

static struct efiboot_spec spec_of(uint8_t guid_byte, const uint8_t (*stale)[16], uint32_t n)
{
	struct efiboot_spec s = {
		.label = "Slipway node",
		.loader = LOADER,
		.part_number = 2,
		.part_start = 4096,
		.part_size = 8192,
		.stale = stale,
		.stale_n = n,
	};

	memset(s.part_guid, guid_byte, 16);
	return s;
}

static void test_set(void **state)
{
	uint8_t stale[1][16], data[512], guid[16];
	uint16_t numbers[8];
	struct efiboot_result result;
	struct fault err = FAULT_INIT;
	bool is_loader;

	if (!efiboot_is_available())
		fail_msg("libefivar does not take EFIVARFS_PATH");
	memset(stale, 0x77, sizeof(stale));
	const struct efiboot_spec spec = spec_of(0xE5, stale, 1);
	if (efiboot_set(&spec, &result, &err) != 0)
		fail_msg("%s", fault_text(&err));
	/* lowest free number; only the entries of the overwritten disk are gone */
	assert_int_equal(result.number, 0);
	assert_int_equal(result.removed, 2);
	assert_false(result.was_there);
	assert_int_equal(variable_get("Boot0002", data, sizeof(data)), -1);
	assert_int_equal(variable_get("Boot0005", data, sizeof(data)), -1);
	assert_true(variable_get("Boot0003", data, sizeof(data)) > 0);
	assert_int_equal(variable_get("BootOrder", (uint8_t *)numbers, sizeof(numbers)), 6);
	assert_memory_equal(numbers, ((const uint16_t[]){ 1, 0, 3 }), 6);
	assert_int_equal(variable_get("BootNext", (uint8_t *)numbers, sizeof(numbers)), 2);
	assert_int_equal(numbers[0], 0);

	ssize_t len = variable_get("Boot0000", data, sizeof(data));
	assert_true(len > 0);
	assert_true(efiboot_option_disk(data, (size_t)len, LOADER, guid, &is_loader));
	assert_true(is_loader);
	assert_memory_equal(guid, spec.part_guid, 16);
	uint64_t place[2];
	memcpy(place, data + 6 + 26 + 8, 16); /* "Slipway node" is 26 bytes of UCS-2 */
	assert_int_equal(place[0], 4096);
	assert_int_equal(place[1], 8192);
}

/*
 * The same image on the same disk again: its entry has the new partition's GUID too and is used,
 * not doubled.
 */
static void test_set_again(void **state)
{
	uint8_t stale[1][16], data[512];
	struct efiboot_result result;

	memset(stale, 0x77, sizeof(stale));
	const struct efiboot_spec spec = spec_of(0x77, stale, 1);
	assert_int_equal(efiboot_set(&spec, &result, NULL), 0);
	assert_true(result.was_there);
	assert_int_equal(result.number, 5);
	assert_int_equal(result.removed, 1);
	assert_int_equal(variable_get("Boot0000", data, sizeof(data)), -1);
	assert_int_equal(efiboot_set(&spec, &result, NULL), 0);
	assert_int_equal(result.number, 5);
}

static void test_empty_store(void **state)
{
	struct efiboot_result result;
	uint16_t numbers[4];
	static const char *const names[] = { "Boot0001", "Boot0002",  "Boot0003",
					     "Boot0005", "BootOrder", "BootCurrent" };
	char path[160];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s%s-" GLOBAL, vars, names[i]);
		assert_int_equal(unlink(path), 0);
	}
	const struct efiboot_spec spec = spec_of(0xE5, NULL, 0);
	assert_int_equal(efiboot_set(&spec, &result, NULL), 0);
	assert_int_equal(variable_get("BootOrder", (uint8_t *)numbers, sizeof(numbers)), 2);
	assert_int_equal(numbers[0], result.number);
}

/*
 * libefivar chooses its back end when it is loaded: the folder is named before that, by starting
 * anew.
 */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_option),
		cmocka_unit_test_setup_teardown(test_set, vars_make, vars_remove),
		cmocka_unit_test_setup_teardown(test_set_again, vars_make, vars_remove),
		cmocka_unit_test_setup_teardown(test_empty_store, vars_make, vars_remove),
	};

	if (!getenv("EFIVARFS_PATH")) {
		char folder[] = "/tmp/slipway-efivars-XXXXXX", path[64];

		if (!mkdtemp(folder))
			return 1;
		snprintf(path, sizeof(path), "%s/", folder); /* the library only appends the name */
		setenv("EFIVARFS_PATH", path, 1);
		execv("/proc/self/exe", argv);
		return 1;
	}
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)rmdir(getenv("EFIVARFS_PATH"));
	return failed;
}
