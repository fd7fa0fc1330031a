#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "common/cleanup.h"
#include "common/digest.h"
#include "fake_root.h"
#include "imagebuilder/imagebuilder.h"
#include "imagebuilder/iso_write.h"
#include "tiny_iso.h"

#define EPOCH 1700000000

static uint8_t token[256 << 10];
static char bios[4096], esp[65536];

static int make(struct fake_root *root, int *ret_fd, char digest[SHA256_HEX_LEN + 1])
{
	char esp_file[128];
	struct stat st;
	const struct iso_entry files[] = {
		{ "/boot/marker", "m", 1 },
		{ "/boot/grub/eltorito.img", bios, sizeof(bios) },
		{ "/boot/token.img", token, sizeof(token) },
		{ "/boot/a-rather-long-name.image", "long", 4 },
	};
	const struct iso_spec spec = { .volume_id = "SLIPWAY",
				       .epoch = EPOCH,
				       .files = files,
				       .n_files = ARRAY_SIZE(files),
				       .bios_image = "/boot/grub/eltorito.img",
				       .mbr = bios,
				       .mbr_len = 512,
				       .esp_file = esp_file };

	snprintf(esp_file, sizeof(esp_file), "%s/esp", root->path);
	int fd = tiny_file("", 0);
	int r = iso_write(&spec, fd, NULL);
	if (r < 0 || fstat(fd, &st) < 0)
		return r;
	AUTO(freep) char *data = malloc((size_t)st.st_size);
	assert_int_equal(pread(fd, data, (size_t)st.st_size, 0), st.st_size);
	sha256_hex(data, (size_t)st.st_size, digest);
	*ret_fd = fd;
	return 0;
}

/* What is written is found again by our own walk, the same twice in one process. */
static void test_write_and_find(void **state)
{
	char first[SHA256_HEX_LEN + 1], second[SHA256_HEX_LEN + 1], id[33], text[4];
	struct fake_root root;
	struct iso_area area;
	uint64_t offset, size;
	int a, b;

	memset(bios, 0x90, sizeof(bios));
	fake_root_make(&root);
	fake_root_file(&root, "esp", esp, sizeof(esp), 0644);
	assert_int_equal(make(&root, &a, first), 0);
	assert_int_equal(make(&root, &b, second), 0);
	assert_string_equal(first, second);

	assert_int_equal(iso_volume_id(a, id, NULL), 0);
	assert_string_equal(id, "SLIPWAY");
	assert_int_equal(iso_area_find(a, &area, NULL), 0);
	assert_int_equal(area.length, sizeof(token));
	assert_int_equal(area.offset % 2048, 0);
	/* An El Torito catalog is named by the boot record at block 17. */
	uint8_t record[2048];
	assert_int_equal(pread(a, record, sizeof(record), 17 * 2048), sizeof(record));
	assert_memory_equal(record + 7, "EL TORITO SPECIFICATION", 23);
	/* GPT at sector 1, boot signature in sector 0. */
	assert_int_equal(pread(a, record, sizeof(record), 0), sizeof(record));
	assert_memory_equal(record + 510,
			    "\x55\xaa"
			    "EFI PART",
			    10);
	assert_int_equal(iso_file_find(a, "/boot/marker", &offset, &size, NULL), 0);
	assert_int_equal(size, 1);
	assert_int_equal(pread(a, text, 1, (off_t)offset), 1);
	assert_int_equal(text[0], 'm');
	close(a);
	close(b);
	fake_root_done(&root);
}

static void test_missing_esp(void **state)
{
	char digest[SHA256_HEX_LEN + 1];
	struct fake_root root;
	int fd = -1;

	fake_root_make(&root);
	assert_int_equal(make(&root, &fd, digest), -EIO);
	fake_root_done(&root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write_and_find),
		cmocka_unit_test(test_missing_esp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
