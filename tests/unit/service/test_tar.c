#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fd.h"
#include "common/str.h"
#include "service/tar.h"

/* What another reader of tar files sees: "NAME MODE MTIME CONTENT;" for each member. Owned by the caller. */
static char *seen_by_another(const void *data, size_t len)
{
	struct archive *a = archive_read_new();
	struct archive_entry *e;
	struct buf out;

	buf_init(&out, 1 << 20);
	archive_read_support_format_tar(a);
	assert_int_equal(archive_read_open_memory(a, data, len), ARCHIVE_OK);
	while (archive_read_next_header(a, &e) == ARCHIVE_OK) {
		char content[4096];
		la_ssize_t n = archive_read_data(a, content, sizeof(content));
		assert_true(n >= 0);
		buf_printf(&out, "%s %o %lld %.*s;", archive_entry_pathname(e),
			   (unsigned)archive_entry_mode(e), (long long)archive_entry_mtime(e),
			   (int)n, content);
	}
	assert_string_equal(archive_error_string(a) ? archive_error_string(a) : "", "");
	archive_read_free(a);
	return buf_take(&out);
}

static void test_append(void **state)
{
	AUTO(buf_done) struct buf out;
	AUTO(freep) char *block = malloc(513);
	char name[TAR_NAME_MAX + 2];

	memset(block, 'b', 512);
	block[512] = '\0';
	memset(name, 'n', sizeof(name));
	name[TAR_NAME_MAX] = '\0';
	buf_init(&out, 100000);
	assert_int_equal(tar_append(&out, "/etc/x/a", "hello", 5), 0);
	assert_int_equal(tar_append(&out, name, "", 0), 0);
	assert_int_equal(tar_append(&out, "full", block, 512), 0);
	name[TAR_NAME_MAX] = 'n';
	name[TAR_NAME_MAX + 1] = '\0';
	assert_int_equal(tar_append(&out, name, "", 0), -EINVAL);
	assert_int_equal(tar_append_end(&out), 0);
	assert_int_equal(out.len, 1024 + 512 + 1024 + 1024);
	name[TAR_NAME_MAX] = '\0';
	AUTO(freep)
	char *want =
		str_printf("/etc/x/a 100600 0 hello;%s 100600 0 ;full 100600 0 %s;", name, block);
	AUTO(freep) char *seen = seen_by_another(out.data, out.len);
	assert_string_equal(seen, want);
}

static char *read_all(struct http_source *src, size_t step)
{
	char *data = malloc(src->size);

	for (uint64_t at = 0; at < src->size;) {
		long n = src->pread(src->ctx, data + at, (size_t)MIN_OF(step, src->size - at), at);
		if (n <= 0)
			fail_msg("%ld at %llu", n, (unsigned long long)at);
		at += (uint64_t)n;
	}
	return data;
}

static void test_source(void **state)
{
	char dir[] = "/tmp/test-tar.XXXXXX";
	assert_non_null(mkdtemp(dir));
	AUTO(closep) int dirfd = open(dir, O_RDONLY | O_DIRECTORY);
	assert_int_equal(file_create_at(dirfd, "one", "first file", 10, 0600, NULL), 0);
	assert_int_equal(file_create_at(dirfd, "two", "2", 1, 0600, NULL), 0);

	struct tar *t = tar_new(dirfd);
	assert_non_null(t);
	assert_int_equal(tar_add_text(t, "events.json", strdup("[]"), 2, 7), 0);
	assert_int_equal(tar_add_file(t, "a.tar.gz", "one", 10, 1700000000), 0);
	assert_int_equal(tar_add_file(t, "b.tar.gz", "two", 1, -1), 0);
	assert_int_equal(tar_add_text(t, "empty", strdup(""), 0, 0), 0);
	assert_int_equal(tar_add_file(t, "huge", "two", TAR_SIZE_MAX, 0), -ENOMEM);
	struct http_source src = tar_source(t);
	assert_int_equal(src.size, 3 * 1024 + 512 + 1024);

	static const size_t steps[] = { 1, 511, 513, 100000 };
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		AUTO(freep) char *data = read_all(&src, steps[i]);
		AUTO(freep) char *seen = seen_by_another(data, src.size);
		assert_string_equal(seen,
				    "events.json 100600 7 [];a.tar.gz 100600 1700000000 first file;"
				    "b.tar.gz 100600 8589934591 2;empty 100600 0 ;");
	}
	/* a file that was replaced meanwhile: no bytes of the one in the place of the other's size */
	char byte;
	assert_int_equal(file_replace_at(dirfd, "two", "longer", 6, 0600, NULL), 0);
	assert_int_equal(src.pread(src.ctx, &byte, 1, 1024 + 512), 1);
	assert_int_equal(src.pread(src.ctx, &byte, 1, 2048 + 512), -EIO);
	assert_int_equal(unlinkat(dirfd, "one", 0), 0);
	assert_int_equal(src.pread(src.ctx, &byte, 1, 1024 + 512), -EIO);
	src.free(src.ctx);
	assert_int_equal(unlinkat(dirfd, "two", 0), 0);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_append),
		cmocka_unit_test(test_source),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
