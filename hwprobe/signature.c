#include "hwprobe/signature.h"

#include <blkid/blkid.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/str.h"
#include "hwprobe/context.h"
#include "hwprobe/device_read.h"

#define LIBRARY "libblkid.so.1"

/* What is used of libblkid, by its own names. */
struct blkid_library {
	void *handle;
	__typeof__(&blkid_new_probe) new_probe;
	__typeof__(&blkid_free_probe) free_probe;
	__typeof__(&blkid_probe_set_device) probe_set_device;
	__typeof__(&blkid_probe_set_sectorsize) probe_set_sectorsize;
	__typeof__(&blkid_probe_enable_superblocks) probe_enable_superblocks;
	__typeof__(&blkid_probe_set_superblocks_flags) probe_set_superblocks_flags;
	__typeof__(&blkid_probe_enable_partitions) probe_enable_partitions;
	__typeof__(&blkid_do_safeprobe) do_safeprobe;
	__typeof__(&blkid_probe_lookup_value) probe_lookup_value;
	__typeof__(&blkid_probe_get_partitions) probe_get_partitions;
	__typeof__(&blkid_partlist_numof_partitions) partlist_numof_partitions;
	__typeof__(&blkid_partlist_get_partition) partlist_get_partition;
	__typeof__(&blkid_partition_get_partno) partition_get_partno;
	__typeof__(&blkid_partition_get_type) partition_get_type;
	__typeof__(&blkid_partition_get_type_string) partition_get_type_string;
	__typeof__(&blkid_partition_get_uuid) partition_get_uuid;
	__typeof__(&blkid_partition_get_name) partition_get_name;
	__typeof__(&blkid_partition_get_flags) partition_get_flags;
};

static const struct {
	const char *name;
	size_t offset;
} functions[] = {
	{ "blkid_new_probe", offsetof(struct blkid_library, new_probe) },
	{ "blkid_free_probe", offsetof(struct blkid_library, free_probe) },
	{ "blkid_probe_set_device", offsetof(struct blkid_library, probe_set_device) },
	{ "blkid_probe_set_sectorsize", offsetof(struct blkid_library, probe_set_sectorsize) },
	{ "blkid_probe_enable_superblocks",
	  offsetof(struct blkid_library, probe_enable_superblocks) },
	{ "blkid_probe_set_superblocks_flags",
	  offsetof(struct blkid_library, probe_set_superblocks_flags) },
	{ "blkid_probe_enable_partitions",
	  offsetof(struct blkid_library, probe_enable_partitions) },
	{ "blkid_do_safeprobe", offsetof(struct blkid_library, do_safeprobe) },
	{ "blkid_probe_lookup_value", offsetof(struct blkid_library, probe_lookup_value) },
	{ "blkid_probe_get_partitions", offsetof(struct blkid_library, probe_get_partitions) },
	{ "blkid_partlist_numof_partitions",
	  offsetof(struct blkid_library, partlist_numof_partitions) },
	{ "blkid_partlist_get_partition", offsetof(struct blkid_library, partlist_get_partition) },
	{ "blkid_partition_get_partno", offsetof(struct blkid_library, partition_get_partno) },
	{ "blkid_partition_get_type", offsetof(struct blkid_library, partition_get_type) },
	{ "blkid_partition_get_type_string",
	  offsetof(struct blkid_library, partition_get_type_string) },
	{ "blkid_partition_get_uuid", offsetof(struct blkid_library, partition_get_uuid) },
	{ "blkid_partition_get_name", offsetof(struct blkid_library, partition_get_name) },
	{ "blkid_partition_get_flags", offsetof(struct blkid_library, partition_get_flags) },
};

void signature_close(struct blkid_library *l)
{
	if (!l)
		return;
	if (l->handle)
		dlclose(l->handle);
	free(l);
}

static bool find_functions(struct blkid_library *l)
{
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		void *f = dlsym(l->handle, functions[i].name);
		if (!f)
			return false;
		memcpy((char *)l + functions[i].offset, &f, sizeof(f));
	}
	return true;
}

/* Loaded once per context; without it the context remembers that, too (a library without a handle). */
static struct blkid_library *library(struct survey *s)
{
	struct blkid_library *l = s->ctx->blkid;
	if (!l) {
		l = s->ctx->blkid = calloc(1, sizeof(*l));
		if (!l)
			return NULL;
		/* It stays loaded when the context is closed: the next one does not pay again. */
		l->handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
		if (l->handle && !find_functions(l))
			dlclose(TAKE(l->handle));
	}
	if (l->handle)
		return l;
	survey_error(s, LIBRARY, ENOENT, "cannot be loaded: signatures stay unknown");
	return NULL;
}

/* --- the device in memory ------------------------------------------------------------------------------------ */

/* Its head; false = it is known by now that it cannot be read. */
static bool copy_head(struct survey *s, int fd, const char *path, uint64_t size, char *data)
{
	size_t len = MIN_OF(size, (uint64_t)DEVICE_HEAD_BYTES);
	ssize_t n = device_read(s, path, 0, data, len);
	if (n < 0 && n != -ENOENT && n != -ENOMEDIUM && n != -EXDEV)
		survey_error(s, path, (int)-n, "cannot read the first blocks: %s",
			     strerror((int)-n));
	return n > 0 && fd_pwrite(fd, data, (size_t)n, 0) == 0;
}

/* -1 = the device cannot be read. */
static int copy_device(struct survey *s, const char *path, uint64_t size)
{
	AUTO(freep) char *data = malloc(DEVICE_HEAD_BYTES);
	AUTO(closep) int fd = memfd_create("slipway-disk", MFD_CLOEXEC);
	if (!data || fd < 0 || ftruncate(fd, (off_t)size) < 0 ||
	    !copy_head(s, fd, path, size, data))
		return -1;
	if (size <= DEVICE_HEAD_BYTES)
		return TAKE_FD(fd);
	size_t len = MIN_OF(size - DEVICE_HEAD_BYTES, (uint64_t)DEVICE_TAIL_BYTES);
	ssize_t n = device_read_tail(s, path, size, data, len);
	if (n == (ssize_t)len && fd_pwrite(fd, data, len, size - len) < 0)
		return -1;
	return TAKE_FD(fd);
}

/* --- what libblkid says, in the words of udev ------------------------------------------------------------------ */

/* A line of a record; what would end it early, or is no text, is left out. */
static void add(struct buf *out, const char *key, const char *value)
{
	if (!str_empty(value) && !strpbrk(value, "\n\r"))
		(void)buf_printf(out, "E:%s=%s\n", key, value);
}

/* Added to what is known of the device already: a partition is an entry of a table and has a file system. */
static void keep(struct survey *s, struct block_dev *b, const struct buf *text)
{
	if (!text->len)
		return;
	b->blkid_text =
		arena_printf(s->tmp, "%s%s", b->blkid_text ? b->blkid_text : "", text->data);
	char *copy = arena_dup(s->tmp, b->blkid_text);
	if (copy)
		udev_record_parse(&b->blkid, s->tmp, copy, strlen(copy));
}

static void add_values(const struct blkid_library *l, blkid_probe probe, struct buf *out)
{
	static const struct {
		const char *blkid, *udev;
	} names[] = {
		{ "TYPE", "ID_FS_TYPE" },           { "UUID", "ID_FS_UUID" },
		{ "LABEL", "ID_FS_LABEL" },         { "USAGE", "ID_FS_USAGE" },
		{ "PTTYPE", "ID_PART_TABLE_TYPE" }, { "PTUUID", "ID_PART_TABLE_UUID" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value;
		if (l->probe_lookup_value(probe, names[i].blkid, &value, NULL) == 0)
			add(out, names[i].udev, value);
	}
}

static void add_partition(struct survey *s, const struct blkid_library *l, blkid_partition p,
			  struct block_dev *dev)
{
	AUTO(buf_done) struct buf out;
	char number[24];
	const char *type = l->partition_get_type_string(p);
	buf_init(&out, SIGNATURE_TEXT_MAX);
	snprintf(number, sizeof(number), "0x%x", l->partition_get_type(p));
	add(&out, "ID_PART_ENTRY_TYPE", str_empty(type) ? number : type);
	add(&out, "ID_PART_ENTRY_UUID", l->partition_get_uuid(p));
	add(&out, "ID_PART_ENTRY_NAME", l->partition_get_name(p));
	snprintf(number, sizeof(number), "0x%llx", l->partition_get_flags(p));
	add(&out, "ID_PART_ENTRY_FLAGS", number);
	keep(s, dev, &out);
}

static struct block_dev *partition_by_number(struct survey *s, struct block_dev *disk, int number)
{
	for (size_t i = 1; i <= disk->parts; i++) {
		int64_t n;
		if (attr_num(s, &n, "%s/partition", disk[i].dir) == 0 && n == number)
			return disk + i;
	}
	return NULL;
}

static void add_partitions(struct survey *s, const struct blkid_library *l, blkid_probe probe,
			   struct block_dev *disk)
{
	blkid_partlist list = disk->parts ? l->probe_get_partitions(probe) : NULL;
	for (int i = 0; list && i < l->partlist_numof_partitions(list); i++) {
		blkid_partition p = l->partlist_get_partition(list, i);
		struct block_dev *dev = partition_by_number(s, disk, l->partition_get_partno(p));
		if (dev)
			add_partition(s, l, p, dev);
	}
}

static void probe_device(struct survey *s, const struct blkid_library *l, blkid_probe probe,
			 struct block_dev *b, bool has_table)
{
	AUTO(buf_done) struct buf out;
	buf_init(&out, SIGNATURE_TEXT_MAX);
	l->probe_enable_superblocks(probe, 1);
	l->probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_UUID |
						      BLKID_SUBLKS_LABEL | BLKID_SUBLKS_USAGE);
	l->probe_enable_partitions(probe, has_table);
	/* 0 = found; 1 = nothing is there; -2 = several signatures, none of which can be preferred. */
	if (l->do_safeprobe(probe) != 0)
		return;
	add_values(l, probe, &out);
	keep(s, b, &out);
	if (has_table)
		add_partitions(s, l, probe, b);
}

static void find(struct survey *s, struct block_dev *b, const char *path, uint64_t size,
		 unsigned sector, bool has_table)
{
	struct blkid_library *l = size ? library(s) : NULL;
	AUTO(closep) int fd = l ? copy_device(s, path, size) : -1;
	blkid_probe probe = fd < 0 ? NULL : l->new_probe();
	if (!probe)
		return;
	if (l->probe_set_device(probe, fd, 0, (blkid_loff_t)size) == 0 &&
	    (!sector || l->probe_set_sectorsize(probe, sector) == 0))
		probe_device(s, l, probe, b, has_table);
	l->free_probe(probe);
}

void signature_find(struct survey *s, struct block_dev *b, const char *path, uint64_t size_bytes,
		    unsigned sector_bytes)
{
	find(s, b, path, size_bytes, sector_bytes, true);
}

void signature_find_fs(struct survey *s, struct block_dev *b, const char *path, uint64_t size_bytes)
{
	find(s, b, path, size_bytes, 0, false);
}
