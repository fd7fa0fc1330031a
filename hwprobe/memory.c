#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/cpuinfo.h"
#include "hwprobe/explain.h"
#include "hwprobe/memory.h"
#include "hwprobe/probe.h"
#include "hwprobe/udev_db.h"

#define MEMORY_DIR "sys/devices/system/memory"

enum { BLOCKS_BUDGET_MS = 500 };

uint64_t zoneinfo_present(const char *text)
{
	uint64_t sum = 0;
	bool is_device = false;
	while (text && *text) {
		const char *end = strchr(text, '\n'), *zone = NULL;
		const char *word = text + strspn(text, " ");
		if (str_starts(word, "Node ") && (zone = strstr(word, "zone ")) &&
		    (!end || zone < end))
			is_device = str_starts(zone + strlen("zone") +
						       strspn(zone + strlen("zone"), " "),
					       "Device");
		else if (!is_device && str_starts(word, "present "))
			sum += strtoull(word + strlen("present "), NULL, 10);
		text = end ? end + 1 : NULL;
	}
	return sum;
}

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
	if (!unit || str_to_i64(value, &kib) < 0 || kib <= 0 ||
	    __builtin_mul_overflow(kib, (int64_t)1024, &bytes)) {
		survey_error(s, "proc/meminfo", EBADMSG, "no MemTotal in kB");
		return 0;
	}
	return bytes;
}

/* A property of one slot; NULL = absent. */
static const char *slot_get(struct survey *s, const struct udev_record *r, unsigned slot,
			    const char *name)
{
	char *key = arena_printf(s->tmp, "MEMORY_DEVICE_%u_%s", slot, name);
	return key ? udev_get(r, key) : NULL;
}

static bool is_any(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(names[i], name))
			return true;
	return false;
}

/* Bytes of RAM in one slot; 0 = none, UINT64_MAX = nobody knows. The rules are those of smbios_memory_bytes(). */
static uint64_t slot_bytes(struct survey *s, const struct udev_record *r, unsigned slot)
{
	/* Flash and BIOS chips stand in arrays of their own, which are not told; nobody has RAM of these kinds. */
	static const char *const no_ram[] = { "Flash",  "ROM",   "EEPROM",
					      "FEPROM", "EPROM", "Logical non-volatile device" };
	static const char *const persistent[] = { "NVDIMM-N", "NVDIMM-F", "NVDIMM-P",
						  "Intel Optane DC persistent memory",
						  "Intel Optane persistent memory" };
	uint64_t bytes;
	const char *type = slot_get(s, r, slot, "TYPE"), *size = slot_get(s, r, slot, "SIZE");
	if (str_eq(slot_get(s, r, slot, "PRESENT"), "0") ||
	    is_any(no_ram, ARRAY_SIZE(no_ram), type))
		return 0;
	if (is_any(persistent, ARRAY_SIZE(persistent), slot_get(s, r, slot, "MEMORY_TECHNOLOGY"))) {
		const char *part = slot_get(s, r, slot, "VOLATILE_SIZE");
		if (part)
			size = part;
		else if (slot_get(s, r, slot, "NON_VOLATILE_SIZE")) /* none is not shown */
			return 0;
	}
	if (!size) /* a structure too short to be one has nothing at all */
		return type ? UINT64_MAX : 0;
	return str_to_u64(size, &bytes) < 0 ? UINT64_MAX : bytes;
}

/*
 * Non-root: udev's dmi_memory_id keeps the size of each slot, without its array. The device count tells how many there are.
 */
static uint64_t udev_memory(struct survey *s)
{
	char *text = NULL;
	size_t len = 0;
	const char *path = "run/udev/data/+dmi:id";
	if (s->opt->flags & HWP_NO_UDEV || attr_file(s, path, UDEV_RECORD_MAX, &text, &len) < 0)
		return 0;
	struct udev_record r;
	survey_udev(s, &r, path, text, len);
	uint64_t sum = 0, devices;
	const char *count = udev_get(&r, "MEMORY_ARRAY_NUM_DEVICES");
	if (!count || str_to_u64(count, &devices) < 0 || devices > UDEV_LINES_MAX)
		return 0;
	for (unsigned i = 0; i < devices; i++) {
		uint64_t bytes = slot_bytes(s, &r, i);
		if (bytes == UINT64_MAX || __builtin_add_overflow(sum, bytes, &sum))
			return 0;
	}
	return sum;
}

/* Block size: hex without 0x. 0 = absent or nonsense. */
static uint64_t block_bytes(struct survey *s)
{
	char *text = attr_text(s, MEMORY_DIR "/block_size_bytes"), *end;
	if (!text)
		return 0;
	errno = 0;
	uint64_t size = isxdigit((unsigned char)*text) ? strtoull(text, &end, 16) : 0;
	if (!size || errno || *end) {
		survey_error(s, MEMORY_DIR "/block_size_bytes", EBADMSG, "not a hexadecimal size");
		return 0;
	}
	return size;
}

static bool is_block(const char *name)
{
	uint64_t number;
	return str_starts(name, "memory") && str_to_u64(name + strlen("memory"), &number) == 0;
}

/*
 * Saves one read per block. An offline block is missing in the zones with its whole size; holes in the blocks are missing,
 * too. So when less than one block is missing, none is offline.
 */
static bool are_all_online(struct survey *s, uint64_t size, uint64_t blocks)
{
	char *text = NULL;
	uint64_t total, present;
	if (!s->root->is_live || s->root->record_fd >= 0 ||
	    attr_file(s, "proc/zoneinfo", ROOT_FILE_MAX, &text, NULL) < 0)
		return false;
	if (__builtin_mul_overflow(size, blocks, &total) ||
	    __builtin_mul_overflow(zoneinfo_present(text), (uint64_t)sysconf(_SC_PAGESIZE),
				   &present))
		return false;
	return present <= total && total - present < size;
}

static uint64_t count_online(struct survey *s, const struct root_names *names)
{
	uint64_t online = 0;
	/* A record and its replay must come to the same, however long it takes to write or read it. */
	bool has_budget = s->root->is_live && s->root->record_fd < 0;
	int64_t stop_ms = time_mono_ms() + BLOCKS_BUDGET_MS;
	for (size_t i = 0; i < names->n; i++) {
		if (!is_block(names->v[i]))
			continue;
		char *state = attr_text(s, MEMORY_DIR "/%s/state", names->v[i]);
		online += state ? !strcmp(state, "online")
				: attr_is_one(s, MEMORY_DIR "/%s/online", names->v[i]);
		if (has_budget && (i & 63) == 63 && time_mono_ms() > stop_ms) {
			survey_error(s, MEMORY_DIR, ETIMEDOUT, "too many blocks to count in time");
			return 0;
		}
	}
	return online;
}

/* Online memory blocks times their size. */
static uint64_t memory_blocks(struct survey *s)
{
	uint64_t size = block_bytes(s), blocks = 0, sum;
	if (!size)
		return 0;
	struct root_names names = attr_list(s, MEMORY_DIR);
	for (size_t i = 0; i < names.n; i++)
		blocks += is_block(names.v[i]);
	uint64_t online = are_all_online(s, size, blocks) ? blocks : count_online(s, &names);
	return __builtin_mul_overflow(size, online, &sum) ? 0 : sum;
}

static bool put_physical(struct survey *s, uint64_t bytes, uint64_t at_least, const char *method,
			 const char *source)
{
	struct hwp_memory *m = &s->inv->memory;
	if (!bytes || bytes > INT64_MAX || bytes < at_least) {
		explain_try(s, &m->physical_bytes, source, false);
		return false;
	}
	put_num(s, &m->physical_bytes, (int64_t)bytes, source);
	return put_str(s, &m->physical_bytes_method, method, source);
}

static void find_physical(struct survey *s)
{
	int64_t total = mem_total(s);
	if (total)
		put_num(s, &s->inv->memory.usable_bytes, total, "proc/meminfo MemTotal");

	/* Less than the kernel has: a hypervisor that describes only start-up memory. */
	uint64_t least = (uint64_t)total;
	if (put_physical(s, smbios_memory_bytes(survey_smbios(s)), least, "dmidecode",
			 "smbios type 17"))
		return;
	if (put_physical(s, udev_memory(s), least, "dmidecode", "udev +dmi:id"))
		return;
	if (put_physical(s, memory_blocks(s), 0, "ghw", MEMORY_DIR))
		return;
	put_physical(s, least, 0, "meminfo", "proc/meminfo MemTotal");
}

static void run(struct survey *s)
{
	find_physical(s);
	if (s->opt->flags & HWP_MORE)
		memory_find_more(s);
}

const struct probe probe_memory = { .name = "memory", .part = HWP_MEMORY, .run = run };
