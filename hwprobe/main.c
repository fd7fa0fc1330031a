#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "common/cleanup.h"
#include "common/log.h"
#include "common/str.h"
#include "common/verb.h"
#include "hwprobe/arguments.h"
#include "hwprobe/watch.h"

/* {"truncation":{"type":"full"}} and the newline: nothing shorter says that there is no inventory. */
enum { OUTPUT_MIN = 31 };

static const struct {
	const char *name;
	enum hwp_format format;
} formats[] = { { "assisted", HWP_JSON_ASSISTED },
		{ "full", HWP_JSON_FULL },
		{ "text", HWP_TEXT } };

static int set_format(void *ctx, const char *value, struct fault *err)
{
	struct arguments *a = ctx;
	a->has_format = true;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		if (!strcmp(value, formats[i].name)) {
			a->format = formats[i].format;
			return 0;
		}
	}
	return fault_set(err, -EINVAL, "\"%s\" is none of assisted, full, text", value);
}

/* "cpu, memory, …" */
static void part_names(char *ret, size_t size)
{
	*ret = '\0';
	for (unsigned part = 1; part <= HWP_ALL; part <<= 1)
		if (part_name(part))
			snprintf(ret + strlen(ret), size - strlen(ret), "%s, ", part_name(part));
	snprintf(ret + strlen(ret), size - strlen(ret), "%s", part_name(HWP_ALL));
}

static int set_parts(void *ctx, const char *value, struct fault *err)
{
	AUTO(freep) char *list = str_dup(value);
	if (!list)
		return fault_oom(err);
	char *rest = list, *name, names[256];
	unsigned parts = 0;
	while ((name = strsep(&rest, ","))) {
		unsigned part = part_by_name(name);
		part_names(names, sizeof(names));
		if (!part)
			return fault_set(err, -EINVAL, "\"%s\" is none of %s", name, names);
		parts |= part;
	}
	((struct arguments *)ctx)->opt.parts = parts;
	return 0;
}

/* A name of a file or of a folder. */
static int set_name(const char *value, const char **ret, struct fault *err)
{
	if (!*value)
		return fault_set(err, -EINVAL, "the name is empty");
	*ret = value;
	return 0;
}

static int set_sysroot(void *ctx, const char *value, struct fault *err)
{
	return set_name(value, &((struct arguments *)ctx)->opt.sysroot, err);
}

static int set_record(void *ctx, const char *value, struct fault *err)
{
	return set_name(value, &((struct arguments *)ctx)->record, err);
}

static int set_scrub(void *ctx, const char *value, struct fault *err)
{
	((struct arguments *)ctx)->opt.flags |= HWP_SCRUB;
	return 0;
}

static int set_explain(void *ctx, const char *value, struct fault *err)
{
	struct arguments *a = ctx;
	a->explain = value;
	a->opt.flags |= HWP_EXPLAIN | HWP_MORE;
	return *value ? 0 : fault_set(err, -EINVAL, "no value is named");
}

static int set_watch(void *ctx, const char *value, struct fault *err)
{
	((struct arguments *)ctx)->is_watching = true;
	return 0;
}

static int set_size(const char *value, uint64_t *ret, struct fault *err)
{
	if (str_to_size(value, ret) < 0)
		return fault_set(err, -EINVAL, "\"%s\" is not a size like 65536, 64K or 120GB",
				 value);
	return 0;
}

static int set_output_max(void *ctx, const char *value, struct fault *err)
{
	uint64_t *max = &((struct arguments *)ctx)->max_bytes;
	int rc = set_size(value, max, err);
	if (rc < 0 || !*max || *max >= OUTPUT_MIN)
		return rc;
	return fault_set(err, -EINVAL, "%s: no output is that short, the shortest has %d bytes",
			 value, OUTPUT_MIN);
}

static int set_disk_min(void *ctx, const char *value, struct fault *err)
{
	return set_size(value, &((struct arguments *)ctx)->opt.disk_min_bytes, err);
}

static int set_ms(const char *value, unsigned min, unsigned *ret, struct fault *err)
{
	uint64_t ms;
	if (str_to_u64(value, &ms) < 0 || ms < min || ms > INT32_MAX)
		return fault_set(err, -EINVAL,
				 "\"%s\" is not a number of milliseconds from %u to %d", value, min,
				 INT32_MAX);
	*ret = (unsigned)ms;
	return 0;
}

static int set_timeout(void *ctx, const char *value, struct fault *err)
{
	return set_ms(value, 1, &((struct arguments *)ctx)->opt.total_timeout_ms, err);
}

static int set_pci_ids(void *ctx, const char *value, struct fault *err)
{
	return set_name(value, &((struct arguments *)ctx)->opt.pci_ids, err);
}

static int set_gpu_rules(void *ctx, const char *value, struct fault *err)
{
	return set_name(value, &((struct arguments *)ctx)->opt.gpu_rules, err);
}

static int set_settle(void *ctx, const char *value, struct fault *err)
{
	return set_ms(value, 0, &((struct arguments *)ctx)->opt.settle_ms, err);
}

static int set_lldp(void *ctx, const char *value, struct fault *err)
{
	return set_ms(value, 1, &((struct arguments *)ctx)->opt.lldp_timeout_ms, err);
}

static int set_smart(void *ctx, const char *value, struct fault *err)
{
	((struct arguments *)ctx)->opt.flags |= HWP_SMART;
	return 0;
}

static const struct option_spec options[] = {
	{ "format", 'f', "FORMAT", "assisted (default), full or text", set_format },
	{ "parts", 'p', "LIST", "only these parts: cpu,memory,disks,interfaces,…", set_parts },
	{ "sysroot", 0, "DIR", "a recorded machine instead of this one", set_sysroot },
	{ "record", 0, "DIR", "record this machine into a new folder", set_record },
	{ "scrub", 0, NULL, "with --record: without what tells whose it is", set_scrub },
	{ "explain", 0, "PATH", "where a value came from: disks.sda.serial", set_explain },
	{ "watch", 0, NULL, "one line of JSON now and at each change", set_watch },
	{ "output-max-size", 0, "SIZE", "cut the output (assisted only) to this size",
	  set_output_max },
	{ "disk-min-size", 0, "SIZE", "leave out smaller disks", set_disk_min },
	{ "timeout", 0, "MS", "time for reading devices, milliseconds", set_timeout },
	{ "settle", 0, "MS", "wait so long for udev to finish with new devices", set_settle },
	{ "lldp-timeout", 0, "MS", "with --parts=lldp: wait so long for neighbours", set_lldp },
	{ "smart", 0, NULL, "ask disks for their health (full, text); wakes them", set_smart },
	{ "gpu-rules", 0, "FILE", "which PCI functions are GPUs: classes, vendors, models",
	  set_gpu_rules },
	{ "pci-ids", 0, "FILE", "names of PCI devices", set_pci_ids },
	{ 0 },
};

static void print_message(void *data, int prio, const char *part, const char *msg)
{
	bool is_whole = !strcmp(part, "source"); /* the machine, not one of its parts */
	log_write(prio, "%s%s%s", is_whole ? "" : part, is_whole ? "" : ": ", msg);
}

static void hwp_closep(struct hwp_ctx **ctx)
{
	hwp_close(*ctx);
}

static void hwp_unrefp(struct hwp_inventory **inv)
{
	hwp_unref(*inv);
}

/* Columns of the terminal; 0 = not a terminal. */
static unsigned terminal_width(void)
{
	struct winsize size;
	return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col
										     : 0;
}

static int print_inventory(const struct arguments *a, const struct hwp_inventory *inv)
{
	/* The newline counts. */
	size_t max = a->max_bytes > 1 ? a->max_bytes - 1 : a->max_bytes;
	AUTO(freep)
	char *text = a->format == HWP_TEXT ? hwp_to_text(inv, terminal_width())
					   : hwp_to_json(inv, a->format, max);
	if (!text) {
		log_error("out of memory");
		return EXIT_FAILED;
	}
	if (fputs(text, stdout) < 0 || (a->format != HWP_TEXT && putchar('\n') < 0) ||
	    fflush(stdout) < 0) {
		log_error("cannot write: %s", strerror(errno));
		return EXIT_FAILED;
	}
	return hwp_errors(inv, NULL) ? EXIT_PARTIAL : EXIT_DONE;
}

/* One line and a hint, as for every mistake on the command line. */
static int no_such_value(const struct arguments *a, const struct hwp_inventory *inv)
{
	AUTO(freep) char *why = NULL, *near = NULL;
	if (hwp_explain_missing(inv, a->explain, &why, &near) < 0) {
		log_error("out of memory");
		return EXIT_FAILED;
	}
	log_error("--explain=%s: there is no such value: %s", a->explain, why);
	fprintf(stderr, "Nearest: %s. Try \"slipway-hwprobe --format=full\" for all names.\n",
		near);
	return EXIT_USAGE;
}

static int print_explanation(const struct arguments *a, const struct hwp_inventory *inv)
{
	AUTO(freep) char *text = NULL;
	int rc = hwp_explain(inv, a->explain, &text);
	if (rc == -ENOENT)
		return no_such_value(a, inv);
	if (rc < 0 || fputs(text, stdout) < 0 || fflush(stdout) < 0) {
		log_error("cannot write: %s", strerror(rc < 0 ? -rc : errno));
		return EXIT_FAILED;
	}
	return hwp_errors(inv, NULL) ? EXIT_PARTIAL : EXIT_DONE;
}

static int cannot_make(const char *folder)
{
	static const struct {
		int err;
		const char *text;
	} remedies[] = {
		{ EEXIST, "it is there already: name a new folder" },
		{ ENOENT, "the folder that it would lie in is not there: make that first" },
	};
	int err = errno;
	const char *text = strerror(err);
	for (size_t i = 0; i < ARRAY_SIZE(remedies); i++)
		if (remedies[i].err == err)
			text = remedies[i].text;
	log_error("--record=%s: %s", folder, text);
	return -err;
}

/* Only a new folder: what is there already would become a part of the record. */
static int record(const struct arguments *a, struct hwp_ctx *hwp, struct hwp_inventory **ret)
{
	if (mkdir(a->record, 0700) < 0)
		return cannot_make(a->record);
	AUTO(closep) int dir = open(a->record, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return cannot_make(a->record);
	int rc = hwp_record(hwp, dir, 0, ret);
	if (rc < 0)
		log_error("--record=%s: it is not complete: remove it", a->record);
	return rc;
}

static int run(void *ctx, int argc, char **argv)
{
	struct arguments *a = ctx;
	struct fault err = FAULT_INIT;
	const char *wrong = arguments_contradiction(a);
	if (wrong) {
		log_error("%s", wrong);
		fprintf(stderr, "Try \"slipway-hwprobe --help\".\n");
		return EXIT_USAGE;
	}
	if (a->opt.sysroot && arguments_check_sysroot(a->opt.sysroot, &err) < 0) {
		log_error("%s", fault_text(&err));
		return EXIT_FAILED;
	}
	if (a->format != HWP_JSON_ASSISTED || a->record)
		a->opt.flags |= HWP_MORE;
	AUTO(hwp_closep) struct hwp_ctx *hwp = NULL;
	AUTO(hwp_unrefp) struct hwp_inventory *inv = NULL;
	int rc = hwp_open(&hwp, &a->opt);
	if (!rc && a->is_watching)
		return watch(hwp);
	if (!rc)
		rc = a->record ? record(a, hwp, &inv) : hwp_probe(hwp, 0, &inv);
	if (rc < 0) {
		if (rc == -ENOMEM)
			log_error("out of memory");
		return EXIT_FAILED;
	}
	return a->explain ? print_explanation(a, inv) : print_inventory(a, inv);
}

/* Without them the first files that are opened would get what is printed. */
static void hold_standard_streams(void)
{
	int fd;
	do
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC); /* what is written there fails */
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	struct arguments a = { .opt = { .size = sizeof(a.opt), .log = print_message } };
	const struct program program = {
		.name = "slipway-hwprobe",
		.summary = "The hardware of this machine, read from the kernel",
		.options = options,
		.run = run,
	};
	hold_standard_streams();
	(void)signal(SIGXFSZ, SIG_IGN); /* a file that is too large is an error like a full disk */
	log_init("slipway-hwprobe", LOG_INFO);
	return program_main(&program, &a, argc, argv);
}
