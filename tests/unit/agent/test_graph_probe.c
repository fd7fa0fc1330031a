/*
 * What is on a disk: file systems of partitions through the disk's own descriptor, types from its
 * table, and what is on the volumes that stand on it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include "agent/graph.h"
#include "tests/unit/agent/member_rig.h"
#include "tests/unit/disk_rig.h"

#define SECTOR 512u

static struct graph_node *find(const struct graph *g, const char *name)
{
	for (size_t i = 0; i < g->n; i++)
		if (str_eq(g->nodes[i].name, name))
			return &g->nodes[i];
	return NULL;
}

static void put_table(int fd)
{
	const struct rig_part parts[] = {
		{ gpt_type_vmfs, "shared", 4, 16, 0xB1 },
		{ gpt_type_linux, "root", 20, 20, 0x60 },
	};
	AUTO(freep) uint8_t *image = calloc(1, MEMBER_DISK_BYTES);

	rig_table(image, MEMBER_DISK_BYTES, SECTOR, parts, 2);
	put(fd, 0, image, RIG_MIB);
}

/* The same with the backup at the end, and the primary damaged. */
static void put_backup(int fd)
{
	AUTO(freep) uint8_t *head = calloc(1, RIG_MIB);
	AUTO(gpt_done) struct gpt table = { 0 };
	AUTO(freep) void *backup = NULL;
	const uint8_t bad = 0xFF;
	uint64_t at;
	size_t len;

	assert_int_equal(fd_pread(fd, head, RIG_MIB, 0), RIG_MIB);
	assert_int_equal(gpt_parse(head, RIG_MIB, SECTOR, &table, NULL), 0);
	assert_int_equal(gpt_make_backup(&table, &backup, &len, &at, NULL), 0);
	put(fd, at, backup, len);
	put(fd, SECTOR + 60, &bad, 1);
}

static void test_disk(void **state)
{
	AUTO(machine_done) struct machine m;
	AUTO(graph_done) struct graph g = { 0 };

	machine_make(&m);
	AUTO(closep) int fd = machine_disk(&m, "sda");
	machine_part(&m, "sda", 1, 4 << 20, 16 << 20);
	machine_part(&m, "sda", 2, 20 << 20, 20 << 20);
	put_table(fd);
	put_btrfs(fd, 20 << 20, 1, 2, 1);
	assert_int_equal(graph_read(m.root, machine_devno(0, 0), &g, NULL), 0);
	assert_int_equal(graph_probe(&g, m.root, fd, SECTOR, NULL), 0);
	assert_string_equal(find(&g, "sda1")->fstype, "");
	assert_memory_equal(find(&g, "sda1")->part_type, gpt_type_vmfs, 16);
	assert_int_equal(find(&g, "sda1")->part_guid[3], 0xB1);
	assert_string_equal(find(&g, "sda2")->fstype, "btrfs");
	assert_string_equal(find(&g, "sda2")->label, "data");
	assert_memory_equal(find(&g, "sda2")->part_type, gpt_type_linux, 16);
	assert_string_equal(g.nodes[0].fstype, "");
}

/* A damaged table gives no types, and the file systems are seen all the same. */
static void test_damaged_table(void **state)
{
	AUTO(machine_done) struct machine m;
	AUTO(graph_done) struct graph g = { 0 };
	const uint8_t bad = 0xFF;

	machine_make(&m);
	AUTO(closep) int fd = machine_disk(&m, "sda");
	machine_part(&m, "sda", 2, 20 << 20, 20 << 20);
	put_table(fd);
	put(fd, SECTOR + 60, &bad, 1);
	put_btrfs(fd, 20 << 20, 1, 2, 1);
	assert_int_equal(graph_read(m.root, machine_devno(0, 0), &g, NULL), 0);
	assert_int_equal(graph_probe(&g, m.root, fd, SECTOR, NULL), 0);
	assert_int_equal(find(&g, "sda2")->part_type[0], 0);
	assert_string_equal(find(&g, "sda2")->fstype, "btrfs");
}

/* The kernel shows the partitions of the backup: what they are is told by that. */
static void test_backup_table(void **state)
{
	AUTO(machine_done) struct machine m;
	AUTO(graph_done) struct graph g = { 0 };

	machine_make(&m);
	AUTO(closep) int fd = machine_disk(&m, "sda");
	machine_part(&m, "sda", 1, 4 << 20, 16 << 20);
	machine_part(&m, "sda", 2, 20 << 20, 20 << 20);
	put_table(fd);
	put_backup(fd);
	assert_int_equal(graph_read(m.root, machine_devno(0, 0), &g, NULL), 0);
	assert_int_equal(graph_probe(&g, m.root, fd, SECTOR, NULL), 0);
	assert_memory_equal(find(&g, "sda1")->part_type, gpt_type_vmfs, 16);
	assert_int_equal(find(&g, "sda1")->part_guid[3], 0xB1);
	assert_memory_equal(find(&g, "sda2")->part_type, gpt_type_linux, 16);
}

/* A volume on top of the disk is read through its own node, from its beginning. */
static void test_volume(void **state)
{
	AUTO(machine_done) struct machine m;
	AUTO(graph_done) struct graph g = { 0 };

	machine_make(&m);
	AUTO(closep) int sda = machine_disk(&m, "sda");
	AUTO(closep) int dm = machine_disk(&m, "dm-0");
	machine_text(&m, "sys/block/dm-0/dm/uuid", "LVM-abc\n");
	assert_int_equal(dir_make_at(m.root, "sys/block/sda/holders", 0755, NULL), 0);
	assert_int_equal(symlinkat("../../dm-0", m.root, "sys/block/sda/holders/dm-0"), 0);
	put_ocfs2(dm, 0);
	assert_int_equal(graph_read(m.root, machine_devno(0, 0), &g, NULL), 0);
	assert_int_equal(graph_probe(&g, m.root, sda, SECTOR, NULL), 0);
	assert_int_equal(g.n, 2);
	assert_string_equal(find(&g, "dm-0")->fstype, "ocfs2");
	assert_string_equal(find(&g, "sda")->fstype, "");
}

/* A read of a suspended volume would never come back. */
static void test_suspended_volume(void **state)
{
	AUTO(machine_done) struct machine m;
	AUTO(graph_done) struct graph g = { 0 };
	struct fault err = FAULT_INIT;

	machine_make(&m);
	AUTO(closep) int sda = machine_disk(&m, "sda");
	AUTO(closep) int dm = machine_disk(&m, "dm-0");
	machine_text(&m, "sys/block/dm-0/dm/suspended", "1\n");
	assert_int_equal(dir_make_at(m.root, "sys/block/sda/holders", 0755, NULL), 0);
	assert_int_equal(symlinkat("../../dm-0", m.root, "sys/block/sda/holders/dm-0"), 0);
	assert_int_equal(graph_read(m.root, machine_devno(0, 0), &g, NULL), 0);
	assert_int_equal(graph_probe(&g, m.root, sda, SECTOR, &err), -EBUSY);
	assert_non_null(strstr(err.text, "dm-0 is suspended"));
}

/* Another device has the volume's name by now. */
static void test_other_device_behind_the_name(void **state)
{
	AUTO(machine_done) struct machine m;
	AUTO(graph_done) struct graph g = { 0 };

	machine_make(&m);
	AUTO(closep) int sda = machine_disk(&m, "sda");
	AUTO(closep) int dm = machine_disk(&m, "dm-0");
	assert_int_equal(dir_make_at(m.root, "sys/block/sda/holders", 0755, NULL), 0);
	assert_int_equal(symlinkat("../../dm-0", m.root, "sys/block/sda/holders/dm-0"), 0);
	assert_int_equal(unlinkat(m.root, "dev/dm-0", 0), 0);
	assert_int_equal(symlinkat("/dev/zero", m.root, "dev/dm-0"), 0);
	assert_int_equal(graph_read(m.root, machine_devno(0, 0), &g, NULL), 0);
	assert_int_equal(graph_probe(&g, m.root, sda, SECTOR, NULL), 0);
	assert_string_equal(find(&g, "dm-0")->fstype, "");
}

static void test_unreadable_disk(void **state)
{
	AUTO(machine_done) struct machine m;
	AUTO(graph_done) struct graph g = { 0 };
	struct fault err = FAULT_INIT;

	machine_make(&m);
	AUTO(closep) int fd = machine_disk(&m, "sda");
	assert_int_equal(graph_read(m.root, machine_devno(0, 0), &g, NULL), 0);
	assert_int_equal(graph_probe(&g, m.root, -1, SECTOR, &err), -EBADF);
	assert_non_null(strstr(err.text, "cannot read sda"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_disk),
		cmocka_unit_test(test_damaged_table),
		cmocka_unit_test(test_backup_table),
		cmocka_unit_test(test_volume),
		cmocka_unit_test(test_suspended_volume),
		cmocka_unit_test(test_other_device_behind_the_name),
		cmocka_unit_test(test_unreadable_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
