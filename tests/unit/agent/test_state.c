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
#include <unistd.h>
#include "agent/state.h"
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/slx.h"

#define ID "11111111-2222-3333-4444-555555555555"

static void make(struct install_state *s, uint32_t chunks)
{
	struct disk_id disk = {
		.wwn = "0x5000c500", .serial = "S4E", .size_bytes = 1ull << 40, .diskseq = 9
	};
	uint8_t image[SHA256_LEN];

	memset(image, 0x42, sizeof(image));
	assert_int_equal(install_state_init(s, ID, image, chunks, &disk, NULL), 0);
	s->guids_n = 2;
	memset(s->guids[1], 0x77, 16);
	s->flushed[chunks / 16] = 0x5A;
}

static void test_round_trip(void **state)
{
	static const uint32_t sizes[] = { 1, 7, 8, 1000, SLX_ENTRIES_MAX };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		AUTO(install_state_done) struct install_state a, b = { 0 };
		AUTO(freep) void *data = NULL;
		size_t len;

		make(&a, sizes[i]);
		a.is_committed = i % 2;
		assert_int_equal(install_state_format(&a, &data, &len, NULL), 0);
		assert_true(len <= STATE_FILE_MAX);
		assert_int_equal(install_state_parse(data, len, &b, NULL), 0);
		assert_string_equal(b.install_id, ID);
		assert_string_equal(b.wwn, "0x5000c500");
		assert_string_equal(b.serial, "S4E");
		assert_int_equal(b.size_bytes, 1ull << 40);
		assert_int_equal(b.diskseq, 9);
		assert_int_equal(b.guids_n, 2);
		assert_int_equal(b.is_committed, i % 2);
		assert_memory_equal(a.guids, b.guids, sizeof(a.guids));
		assert_memory_equal(a.flushed, b.flushed, sizes[i] / 8 + 1);
	}
}

/* Whatever byte is wrong, wherever it ends: absent, never half believed. */
static void test_damage(void **state)
{
	AUTO(install_state_done) struct install_state a, b = { 0 };
	AUTO(freep) uint8_t *data = NULL;
	size_t len;

	make(&a, 100);
	assert_int_equal(install_state_format(&a, (void **)&data, &len, NULL), 0);
	for (size_t i = 0; i < len; i++) {
		data[i] ^= 0x10;
		assert_int_equal(install_state_parse(data, len, &b, NULL), -EBADMSG);
		data[i] ^= 0x10;
	}
	for (size_t cut = 0; cut < len; cut += 3)
		assert_int_equal(install_state_parse(data, cut, &b, NULL), -EBADMSG);
	assert_null(b.flushed);
}

static void test_save_and_load(void **state)
{
	AUTO(install_state_done) struct install_state a, b = { 0 }, want;
	char dir[] = "/tmp/slipway-state-XXXXXX", path[64];
	struct stat st;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/run/install.state", dir);
	make(&a, 100);
	make(&want, 100);
	memset(want.flushed, 0, 100 / 8 + 1);
	assert_int_equal(install_state_load(path, &want, &b), 0);
	assert_int_equal(install_state_save(path, &a, NULL), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(install_state_load(path, &want, &b), 1);
	assert_memory_equal(b.flushed, a.flushed, 100 / 8 + 1);

	/* the state of anything else is none */
	for (int what = 0; what < 6; what++) {
		AUTO(install_state_done) struct install_state other, none = { 0 };

		make(&other, what == 0 ? 101 : 100);
		if (what == 1)
			other.install_id[0] = '9';
		if (what == 2)
			other.image_id[31] ^= 1;
		if (what == 3)
			other.diskseq++;
		if (what == 4)
			strcpy(other.serial, "S4F");
		if (what == 5)
			other.size_bytes++;
		assert_int_equal(install_state_load(path, &other, &none), 0);
	}
	/* a damaged file is no state, and is replaced by the next save */
	AUTO(closep) int fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(fd_pwrite(fd, "x", 1, 3), 0);
	AUTO(install_state_done) struct install_state c = { 0 };
	assert_int_equal(install_state_load(path, &want, &c), 0);
	assert_int_equal(install_state_save(path, &a, NULL), 0);
	assert_int_equal(install_state_load(path, &want, &c), 1);
	assert_int_equal(dir_remove_at(AT_FDCWD, dir, NULL), 0);
}

static void test_id_too_long(void **state)
{
	struct disk_id disk = { 0 };
	uint8_t image[SHA256_LEN] = { 0 };
	struct install_state s = { 0 };

	assert_int_equal(install_state_init(&s, ID "x", image, 1, &disk, NULL), -EINVAL);
	assert_null(s.flushed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_save_and_load),
		cmocka_unit_test(test_id_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
