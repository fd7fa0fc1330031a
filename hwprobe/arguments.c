#include "hwprobe/arguments.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "common/cleanup.h"

/* What is on the command line, and which parts it asks for. */
enum fact {
	SYSROOT = 1,
	RECORD = 2,
	SCRUB = 4,
	EXPLAIN = 8,
	WATCH = 16,
	FORMAT = 32,  /* whichever */
	IN_FULL = 64, /* a format that shows everything */
	MAX_SIZE = 128,
	MIN_SIZE = 256,
	SETTLE = 512,
	LLDP_TIMEOUT = 1024,
	SMART = 2048,
	GPU_RULES = 4096,
	PCI_IDS = 8192,
	LLDP = 1 << 14,
	CLOCK = 1 << 15, /* by its name */
	DISKS = 1 << 16,
	NICS = 1 << 17,
	GPUS = 1 << 18,
	SHOWN = IN_FULL | RECORD | EXPLAIN, /* what the assisted format does not show is of use */
};

static unsigned part_facts(unsigned parts)
{
	bool is_all = (parts & HWP_ALL) == HWP_ALL;
	unsigned facts = 0;
	if (!parts)
		return DISKS | NICS | GPUS;
	facts |= parts & HWP_LLDP ? LLDP | NICS : 0;
	facts |= parts & HWP_CLOCK && !is_all ? CLOCK : 0;
	facts |= parts & HWP_DISKS ? DISKS : 0;
	facts |= parts & HWP_NICS ? NICS : 0;
	facts |= parts & HWP_GPUS ? GPUS : 0;
	return facts;
}

static unsigned facts_of(const struct arguments *a)
{
	const struct {
		bool is_so;
		unsigned fact;
	} facts[] = {
		{ a->opt.sysroot, SYSROOT },
		{ a->record, RECORD },
		{ a->opt.flags & HWP_SCRUB, SCRUB },
		{ a->explain, EXPLAIN },
		{ a->is_watching, WATCH },
		{ a->has_format, FORMAT },
		{ a->format != HWP_JSON_ASSISTED, IN_FULL },
		{ a->max_bytes, MAX_SIZE },
		{ a->opt.disk_min_bytes, MIN_SIZE },
		{ a->opt.settle_ms, SETTLE },
		{ a->opt.lldp_timeout_ms, LLDP_TIMEOUT },
		{ a->opt.flags & HWP_SMART, SMART },
		{ a->opt.gpu_rules, GPU_RULES },
		{ a->opt.pci_ids, PCI_IDS },
	};
	unsigned all = part_facts(a->opt.parts);
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		all |= facts[i].is_so ? facts[i].fact : 0;
	return all;
}

/* In the order in which people should be told: what forbids a whole use of the program first. */
static const struct {
	unsigned all, none; /* every one of these is a fact, and none of those */
	const char *text;
} contradictions[] = {
	{ RECORD | SYSROOT, 0, "--record is for the running machine, not with --sysroot" },
	{ WATCH | SYSROOT, 0, "--watch is for the running machine, not with --sysroot" },
	{ WATCH | RECORD, 0, "--watch prints inventories and records none: leave out --record" },
	{ WATCH | EXPLAIN, 0, "--watch prints inventories: ask for --explain without it" },
	{ WATCH | IN_FULL, 0, "--watch prints inventories as --format=assisted only" },
	{ WATCH | MAX_SIZE, 0, "--watch prints whole inventories, --output-max-size cuts one" },
	{ WATCH | SMART, 0, "--smart is shown by --format=full and --format=text, not by --watch" },
	{ WATCH | LLDP, 0, "the part lldp is not watched" },
	{ WATCH | CLOCK, 0, "the part clock is not watched" },
	{ SCRUB, RECORD, "--scrub belongs to --record" },
	{ EXPLAIN | FORMAT, 0, "--explain has a form of its own, not with --format" },
	{ EXPLAIN | MAX_SIZE, 0, "--explain is not cut, --output-max-size has no effect on it" },
	{ IN_FULL | MAX_SIZE, 0, "--output-max-size cuts --format=assisted, no other format" },
	{ LLDP, SHOWN, "the part lldp is shown by --format=full and --format=text" },
	{ CLOCK, SHOWN, "the part clock is shown by --format=full and --format=text" },
	{ SMART, DISKS, "--smart asks disks, but --parts leaves them out" },
	{ SMART, SHOWN, "--smart is shown by --format=full and --format=text" },
	{ MIN_SIZE, DISKS, "--disk-min-size is about disks, but --parts leaves them out" },
	{ LLDP_TIMEOUT, LLDP, "--lldp-timeout belongs to --parts=lldp" },
	{ LLDP_TIMEOUT | SYSROOT, 0,
	  "a recorded machine's neighbours are not waited for: leave out --lldp-timeout" },
	{ SETTLE | SYSROOT, 0, "a recorded machine has settled: leave out --settle" },
	{ SETTLE, DISKS | NICS,
	  "--settle is about disks and interfaces, but --parts leaves them out" },
	{ GPU_RULES, GPUS, "--gpu-rules is about GPUs, but --parts leaves them out" },
	{ PCI_IDS, GPUS | DISKS, "--pci-ids is about GPUs and disks, but --parts leaves them out" },
};

const char *arguments_contradiction(const struct arguments *a)
{
	unsigned facts = facts_of(a);
	for (size_t i = 0; i < ARRAY_SIZE(contradictions); i++)
		if ((facts & contradictions[i].all) == contradictions[i].all &&
		    !(facts & contradictions[i].none))
			return contradictions[i].text;
	return NULL;
}

#define WHICH_FOLDER "name a folder that --record has written"

/* Any layer will do: what is not recorded is absent. */
int arguments_check_sysroot(const char *sysroot, struct fault *err)
{
	static const char *const layers[] = { "sys",       "proc",     "run",
					      "dev",       "netlink",  "uname",
					      "cpuid.txt", "ipmi.txt", "clock.txt" };
	AUTO(closep) int dir = open(sysroot, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int reason = dir < 0 ? errno : ENOENT;
	if (dir < 0)
		return fault_set(err, -reason, "--sysroot=%s: %s: " WHICH_FOLDER, sysroot,
				 strerror(reason));
	for (size_t i = 0; i < ARRAY_SIZE(layers); i++) {
		if (faccessat(dir, layers[i], F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return 0;
		reason = errno == ENOENT ? reason : errno;
	}
	return fault_set(err, -reason, "--sysroot=%s: %s: " WHICH_FOLDER, sysroot,
			 reason == ENOENT ? "no machine is recorded there" : strerror(reason));
}
