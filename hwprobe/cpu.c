#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/cpuid.h"
#include "hwprobe/cpuinfo.h"
#include "hwprobe/cpulist.h"
#include "hwprobe/explain.h"
#include "hwprobe/probe.h"
#include "hwprobe/topology.h"

#define CPU_DIR "sys/devices/system/cpu"

static void find_architecture(struct survey *s, struct hwp_cpu *cpu)
{
	/* Linux 6.1; tells the kernel's own name under a 32-bit personality, too. */
	if (put_attr(s, &cpu->architecture, NULL, "proc/sys/kernel/arch"))
		return;
	put_str(s, &cpu->architecture, survey_uname(s, 4), "uname");
}

/* Reads a CPU list such as "0-3,8"; -1 = absent. */
static int64_t count_list(struct survey *s, const char *path)
{
	char *text = topology_list(s, path);
	if (!text)
		return -1;
	int64_t n = cpulist_count(text);
	if (n < 0)
		survey_error(s, path, EBADMSG, "not a list of CPUs");
	return n;
}

static void find_count(struct survey *s, struct hwp_cpu *cpu)
{
	int64_t present = count_list(s, CPU_DIR "/present");
	if (present > 0) {
		put_num(s, &cpu->count, present, CPU_DIR "/present");
		int64_t online = count_list(s, CPU_DIR "/online");
		if (online >= 0 && online <= present)
			put_num(s, &cpu->offline, present - online, CPU_DIR "/online");
		return;
	}
	int64_t listed = cpuinfo_processors(survey_cpuinfo(s));
	if (listed > 0) {
		put_num(s, &cpu->count, listed, "proc/cpuinfo");
		return;
	}
	long configured = s->root->is_live ? sysconf(_SC_NPROCESSORS_CONF) : -1;
	if (configured > 0)
		put_num(s, &cpu->count, configured, "sysconf");
}

/* --- model -------------------------------------------------------------------------------------------- */

static bool model_from_sysinfo(struct survey *s, struct hwp_cpu *cpu)
{
	char *text = NULL;
	if (attr_file(s, "proc/sysinfo", ROOT_TABLE_MAX, &text, NULL) < 0)
		return false;
	return put_str(s, &cpu->model_name, cpuinfo_get(s->tmp, text, "Type"), "proc/sysinfo Type");
}

static bool model_from_smbios(struct survey *s, struct hwp_cpu *cpu)
{
	struct smbios_item i;
	char version[256];
	return smbios_find(survey_smbios(s), SMBIOS_PROCESSOR, &i) &&
	       put_str(s, &cpu->model_name, smbios_str(&i, 0x10, version, sizeof(version)),
		       "smbios type 4");
}

static void find_model(struct survey *s, struct hwp_cpu *cpu)
{
	static const char *const keys[] = { "model name", "Model Name", "cpu model", "cpu",
					    "uarch" };
	const char *info = survey_cpuinfo(s), *arch = cpu->architecture.s;
	if (str_starts(arch ? arch : "", "s390") && model_from_sysinfo(s, cpu))
		return;
	/* The part number says more than "ARMv7 Processor rev 4 (v7l)". */
	if (info &&
	    put_str(s, &cpu->model_name, cpu_arm_model(s->tmp, info), "proc/cpuinfo CPU part"))
		return;
	for (size_t i = 0; info && i < ARRAY_SIZE(keys); i++)
		if (put_str(s, &cpu->model_name, cpuinfo_most(s->tmp, info, keys[i]),
			    "proc/cpuinfo"))
			return;
	if (model_from_smbios(s, cpu))
		return;
	char *compatible = attr_text(s, "sys/firmware/devicetree/base/cpus/cpu@0/compatible");
	put_str(s, &cpu->model_name, compatible, "devicetree cpus/cpu@0");
}

/* --- frequency ---------------------------------------------------------------------------------------- */

static void raise_khz(struct survey *s, int64_t *max, const char *dir, const char *name,
		      const char *file)
{
	int64_t khz;
	if (attr_num(s, &khz, "%s/%s/%s", dir, name, file) == 0 && khz > *max)
		*max = khz;
}

/* Highest of all policies, in kHz; old kernels have cpufreq below each CPU only. */
static int64_t cpufreq_khz(struct survey *s)
{
	int64_t max = 0;
	struct root_names policies = attr_list(s, CPU_DIR "/cpufreq");
	for (size_t i = 0; i < policies.n; i++)
		if (str_starts(policies.v[i], "policy"))
			raise_khz(s, &max, CPU_DIR "/cpufreq", policies.v[i], "cpuinfo_max_freq");
	if (max)
		return max;

	struct root_names cpus = attr_list(s, CPU_DIR);
	int asked = 0;
	for (size_t i = 0; i < cpus.n; i++) {
		uint64_t number;
		if (!str_starts(cpus.v[i], "cpu") ||
		    str_to_u64(cpus.v[i] + strlen("cpu"), &number) < 0)
			continue;
		raise_khz(s, &max, CPU_DIR, cpus.v[i], "cpufreq/cpuinfo_max_freq");
		if (!max && ++asked == TOPOLOGY_CPUFREQ_TRIES)
			break;
	}
	return max;
}

/* "@ 2.60GHz" at the end of a model name, in MHz. */
static double mhz_in_name(const char *model)
{
	const char *at = model ? strrchr(model, '@') : NULL;
	double value;
	char unit[4];
	if (!at || sscanf(at + 1, " %lf%3s", &value, unit) != 2 || !(value > 0 && value < 1e6))
		return 0;
	if (!strcmp(unit, "GHz"))
		return value * 1000;
	return !strcmp(unit, "MHz") ? value : 0;
}

static bool put_mhz(struct survey *s, struct hwp_cpu *cpu, double mhz, const char *source)
{
	if (mhz > 0 && mhz < 1e6)
		return put_real(s, &cpu->frequency_mhz, mhz, source);
	explain_try(s, &cpu->frequency_mhz, source, false);
	return false;
}

static double smbios_mhz(struct survey *s)
{
	struct smbios_item i;
	if (!smbios_find(survey_smbios(s), SMBIOS_PROCESSOR, &i))
		return 0;
	uint16_t max = smbios_u16(&i, 0x14), current = smbios_u16(&i, 0x16);
	return max ? max : current;
}

static void find_frequency(struct survey *s, struct hwp_cpu *cpu)
{
	/* s390x; most others; LoongArch */
	static const char *const keys[] = { "cpu MHz static", "cpu MHz", "CPU MHz" };
	const char *info = survey_cpuinfo(s);
	struct cpuid_regs leaf;
	if (put_mhz(s, cpu, (double)cpufreq_khz(s) / 1000, TOPOLOGY_MAX_FREQ))
		return;
	for (size_t i = 0; info && i < ARRAY_SIZE(keys); i++)
		if (put_mhz(s, cpu, cpuinfo_max(info, keys[i]), "proc/cpuinfo"))
			return;
	if (cpuid_read(s, 0x16, 0, &leaf) && put_mhz(s, cpu, leaf.ebx & 0xffff, "cpuid 0x16"))
		return;
	if (put_mhz(s, cpu, smbios_mhz(s), "smbios type 4"))
		return;
	put_mhz(s, cpu, mhz_in_name(cpu->model_name.s), "model name");
}

static void put_words(struct survey *s, struct hwp_strs *dst, char *text, const char *source)
{
	char *save = NULL;
	for (char *w = text ? strtok_r(text, " \t", &save) : NULL; w;
	     w = strtok_r(NULL, " \t", &save))
		put_strs(s, dst, w, source);
}

static void find_flags(struct survey *s, struct hwp_cpu *cpu)
{
	static const char *const keys[] = { "flags", "Features", "features", "isa" };
	const char *info = survey_cpuinfo(s);
	char *text = NULL;
	size_t i = 0;
	for (; info && i < ARRAY_SIZE(keys) && !text; i++)
		text = cpuinfo_get(s->tmp, info, keys[i]);
	if (!text)
		return;
	put_words(s, &cpu->flags, text, "proc/cpuinfo");
	if (s->opt->flags & HWP_MORE)
		put_words(s, &cpu->common_flags, cpuinfo_common(s->tmp, info, keys[i - 1]),
			  "proc/cpuinfo, all CPUs");
}

static void run(struct survey *s)
{
	struct hwp_cpu *cpu = &s->inv->cpu;
	find_architecture(s, cpu);
	find_count(s, cpu);
	find_model(s, cpu);
	find_frequency(s, cpu);
	find_flags(s, cpu);
	if (s->opt->flags & HWP_MORE)
		topology_find(s, cpu);
}

const struct probe probe_cpu = { .name = "cpu", .part = HWP_CPU, .run = run };
