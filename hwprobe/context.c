#include "hwprobe/context.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/device_heads.h"
#include "hwprobe/device_read.h"
#include "hwprobe/netdump.h"
#include "hwprobe/probe.h"
#include "hwprobe/record.h"
#include "hwprobe/scrub.h"
#include "hwprobe/settle.h"
#include "hwprobe/signature.h"

enum {
	OPTIONS_MIN_BYTES = offsetof(struct hwp_options, parts) + sizeof(unsigned),
	OPTIONS_MAX_BYTES = 4096, /* no interface ever was so large */
	PARTS_KNOWN = HWP_ALL | HWP_LLDP,
};
enum { DEVICE_TIMEOUT_MS = 2000, BMC_TIMEOUT_MS = 5000, TOTAL_TIMEOUT_MS = 20000 };

const struct probe *const all_probes[] = {
	&probe_cpu,  &probe_memory, &probe_boot,     &probe_system, &probe_tpm, &probe_disks,
	&probe_nics, &probe_routes, &probe_hostname, &probe_gpus,   &probe_bmc, &probe_clock,
	&probe_lldp, NULL,
};

static void options_default(struct hwp_options *o)
{
	o->size = sizeof(*o);
	if (!o->parts)
		o->parts = HWP_ALL;
	if (!o->device_timeout_ms)
		o->device_timeout_ms = DEVICE_TIMEOUT_MS;
	if (!o->bmc_timeout_ms)
		o->bmc_timeout_ms = BMC_TIMEOUT_MS;
	if (!o->total_timeout_ms)
		o->total_timeout_ms = TOTAL_TIMEOUT_MS;
}

void hwp_close(struct hwp_ctx *ctx)
{
	if (!ctx)
		return;
	root_done(&ctx->root);
	signature_close(ctx->blkid);
	bmc_close(&ctx->bmc);
	device_heads_forget(ctx);
	free(ctx->sysroot);
	free(ctx->pci_ids);
	free(ctx->gpu_rules_file);
	gpu_rules_done(&ctx->gpu_rules);
	free(ctx);
}

static void hwp_closep(struct hwp_ctx **ctx)
{
	hwp_close(*ctx);
}

static void log_fault(const struct hwp_options *o, const struct fault *f)
{
	if (o->log)
		o->log(o->log_data, LOG_ERR, "source", fault_text(f));
}

int hwp_open(struct hwp_ctx **ret_ctx, const struct hwp_options *opt)
{
	/* A size that nobody has set would let the rest be overlooked, the name of the recorded machine, too. */
	if (!ret_ctx || (opt && (opt->size < OPTIONS_MIN_BYTES || opt->size > OPTIONS_MAX_BYTES)))
		return -EINVAL;
	AUTO(hwp_closep) struct hwp_ctx *ctx = calloc(1, sizeof(*ctx));
	if (!ctx)
		return -ENOMEM;

	ctx->root.fd = -1;
	/* A caller built against an older header knows fewer fields: the rest stays at its default. */
	if (opt)
		memcpy(&ctx->opt, opt, MIN_OF(opt->size, sizeof(*opt)));
	options_default(&ctx->opt);
	if (str_set(&ctx->sysroot, ctx->opt.sysroot) < 0 ||
	    str_set(&ctx->pci_ids, ctx->opt.pci_ids) < 0 ||
	    str_set(&ctx->gpu_rules_file, ctx->opt.gpu_rules) < 0)
		return -ENOMEM;
	ctx->opt.sysroot = ctx->sysroot;
	ctx->opt.pci_ids = ctx->pci_ids;
	ctx->opt.gpu_rules = ctx->gpu_rules_file;

	struct fault err = FAULT_INIT;
	int rc = root_open(&ctx->root, ctx->sysroot, &err);
	if (!rc && ctx->opt.gpu_rules)
		rc = gpu_rules_load(&ctx->gpu_rules, ctx->opt.gpu_rules, &err);
	if (rc < 0) {
		log_fault(&ctx->opt, &err);
		return rc;
	}
	*ret_ctx = TAKE(ctx);
	return 0;
}

static int escaped(struct hwp_ctx *ctx)
{
	struct fault err = FAULT_INIT;
	fault_set(&err, -EXDEV, "%s: %s: the link leaves the recorded tree", ctx->sysroot,
		  ctx->root.escaped);
	log_fault(&ctx->opt, &err);
	return -EXDEV;
}

static void inventory_freep(struct hwp_inventory **inv)
{
	hwp_unref(*inv);
}

/* A running machine without these is a container or a rescue shell that has not mounted them. */
static const struct {
	const char *folder, *inside;
} sources[] = {
	{ "/proc", "proc/self" },
	{ "/sys", "sys/class" },
};

/* In a record: the folders that were not there, and why. */
#define MISSING_FILE "missing.txt"

static void tell_missing(struct survey *s, const char *folder, int err)
{
	survey_error(s, folder, err, "it is not mounted: what the kernel tells there is missing");
}

static void check_recorded_sources(struct survey *s)
{
	char *text = NULL, *save = NULL;
	if (attr_file(s, MISSING_FILE, ROOT_ATTR_MAX, &text, NULL) < 0)
		return;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char folder[16];
		int err;
		if (sscanf(line, "%15s %d", folder, &err) != 2 || err <= 0)
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
			if (!strcmp(folder, sources[i].folder))
				tell_missing(s, sources[i].folder, err);
	}
}

static void check_sources(struct survey *s)
{
	s->part = "source";
	if (!s->root->is_live) {
		check_recorded_sources(s);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		if (faccessat(s->root->fd, sources[i].inside, F_OK, 0) == 0)
			continue;
		int err = errno;
		record_line(s->root, MISSING_FILE, "%s %d", sources[i].folder, err);
		tell_missing(s, sources[i].folder, err);
	}
}

int context_probe(struct hwp_ctx *ctx, unsigned parts, const struct root_names *only,
		  struct hwp_inventory **ret_inv)
{
	/* "All but …" of other ages has parts that are not known here. */
	parts = (parts ? parts : ctx->opt.parts) & PARTS_KNOWN;
	if (!parts)
		return -EINVAL;
	if (parts & HWP_LLDP) /* neighbours stand at their interfaces */
		parts |= HWP_NICS;
	AUTO(inventory_freep) struct hwp_inventory *inv = inventory_new(parts);
	if (!inv)
		return -ENOMEM;

	AUTO(arena_done) struct arena tmp = { 0 };
	struct netdump dumps[NETDUMP_KINDS] = { 0 };
	struct survey s = {
		.ctx = ctx,
		.root = &ctx->root,
		.opt = &ctx->opt,
		.inv = inv,
		.mem = &inv->mem,
		.tmp = &tmp,
		.dumps = dumps,
		.only = only,
		.read_device = ctx->read_device,
		.deadline_ms = time_mono_ms() + ctx->opt.total_timeout_ms,
	};
	check_sources(&s);
	if (inv->parts & HWP_BMC)
		bmc_begin(&s);
	/* What is not ready in time is marked as such. */
	if (ctx->opt.settle_ms && ctx->root.is_live && inv->parts & (HWP_DISKS | HWP_NICS))
		(void)settle_wait(ctx->opt.settle_ms, inv->parts);
	for (const struct probe *const *p = all_probes; *p; p++) {
		if (!(inv->parts & (*p)->part) || (s.done & (*p)->part))
			continue;
		s.part = (*p)->name;
		(*p)->run(&s);
		s.done |= (*p)->part;
	}
	netdump_close(&s);
	device_reader_close(&s);
	if (ctx->root.escaped[0])
		return escaped(ctx);
	if (inv->mem.has_failed || tmp.has_failed)
		return -ENOMEM;
	*ret_inv = TAKE(inv);
	return 0;
}

int hwp_probe(struct hwp_ctx *ctx, unsigned parts, struct hwp_inventory **ret_inv)
{
	if (!ctx || !ret_inv)
		return -EINVAL;
	return context_probe(ctx, parts, NULL, ret_inv);
}

static int record_failed(struct hwp_ctx *ctx, int rc)
{
	struct fault err = FAULT_INIT;
	fault_set(&err, rc, "cannot record: %s", strerror(-rc));
	log_fault(&ctx->opt, &err);
	return rc;
}

/* The machine as the folder shows it. */
static int probe_record(struct hwp_ctx *ctx, int dirfd, unsigned parts,
			struct hwp_inventory **ret_inv)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", dirfd);
	struct hwp_options opt = ctx->opt;
	opt.sysroot = path;
	opt.log = NULL; /* it was told when this machine was read */
	AUTO(hwp_closep) struct hwp_ctx *replay = NULL;
	int rc = hwp_open(&replay, &opt);
	return rc < 0 ? rc : hwp_probe(replay, parts ? parts : opt.parts, ret_inv);
}

static int record_and_scrub(struct hwp_ctx *ctx, int dirfd, unsigned parts,
			    struct hwp_inventory **ret_inv)
{
	int rc = scrub_tree(dirfd);
	if (rc < 0)
		return record_failed(ctx, rc);
	hwp_unref(TAKE(*ret_inv));
	rc = probe_record(ctx, dirfd, parts, ret_inv);
	return rc < 0 ? record_failed(ctx, rc) : 0;
}

/* What is there already would be taken for part of the record. */
static int check_empty(int dirfd)
{
	AUTO(closep) int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	AUTO(closedirp) DIR *dir = fdopendir(fd);
	if (!dir)
		return -ENOMEM;
	(void)TAKE_FD(fd);
	for (struct dirent *e; (e = readdir(dir));)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			return -ENOTEMPTY;
	return 0;
}

int hwp_record(struct hwp_ctx *ctx, int dirfd, unsigned parts, struct hwp_inventory **ret_inv)
{
	if (!ctx || !ret_inv || !ctx->root.is_live)
		return -EINVAL;
	int rc = check_empty(dirfd);
	if (rc < 0)
		return record_failed(ctx, rc);
	AUTO(inventory_freep) struct hwp_inventory *inv = NULL;
	ctx->root.record_fd = dirfd;
	ctx->root.record_error = 0;
	ctx->root.record_dir[0] = '\0'; /* its links are not in this folder yet */
	bmc_forget(&ctx->bmc);          /* what is remembered would not be recorded */
	rc = hwp_probe(ctx, parts, &inv);
	ctx->root.record_fd = -1;
	if (!rc && ctx->root.record_error)
		rc = record_failed(ctx, ctx->root.record_error);
	if (!rc && ctx->opt.flags & HWP_SCRUB)
		rc = record_and_scrub(ctx, dirfd, parts, &inv);
	if (!rc)
		*ret_inv = TAKE(inv);
	return rc;
}
