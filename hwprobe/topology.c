#include "hwprobe/topology.h"

#include <stdio.h>
#include <string.h>
#include "common/str.h"
#include "hwprobe/cpuid.h"
#include "hwprobe/cpulist.h"
#include "hwprobe/strmap.h"

#define CPU_DIR "sys/devices/system/cpu"

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
static bool node_memory(struct survey *s, const char *name, int64_t *ret)
{
	char *path = arena_printf(s->tmp, NODE_DIR "/%s/meminfo", name), *text = NULL;
	long long kib;
	if (!path || attr_file(s, path, ROOT_TABLE_MAX, &text, NULL) < 0)
		return false;
	const char *total = strstr(text, "MemTotal:");
	if (!total || sscanf(total, "MemTotal: %lld kB", &kib) != 1 || kib < 0)
		return false;
	return !__builtin_mul_overflow(kib, 1024LL, ret);
}

static void find_nodes(struct survey *s, struct hwp_cpu *cpu)
{
	struct hwp_numa_node *nodes = NULL;
	struct root_names names = attr_list(s, NODE_DIR);
	for (size_t i = 0; i < names.n; i++) {
		uint64_t number;
		int64_t bytes;
		if (!str_starts(names.v[i], "node") ||
		    str_to_u64(names.v[i] + strlen("node"), &number) < 0 || number > INT32_MAX)
			continue;
		struct hwp_numa_node *n =
			arena_append(s->mem, &nodes, &cpu->numa_count, sizeof(*n));
		if (!n)
			return;
		cpu->numa = nodes;
		put_num(s, &n->id, (int64_t)number, NODE_DIR);
		put_attr(s, &n->cpus, NULL, NODE_DIR "/%s/cpulist", names.v[i]);
		if (node_memory(s, names.v[i], &bytes))
			put_num(s, &n->memory_bytes, bytes,
				arena_printf(s->tmp, NODE_DIR "/%s/meminfo", names.v[i]));
	}
}

/* The clock that is promised without boost: "max" is the boosted one. */
static void find_base_clock(struct survey *s, struct hwp_cpu *cpu)
{
	int64_t khz;
	struct cpuid_regs leaf;
	if (attr_num(s, &khz, CPU_DIR "/cpufreq/policy0/base_frequency") == 0 && khz > 0)
		put_real(s, &cpu->base_mhz, (double)khz / 1000, "cpufreq base_frequency");
	else if (cpuid_read(s, 0x16, 0, &leaf) && (leaf.eax & 0xffff))
		put_real(s, &cpu->base_mhz, leaf.eax & 0xffff, "cpuid 0x16");
}

void topology_find(struct survey *s, struct hwp_cpu *cpu)
{
	struct strmap packages = { .arena = s->tmp }, cores = { .arena = s->tmp };
	struct root_names names = attr_list(s, CPU_DIR);
	int64_t threads = 0;
	for (size_t i = 0; i < names.n; i++) {
		uint64_t number;
		if (str_starts(names.v[i], "cpu") &&
		    str_to_u64(names.v[i] + strlen("cpu"), &number) == 0)
			threads += read_cpu(s, names.v[i], &packages, &cores);
	}
	if (threads) {
		put_num(s, &cpu->sockets, (int64_t)packages.n, "topology/physical_package_id");
		put_num(s, &cpu->cores, (int64_t)cores.n, "topology/core_id");
		put_num(s, &cpu->threads, threads, "topology");
	}
	find_base_clock(s, cpu);
	find_nodes(s, cpu);
	char *nodes = attr_text(s, "sys/devices/system/node/online");
	int64_t n = nodes ? cpulist_count(nodes) : -1;
	if (n > 0)
		put_num(s, &cpu->numa_nodes, n, "sys/devices/system/node/online");
}
