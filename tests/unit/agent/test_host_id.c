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
#include <sys/stat.h>
#include "agent/host_id.h"
#include "common/cleanup.h"
#include "common/digest.h"
#include "common/fd.h"

#define UUID_A "4c4c4544-0042-3510-8052-b4c04f4d3132"

static void md5_uuid(const char *text, char ret[UUID_LEN + 1])
{
	uint8_t sum[16];
	md5(text, strlen(text), sum);
	uuid_format(sum, ret);
}

struct row {
	const char *what, *serial, *uuid;
	const char *macs[4];
	const char *md5_of; /* or */
	const char *id;
};

static const struct row rows[] = {
	{ "serial alone: the original's rule", "CN12345", NULL, { NULL }, "CN12345", NULL },
	{ "serial is trimmed, its case is kept", " cN12345 \n", NULL, { NULL }, "cN12345", NULL },
	{ "serial and UUID: two boards with one serial differ",
	  "CN12345",
	  UUID_A,
	  { NULL },
	  "CN12345" UUID_A,
	  NULL },
	{ "UUID in capitals counts the same",
	  "CN12345",
	  "4C4C4544-0042-3510-8052-B4C04F4D3132",
	  { NULL },
	  "CN12345" UUID_A,
	  NULL },
	{ "a serial that says nothing: UUID", "Default string", UUID_A, { NULL }, NULL, UUID_A },
	{ "to be filled by the maker: UUID",
	  "To be filled by O.E.M.",
	  UUID_A,
	  { NULL },
	  NULL,
	  UUID_A },
	{ "(none)", "(none)", UUID_A, { NULL }, NULL, UUID_A },
	{ "the UUID of many boards: MAC",
	  "",
	  "03000200-0400-0500-0006-000700080009",
	  { "52:54:00:00:00:02", "52:54:00:00:00:01" },
	  "52:54:00:00:00:01",
	  NULL },
	{ "all zeros: MAC",
	  NULL,
	  "00000000-0000-0000-0000-000000000000",
	  { "0a:00:00:00:00:01" },
	  "0a:00:00:00:00:01",
	  NULL },
	{ "a bad UUID does not spoil the serial",
	  "CN1",
	  "03000200-0400-0500-0006-000700080009",
	  { NULL },
	  "CN1",
	  NULL },
	{ "no UUID at all: text of another form",
	  NULL,
	  "Not Settable",
	  { "0a:00:00:00:00:01" },
	  "0a:00:00:00:00:01",
	  NULL },
	{ "nothing", NULL, NULL, { NULL }, NULL, "deaddead-dead-dead-dead-deaddeaddead" },
};

static void test_rule(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *r = &rows[i];
		struct host_id_input in = { .board_serial = r->serial,
					    .system_uuid = r->uuid,
					    .macs = r->macs };
		char want[UUID_LEN + 1], got[UUID_LEN + 1] = "";

		while (in.n_macs < ARRAY_SIZE(r->macs) && r->macs[in.n_macs])
			in.n_macs++;
		if (r->md5_of)
			md5_uuid(r->md5_of, want);
		else
			str_copy(want, sizeof(want), r->id);
		host_id_compute(&in, got);
		if (strcmp(got, want))
			fail_msg("%s: %s, not %s", r->what, got, want);
	}
}

/* The recorded machine of the protocol reference has no DMI and three addresses; the original called it this. */
static void test_recorded(void **state)
{
	static const char *const macs[] = { "0a:62:4c:df:a3:4e", "12:ab:c4:4a:41:10",
					    "02:fc:00:00:00:01" };
	struct host_id_input in = { .macs = macs, .n_macs = 3 };
	char got[UUID_LEN + 1];

	host_id_compute(&in, got);
	assert_string_equal(got, "b1f5c5b7-caf8-66bd-addd-439b331f2640");
}

static void put(const char *root, const char *path, const char *text)
{
	char name[512];
	snprintf(name, sizeof(name), "%s/%s", root, path);
	char *slash = strrchr(name, '/');
	*slash = '\0';
	assert_int_equal(dir_make_at(AT_FDCWD, name, 0755, NULL), 0);
	*slash = '/';
	assert_int_equal(file_create_at(AT_FDCWD, name, text, strlen(text), 0644, NULL), 0);
}

static void test_read(void **state)
{
	char root[] = "/tmp/host_id.XXXXXX", want[UUID_LEN + 1], got[UUID_LEN + 1];
	assert_non_null(mkdtemp(root));

	put(root, "class/net/lo/address", "00:00:00:00:00:00\n");
	put(root, "class/net/veth0/address", "02:00:00:00:00:01\n");
	put(root, "class/net/eth0/address", "52:54:00:12:34:56\n");
	put(root, "class/net/eth0/device/vendor", "0x1af4\n");
	bool is_by_firmware = true;
	assert_int_equal(host_id_read(root, got, &is_by_firmware, NULL), 0);
	assert_false(is_by_firmware);
	md5_uuid("52:54:00:12:34:56", want); /* the one with a device, though the other is lower */
	assert_string_equal(got, want);

	put(root, "class/dmi/id/board_serial", "SN-77 \n");
	put(root, "class/dmi/id/product_uuid", UUID_A "\n");
	assert_int_equal(host_id_read(root, got, &is_by_firmware, NULL), 0);
	assert_true(is_by_firmware);
	md5_uuid("SN-77" UUID_A, want);
	assert_string_equal(got, want);
	assert_int_equal(dir_remove_at(AT_FDCWD, root, NULL), 0);
	assert_int_equal(host_id_read(root, got, &is_by_firmware, NULL), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rule),
		cmocka_unit_test(test_recorded),
		cmocka_unit_test(test_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
