#include "hwprobe/topology.h"

#include <stdio.h>
#include <string.h>
#include "common/str.h"
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
	char *nodes = attr_text(s, "sys/devices/system/node/online");
	int64_t n = nodes ? cpulist_count(nodes) : -1;
	if (n > 0)
		put_num(s, &cpu->numa_nodes, n, "sys/devices/system/node/online");
}
