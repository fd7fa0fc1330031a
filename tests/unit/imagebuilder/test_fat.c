#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "imagebuilder/fat.h"

static const char *const folders[] = { "EFI", "BOOT", NULL };

static unsigned le16(const uint8_t *p)
{
	return p[0] | (unsigned)p[1] << 8;
}

static uint32_t le32(const uint8_t *p)
{
	return le16(p) | (uint32_t)le16(p + 2) << 16;
}

/* A second, independent reading of the layout (fatgen103), that trusts only the boot sector. */
struct volume {
	const uint8_t *data;
	const uint8_t *fat, *root, *clusters;
	unsigned n_clusters;
};

static void volume_open(struct volume *v, const uint8_t *d, size_t len)
{
	unsigned reserved = le16(d + 14), fat = le16(d + 22), root = le16(d + 17) * 32 / 512;
	unsigned total = le16(d + 19) ? le16(d + 19) : le32(d + 32);

	assert_int_equal(le16(d + 11), 512);
	assert_int_equal(d[13], 1);
	assert_int_equal(le16(d + 510), 0xaa55);
	assert_int_equal((size_t)total * 512, len);
	v->n_clusters = total - reserved - 2 * fat - root;
	assert_in_range(v->n_clusters, 4085, 65524); /* what makes it FAT16 */
	assert_true((v->n_clusters + 2) * 2 <= fat * 512);
	assert_memory_equal(d + reserved * 512, d + (reserved + fat) * 512, fat * 512);
	*v = (struct volume){ d, d + reserved * 512, d + (reserved + 2 * fat) * 512,
			      d + (reserved + 2 * fat + root) * 512, v->n_clusters };
}

static const uint8_t *find(const struct volume *v, const uint8_t *dir, const char *name)
{
	for (; *dir; dir += 32)
		if (memcmp(dir, name, 11) == 0)
			return dir;
	return NULL;
}

static const uint8_t *cluster(const struct volume *v, unsigned n)
{
	assert_in_range(n, 2, v->n_clusters + 1);
	return v->clusters + (size_t)(n - 2) * 512;
}

static void check_file(const struct volume *v, const uint8_t *entry, const struct fat_file *f)
{
	unsigned n = le16(entry + 26);
	size_t at = 0;

	assert_int_equal(le32(entry + 28), f->len);
	for (; at < f->len; at += 512, n = le16(v->fat + n * 2))
		assert_memory_equal(cluster(v, n), (const char *)f->data + at,
				    MIN_OF(f->len - at, (size_t)512));
	if (f->len)
		assert_int_equal(n, 0xffff);
	else
		assert_int_equal(n, 0);
}

static void test_contents(void **state)
{
	AUTO(freep) char *big = malloc(3000000);
	AUTO(freep) void *image = NULL, *again = NULL;
	size_t len, len_again;
	struct volume v;

	for (size_t i = 0; i < 3000000; i++)
		big[i] = (char)(i * 31 >> 5);
	const struct fat_file files[] = { { "BOOTX64.EFI", big, 3000000 },
					  { "EMPTY", "", 0 },
					  { "ONE.TXT", big, 512 } };
	assert_int_equal(fat_image(folders, files, 3, 1700000000, 0x12345678, &image, &len, NULL),
			 0);
	assert_int_equal(len % 2048, 0);
	volume_open(&v, image, len);
	const uint8_t *efi = find(&v, v.root, "EFI        ");
	assert_non_null(efi);
	const uint8_t *boot = find(&v, cluster(&v, le16(efi + 26)), "BOOT       ");
	assert_non_null(boot);
	const uint8_t *dir = cluster(&v, le16(boot + 26));
	check_file(&v, find(&v, dir, "BOOTX64 EFI"), &files[0]);
	check_file(&v, find(&v, dir, "EMPTY      "), &files[1]);
	check_file(&v, find(&v, dir, "ONE     TXT"), &files[2]);
	assert_int_equal(le16(find(&v, dir, "..         ") + 26), le16(efi + 26));
	assert_int_equal(le16(boot + 24), (2023 - 1980) << 9 | 11 << 5 | 14); /* 2023-11-14 */

	assert_int_equal(
		fat_image(folders, files, 3, 1700000000, 0x12345678, &again, &len_again, NULL), 0);
	assert_int_equal(len, len_again);
	assert_memory_equal(image, again, len);
}

static void test_refused(void **state)
{
	static const char data[1];
	static const struct {
		struct fat_file f;
		int r;
	} cases[] = {
		{ { "TOOLONGNAME.EFI", data, 1 }, -EINVAL },
		{ { "A.LONG", data, 1 }, -EINVAL },
		{ { ".EFI", data, 1 }, -EINVAL },
		{ { "A.B.C", data, 1 }, -EINVAL },
		{ { "BIG.EFI", data, FAT_SIZE_MAX + 1 }, -EFBIG },
		{ { "BIG.EFI", data, FAT_SIZE_MAX },
		  -EFBIG }, /* the tables need room, too: refused before it is read */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		void *image = NULL;
		size_t len;
		assert_int_equal(fat_image(folders, &cases[i].f, 1, 0, 0, &image, &len, NULL),
				 cases[i].r);
		assert_null(image);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contents),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
