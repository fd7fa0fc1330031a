#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "common/str.h"
#include "hwprobe/cpuinfo.h"
#include "hwprobe/probe.h"
#include "hwprobe/udev_db.h"

enum { BLOCKS_BUDGET_MS = 500 };

/* "MemTotal:       32768 kB" in bytes; 0 = absent. */
static int64_t mem_total(struct survey *s)
{
	char *text = NULL;
	if (attr_file(s, "proc/meminfo", ROOT_TABLE_MAX, &text, NULL) < 0)
		return 0;
	char *value = cpuinfo_get(s->tmp, text, "MemTotal");
	char *unit = value ? strstr(value, " kB") : NULL;
	int64_t kib, bytes;
	if (unit)
		*unit = '\0';
	if (!unit || str_to_i64(value, &kib) < 0 || kib <= 0 || __builtin_mul_overflow(kib, (int64_t)1024, &bytes)) {
		survey_error(s, "proc/meminfo", EBADMSG, "no MemTotal in kB");
		return 0;
	}
	return bytes;
}

/*
 * Non-root: udev's dmi_memory_id keeps the size of each slot, without its array. The device count tells how many there are.
 */
static uint64_t udev_memory(struct survey *s)
{
	char *text = NULL;
	size_t len = 0;
	if (s->opt->flags & HWP_NO_UDEV || attr_file(s, "run/udev/data/+dmi:id", UDEV_RECORD_MAX, &text, &len) < 0)
		return 0;
	struct udev_record r;
	udev_record_parse(&r, text, len);
	uint64_t sum = 0, devices, bytes;
	const char *count = udev_get(&r, "MEMORY_ARRAY_NUM_DEVICES");
	if (!count || str_to_u64(count, &devices) < 0 || devices > UDEV_LINES_MAX)
		return 0;
	for (uint64_t i = 0; i < devices; i++) {
		char *key = arena_printf(s->tmp, "MEMORY_DEVICE_%llu_SIZE", (unsigned long long)i);
		const char *size = key ? udev_get(&r, key) : NULL;
		if (size && str_to_u64(size, &bytes) == 0 && __builtin_add_overflow(sum, bytes, &sum))
			return 0;
	}
	return sum;
}

/* Online memory blocks times their size; one file per block, so it has a time limit. */
static uint64_t memory_blocks(struct survey *s)
{
	char *text = attr_text(s, "sys/devices/system/memory/block_size_bytes");
	uint64_t size = 0, online = 0, sum;
	if (!text)
		return 0;
	char *end;
	errno = 0;
	size = strtoull(text, &end, 16); /* hex without 0x */
	if (errno || *end || !size) {
		survey_error(s, "sys/devices/system/memory/block_size_bytes", EBADMSG, "not a hexadecimal size");
		return 0;
	}
	int64_t stop_ms = time_mono_ms() + BLOCKS_BUDGET_MS;
	struct root_names names = attr_list(s, "sys/devices/system/memory");
	for (size_t i = 0; i < names.n; i++) {
		uint64_t number;
		if (!str_starts(names.v[i], "memory") || str_to_u64(names.v[i] + strlen("memory"), &number) < 0)
			continue;
		char *state = attr_text(s, "sys/devices/system/memory/%s/state", names.v[i]);
		online += state ? !strcmp(state, "online") : attr_is_one(s, "sys/devices/system/memory/%s/online", names.v[i]);
		if ((i & 63) == 63 && time_mono_ms() > stop_ms) {
			survey_error(s, "sys/devices/system/memory", ETIMEDOUT, "too many blocks to count in time");
			return 0;
		}
	}
	return __builtin_mul_overflow(size, online, &sum) ? 0 : sum;
}

static bool put_physical(struct survey *s, uint64_t bytes, uint64_t at_least, const char *method, const char *source)
{
	struct hwp_memory *m = &s->inv->memory;
	if (!bytes || bytes > INT64_MAX || bytes < at_least)
		return false;
	put_num(&m->physical_bytes, (int64_t)bytes, source);
	return put_str(s, &m->physical_bytes_method, method, source);
}

static void run(struct survey *s)
{
	int64_t total = mem_total(s);
	if (total)
		put_num(&s->inv->memory.usable_bytes, total, "proc/meminfo MemTotal");

	/* Less than the kernel has: a hypervisor that describes only start-up memory. */
	uint64_t least = (uint64_t)total;
	if (put_physical(s, smbios_memory_bytes(survey_smbios(s)), least, "dmidecode", "smbios type 17"))
		return;
	if (put_physical(s, udev_memory(s), least, "dmidecode", "udev +dmi:id"))
		return;
	if (put_physical(s, memory_blocks(s), 0, "ghw", "sys/devices/system/memory"))
		return;
	put_physical(s, least, 0, "meminfo", "proc/meminfo MemTotal");
}

const struct probe probe_memory = { .name = "memory", .part = HWP_MEMORY, .run = run };
