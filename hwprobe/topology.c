#include "hwprobe/topology.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "common/str.h"
#include "hwprobe/cpuid.h"
#include "hwprobe/cpulist.h"
#include "hwprobe/memory.h"
#include "hwprobe/strmap.h"

#define CPU_DIR "sys/devices/system/cpu"

char *topology_list(struct survey *s, const char *path)
{
	char *text = NULL;
	if (attr_file(s, path, ROOT_TABLE_MAX, &text, NULL) < 0)
		return NULL;
	text = str_trim(text);
	return str_empty(text) ? NULL : text;
}

/* Core numbers repeat in every package and die. Offline CPUs have no topology folder. */
static bool read_cpu(struct survey *s, const char *name, struct strmap *packages,
		     struct strmap *cores)
{
	int64_t package, core, die = 0;
	if (attr_num(s, &package, CPU_DIR "/%s/topology/physical_package_id", name) < 0 ||
	    attr_num(s, &core, CPU_DIR "/%s/topology/core_id", name) < 0)
		return false;
	(void)attr_num(s, &die, CPU_DIR "/%s/topology/die_id", name); /* Linux 5.2 */
	char *package_key = arena_printf(s->tmp, "%lld", (long long)package);
	char *core_key = arena_printf(s->tmp, "%lld/%lld/%lld", (long long)package, (long long)die,
				      (long long)core);
	if (!package_key || !core_key)
		return false;
	strmap_set(packages, package_key, 1);
	strmap_set(cores, core_key, 1);
	return true;
}

#define NODE_DIR "sys/devices/system/node"

/* "Node 0 MemTotal:       65536 kB" */
static void put_node_kib(struct survey *s, struct hwp_num *dst, const char *text, const char *key,
			 const char *path)
{
	int64_t bytes;
	long long kib;
	const char *line = strstr(text, key);
	if (line && sscanf(line + strlen(key), ": %lld kB", &kib) == 1 && kib >= 0 &&
	    !__builtin_mul_overflow(kib, 1024LL, &bytes))
		put_num(s, dst, bytes, path);
}

static void find_node_memory(struct survey *s, struct hwp_numa_node *n, const char *name)
{
	char *path = arena_printf(s->tmp, NODE_DIR "/%s/meminfo", name), *text = NULL;
	if (!path || attr_file(s, path, ROOT_TABLE_MAX, &text, NULL) < 0)
		return;
	put_node_kib(s, &n->memory_bytes, text, "MemTotal", path);
	put_node_kib(s, &n->memory_free_bytes, text, "MemFree", path);
	if (*text && !n->memory_bytes.source)
		survey_error(s, path, EBADMSG, "no MemTotal in kB");
}

static void find_node_cpus(struct survey *s, struct hwp_numa_node *n, const char *name)
{
	char *path = arena_printf(s->tmp, NODE_DIR "/%s/cpulist", name);
	char *list = path ? topology_list(s, path) : NULL;
	if (list && cpulist_count(list) < 0)
		survey_error(s, path, EBADMSG, "not a list of CPUs");
	else if (path)
		put_str(s, &n->cpus, list, path);
}

static void find_nodes(struct survey *s, struct hwp_cpu *cpu)
{
	struct hwp_numa_node *nodes = NULL;
	struct root_names names = attr_list(s, NODE_DIR);
	for (size_t i = 0; i < names.n; i++) {
		uint64_t number;
		if (!str_starts(names.v[i], "node") ||
		    str_to_u64(names.v[i] + strlen("node"), &number) < 0 || number > INT32_MAX)
			continue;
		struct hwp_numa_node *n =
			arena_append(s->mem, &nodes, &cpu->numa_count, sizeof(*n));
		if (!n)
			return;
		cpu->numa = nodes;
		put_num(s, &n->id, (int64_t)number, NODE_DIR);
		find_node_cpus(s, n, names.v[i]);
		find_node_memory(s, n, names.v[i]);
		char *dir = arena_printf(s->tmp, NODE_DIR "/%s/hugepages", names.v[i]);
		if (dir)
			memory_find_hugepages(s, dir, &n->hugepages, &n->hugepages_count);
	}
}

/* The highest of all policies: the cores of one machine need not be alike. */
static int64_t base_khz(struct survey *s)
{
	int64_t max = 0, khz;
	int asked = 0;
	struct root_names names = attr_list(s, CPU_DIR "/cpufreq");
	for (size_t i = 0; i < names.n && (max || asked < TOPOLOGY_CPUFREQ_TRIES); i++) {
		if (!str_starts(names.v[i], "policy"))
			continue;
		asked++;
		if (attr_num(s, &khz, CPU_DIR "/cpufreq/%s/base_frequency", names.v[i]) == 0 &&
		    khz > max)
			max = khz;
	}
	return max;
}

/* The clock that is promised without boost, and the one that boost may reach. */
static void find_clocks(struct survey *s, struct hwp_cpu *cpu)
{
	struct smbios_item i;
	struct cpuid_regs leaf = { 0 };
	int64_t base = base_khz(s);
	bool has_leaf = cpuid_read(s, 0x16, 0, &leaf);
	if (base)
		put_real(s, &cpu->base_mhz, (double)base / 1000, "cpufreq base_frequency");
	else if (has_leaf && (leaf.eax & 0xffff))
		put_real(s, &cpu->base_mhz, leaf.eax & 0xffff, "cpuid 0x16");
	if (str_eq(cpu->frequency_mhz.source, TOPOLOGY_MAX_FREQ))
		put_real(s, &cpu->max_mhz, cpu->frequency_mhz.v, TOPOLOGY_MAX_FREQ);
	else if (has_leaf && (leaf.ebx & 0xffff))
		put_real(s, &cpu->max_mhz, leaf.ebx & 0xffff, "cpuid 0x16");
	else if (smbios_find(survey_smbios(s), SMBIOS_PROCESSOR, &i) && smbios_u16(&i, 0x14))
		put_real(s, &cpu->max_mhz, smbios_u16(&i, 0x14), "smbios type 4");
}

/* Present, but off. */
static void find_offline(struct survey *s, struct hwp_cpu *cpu, const char *online)
{
	char *present = topology_list(s, CPU_DIR "/present");
	if (present && online)
		put_str(s, &cpu->offline_cpus, cpulist_without(s->tmp, present, online),
			CPU_DIR "/online");
}

void topology_find(struct survey *s, struct hwp_cpu *cpu)
{
	struct strmap packages = { .arena = s->tmp }, cores = { .arena = s->tmp };
	struct root_names names = attr_list(s, CPU_DIR);
	char *online = topology_list(s, CPU_DIR "/online");
	int64_t threads = 0;
	for (size_t i = 0; i < names.n; i++) {
		uint64_t number;
		if (str_starts(names.v[i], "cpu") &&
		    str_to_u64(names.v[i] + strlen("cpu"), &number) == 0 &&
		    (!online || cpulist_has(online, number)))
			threads += read_cpu(s, names.v[i], &packages, &cores);
	}
	if (threads) {
		put_num(s, &cpu->sockets, (int64_t)packages.n, "topology/physical_package_id");
		put_num(s, &cpu->cores, (int64_t)cores.n, "topology/core_id");
		put_num(s, &cpu->threads, threads, "topology");
	}
	find_offline(s, cpu, online);
	find_clocks(s, cpu);
	find_nodes(s, cpu);
	char *nodes = attr_text(s, "sys/devices/system/node/online");
	int64_t n = nodes ? cpulist_count(nodes) : -1;
	if (n > 0)
		put_num(s, &cpu->numa_nodes, n, "sys/devices/system/node/online");
}
