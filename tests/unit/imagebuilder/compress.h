#pragma once
/* Compressed input for the tests of the OS image importer. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>

/* @filter: "gzip", "xz", "zstd", "bzip2" */
static inline uint8_t *compress(const char *filter, const void *data, size_t len, size_t *ret_len)
{
	size_t room = len + (1u << 20), used = 0;
	uint8_t *out = malloc(room);
	struct archive *a = archive_write_new();
	struct archive_entry *e = archive_entry_new();

	archive_write_set_format_raw(a);
	assert_int_equal(archive_write_add_filter_by_name(a, filter), ARCHIVE_OK);
	archive_write_set_bytes_in_last_block(a, 1);
	assert_int_equal(archive_write_open_memory(a, out, room, &used), ARCHIVE_OK);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_write_header(a, e);
	assert_int_equal(archive_write_data(a, data, len), (int)len);
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	archive_entry_free(e);
	archive_write_free(a);
	*ret_len = used;
	return out;
}
