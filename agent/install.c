/*
 * The installation as a transaction: a table of phases, in the order in which nothing half-done can
 * boot.
 */
#include "agent/install.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include "agent/configure.h"
#include "agent/efiboot.h"
#include "agent/install_engine.h"
#include "agent/wipe.h"
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/log.h"
#include "common/str.h"

/* Percent of the whole at the end of a phase. */
#define PERCENT_WRITE 80
#define PERCENT_VERIFY 97
#define PERCENT_CONFIGURE 98
#define PERCENT_COMMIT 99

#define LOCK_WAIT_MS 10000
#define LOCK_RETRY_US 100000

static const char *const phase_names[INSTALL_PHASE_COUNT] = {
	[INSTALL_CHECK] = "check",         [INSTALL_PREPARE] = "prepare",
	[INSTALL_WRITE] = "write",         [INSTALL_VERIFY] = "verify",
	[INSTALL_CONFIGURE] = "configure", [INSTALL_COMMIT] = "commit",
	[INSTALL_BOOT] = "boot entry",     [INSTALL_DONE] = "done",
	[INSTALL_FAILED] = "failed",
};

const char *install_phase_name(enum install_phase p)
{
	return p < INSTALL_PHASE_COUNT ? phase_names[p] : "?";
}

void engine_report(struct engine *e, enum install_phase phase, unsigned percent, uint64_t done,
		   uint64_t total, const char *text)
{
	struct install_report *r = &e->report;
	int64_t now = time_mono_ms();

	if (r->phase < INSTALL_PHASE_COUNT)
		r->phase_ms[r->phase] += (uint64_t)(now - e->phase_since_ms);
	e->phase_since_ms = now;
	r->phase = phase;
	r->percent = MAX_OF(r->percent, percent);
	r->done_bytes = done;
	r->total_bytes = total;
	(void)str_copy(r->text, sizeof(r->text), text);
	str_make_utf8(r->text);
	if (e->sink && e->sink->report)
		e->sink->report(e->sink->ctx, r);
}

/* --- phases ------------------------------------------------------------------------------ */

static int stopped(const struct engine *e, struct fault *err)
{
	if (e->sink && e->sink->cancel && *e->sink->cancel)
		return fault_set(err, -ECANCELED, "the installation was stopped");
	return 0;
}

/*
 * A writer that was killed in the middle of a write is gone only when the disk has answered: the
 * one that goes on after it waits for that.
 */
static int lock_wait(struct engine *e, struct fault *err)
{
	for (int64_t end = time_mono_ms() + LOCK_WAIT_MS; time_mono_ms() < end;
	     usleep(LOCK_RETRY_US)) {
		int r = stopped(e, err);

		if (r < 0 || flock(e->lock_fd, LOCK_EX | LOCK_NB) == 0)
			return r;
	}
	return fault_set(err, -EALREADY, "another installation is running on this machine");
}

/* One installation at a time: the lock goes away with the process. */
static int lock_take(struct engine *e, struct fault *err)
{
	AUTO(freep) char *path = str_printf("%s.lock", e->p->state_path);
	AUTO(freep) char *dir = str_dup(e->p->state_path);

	if (!path || !dir)
		return fault_oom(err);
	char *slash = strrchr(dir, '/');
	if (slash && slash != dir) {
		*slash = '\0';
		int r = dir_make_at(AT_FDCWD, dir, 0700, err);

		if (r < 0)
			return r;
	}
	e->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (e->lock_fd < 0)
		return fault_set(err, -errno, "%s: %s", path, strerror(errno));
	return lock_wait(e, err);
}

static int run_check(struct engine *e, struct fault *err)
{
	int r = e->p->state_path ? lock_take(e, err) : 0;

	if (r == 0)
		r = engine_check(e, err);
	if (r == 0 && e->p->no_disk_writes)
		return fault_set(err, -EPERM,
				 "writing to disks is switched off (--no-disk-writes)");
	if (r == 0)
		r = stream_init(&e->stream, e->stream_fd, &e->slx, err);
	if (r < 0)
		return r;
	e->has_stream = true;
	return engine_head(e, err);
}

static void guids_keep(struct engine *e)
{
	static const uint8_t none[16];

	for (size_t i = 0; i < e->graph.n && e->state.guids_n < STATE_GUIDS_MAX; i++)
		if (memcmp(e->graph.nodes[i].part_guid, none, 16))
			memcpy(e->state.guids[e->state.guids_n++], e->graph.nodes[i].part_guid, 16);
}

static int state_begin(struct engine *e, struct fault *err)
{
	struct install_state old;
	int r = install_state_init(&e->state, e->p->install_id, e->slx.image_id, e->slx.count,
				   &e->d->id, err);

	if (r < 0)
		return r;
	if (e->p->state_path && install_state_load(e->p->state_path, &e->state, &old) == 1) {
		install_state_done(&e->state);
		e->state = old;
		e->has_state = true;
		return 0;
	}
	guids_keep(e);
	return 0;
}

static int state_save(struct engine *e, struct fault *err)
{
	return e->p->state_path ? install_state_save(e->p->state_path, &e->state, err) : 0;
}

/* Is the whole first MiB what a commit would have written? */
static bool is_committed(struct engine *e)
{
	AUTO(freep) uint8_t *head = chunk_alloc(COMMIT_HEAD_BYTES);

	return e->has_state && e->state.is_committed && head &&
	       e->d->ops->read(e->d, head, COMMIT_HEAD_BYTES, 0) == 0 &&
	       !memcmp(head, e->commit.head, COMMIT_HEAD_BYTES);
}

/* The kernel drops the old partitions. */
static int table_forget(struct engine *e, struct fault *err)
{
	int r = e->d->ops->reread_table(e->d);

	return r < 0 ? fault_set(err, r, "the old partitions of %s are in use: %s", e->d->id.name,
				 strerror(-r))
		     : 0;
}

static int run_prepare(struct engine *e, struct fault *err)
{
	bool is_ours = !e->d;
	int r = is_ours ? engine_plan_again(e, err) : 0;

	if (r == 0 && is_ours)
		r = plan_teardown(&e->plan, err);
	if (r == 0 && is_ours) {
		r = disk_open(e->p->device, &e->id, &e->own, err);
		e->d = r == 0 ? &e->own : NULL;
	}
	if (r == 0)
		r = state_begin(e, err);
	if (r < 0)
		return r;
	e->report.is_committed = is_committed(e);
	if (e->report.is_committed)
		return 0;
	e->is_dirty = true;
	e->state.is_committed = false;
	/* A resumed disk has no signatures but those of the image itself. */
	if (is_ours && !e->has_state)
		r = wipe_signatures(e->d, &e->plan, err);
	if (r == 0)
		r = wipe_ends(e->d, err);
	if (r == 0)
		r = table_forget(e, err);
	return r < 0 ? r : state_save(e, err);
}

static void on_flushed(void *ctx, uint64_t done, uint64_t total, const uint8_t *bitmap)
{
	struct engine *e = ctx;
	struct fault ignored;

	memcpy(e->state.flushed, bitmap, e->state.chunks / 8 + 1);
	if (state_save(e, &ignored) < 0) /* only a hint for the next try */
		log_debug("install state: %s", fault_text(&ignored));
	if (e->report.phase == INSTALL_WRITE)
		engine_report(e, INSTALL_WRITE,
			      total ? (unsigned)(done * PERCENT_WRITE / total) : PERCENT_WRITE,
			      done, total, "");
}

static void on_verified(void *ctx, uint64_t done, uint64_t total)
{
	struct engine *e = ctx;
	unsigned percent = PERCENT_WRITE +
			   (unsigned)(done * (PERCENT_VERIFY - PERCENT_WRITE) / MAX_OF(total, 1u));

	if (percent > e->report.percent)
		engine_report(e, INSTALL_VERIFY, percent, done, total, "");
}

static int run_write(struct engine *e, struct fault *err)
{
	const struct writer_spec spec = {
		.slx = &e->slx,
		.disk = e->d,
		.stream = &e->stream,
		.first_chunk = e->head_chunks,
		.cancel = e->sink ? e->sink->cancel : NULL,
		.flushed = on_flushed,
		.verified = on_verified,
		.ctx = e,
	};
	int r = writer_new(&spec, &e->writer, err);

	if (r == 0)
		r = writer_survey(e->writer, e->has_state ? e->state.flushed : NULL, err);
	if (r < 0)
		return r;
	e->report.is_resumed = writer_reused_bytes(e->writer) > 0;
	r = writer_fill(e->writer, err);
	return r < 0 ? r : engine_head_rest(e, err);
}

static int run_verify(struct engine *e, struct fault *err)
{
	int r = writer_verify(e->writer, err);

	if (r < 0)
		return r;
	e->report.repaired = (uint16_t)MIN_OF(writer_repaired(e->writer), UINT16_MAX);
	/* The other side may be gone by now, and it does not matter any more. */
	if (stream_want_end(&e->stream, NULL) == 0)
		(void)stream_step(&e->stream, NULL, -1, 0, NULL, NULL);
	return 0;
}

static int run_configure(struct engine *e, struct fault *err)
{
	const struct install_params *p = e->p;
	int r = 0;

	if (p->files_n && !e->commit.has_gpt)
		return fault_set(
			err, -EMEDIUMTYPE,
			"the image has no GPT: there is no telling where its root file system is");
	if (p->files_n)
		r = configure_files(e->d, &e->commit.gpt, p->files, p->files_n, err);
	if (r == 0 && e->is_efi && e->commit.has_gpt)
		r = configure_find_loader(e->d, &e->commit.gpt, e->loader, &e->esp_number, err);
	if (r == -ENODEV) { /* no vfat in this kernel: the removable path will do */
		log_debug("%s", fault_text(err));
		return 0;
	}
	return r;
}

static int run_commit(struct engine *e, struct fault *err)
{
	bool is_done = false;
	int r = commit_run(&e->commit, e->d, &is_done, err);

	e->report.is_committed = is_done;
	if (r < 0)
		return r;
	e->state.is_committed = true;
	if (state_save(e, NULL) < 0)
		log_debug("install state: not saved");
	return 0;
}

/* Failing here is no failure of the installation: the removable path leads to the new system. */
static int run_boot(struct engine *e, struct fault *err)
{
	const struct gpt_entry *esp = e->commit.has_gpt && e->esp_number
					      ? &e->commit.gpt.entries[e->esp_number - 1]
					      : NULL;
	struct efiboot_result result;
	struct fault why = FAULT_INIT;

	if (!e->is_efi || !efiboot_is_available() || !esp)
		return 0;
	struct efiboot_spec spec = {
		.label = e->p->boot_label ? e->p->boot_label : INSTALL_BOOT_LABEL,
		.loader = e->loader,
		.part_number = e->esp_number,
		.part_start = esp->first_lba,
		.part_size = esp->last_lba - esp->first_lba + 1,
		.stale = (const uint8_t(*)[16])e->state.guids,
		.stale_n = e->state.guids_n,
		.order = e->p->boot_order,
	};
	memcpy(spec.part_guid, esp->guid, 16);
	if (efiboot_set(&spec, &result, &why) < 0)
		snprintf(e->report.text, sizeof(e->report.text), "no boot entry: %.480s",
			 fault_text(&why));
	else
		snprintf(e->report.text, sizeof(e->report.text), "Boot%04X is next", result.number);
	return 0;
}

/* --- all of it --------------------------------------------------------------------------- */

static const struct {
	enum install_phase phase;
	unsigned percent; /* at its start */
	int (*run)(struct engine *e, struct fault *err);
} phases[] = {
	{ INSTALL_CHECK, 0, run_check },
	{ INSTALL_PREPARE, 0, run_prepare },
	{ INSTALL_WRITE, 0, run_write },
	{ INSTALL_VERIFY, PERCENT_WRITE, run_verify },
	{ INSTALL_CONFIGURE, PERCENT_VERIFY, run_configure },
	{ INSTALL_COMMIT, PERCENT_CONFIGURE, run_commit },
	{ INSTALL_BOOT, PERCENT_COMMIT, run_boot },
};

static int phases_run(struct engine *e, struct fault *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(phases); i++) {
		/*
		 * An earlier try got through the commit; the loader's place is all that is needed
		 * of it.
		 */
		bool is_over = e->report.is_committed && phases[i].phase > INSTALL_PREPARE &&
			       phases[i].phase < INSTALL_BOOT;

		if (is_over && phases[i].phase == INSTALL_CONFIGURE && e->is_efi &&
		    e->commit.has_gpt)
			(void)configure_find_loader(e->d, &e->commit.gpt, e->loader, &e->esp_number,
						    NULL);
		if (is_over)
			continue;
		engine_report(e, phases[i].phase, phases[i].percent, 0, 0, "");
		/* The commit is the point of no return: a stop that came before it is obeyed. */
		if (phases[i].phase <= INSTALL_COMMIT && !e->report.is_committed)
			r = stopped(e, err);
		if (r == 0)
			r = phases[i].run(e, err);
		if (r < 0)
			fault_prefix(err, r, "%s", install_phase_name(phases[i].phase));
	}
	return r;
}

static void finish(struct engine *e, int r, const struct fault *err)
{
	char text[sizeof(e->report.text)];

	if (r < 0) {
		e->report.code = r;
		engine_report(e, INSTALL_FAILED, 0, 0, 0, fault_text(err));
		return;
	}
	memcpy(text, e->report.text, sizeof(text));
	engine_report(e, INSTALL_DONE, 100, 0, 0, text);
}

static void engine_done(struct engine *e)
{
	writer_free(e->writer);
	if (e->has_stream)
		stream_done(&e->stream);
	commit_done(&e->commit);
	free(e->head);
	if (e->d == &e->own)
		disk_close(&e->own);
	graph_done(&e->graph);
	members_done(&e->members);
	plan_done(&e->plan);
	install_state_done(&e->state);
	slx_done(&e->slx);
	closep(&e->lock_fd);
}

int install_run(const struct install_params *p, struct disk *d, int stream_fd,
		const struct install_sink *sink, struct fault *err)
{
	struct fault own_err = FAULT_INIT;
	struct engine e = {
		.p = p,
		.sink = sink,
		.d = d,
		.is_efi = access("/sys/firmware/efi", F_OK) == 0,
		.lock_fd = -1,
		.stream_fd = stream_fd,
		.phase_since_ms = time_mono_ms(),
	};

	err = err ? err : &own_err;
	int r = phases_run(&e, err);
	/* Whatever was written so far must not boot. */
	if (r < 0 && e.is_dirty && !e.report.is_committed)
		(void)wipe_ends(e.d, NULL);
	finish(&e, r, err);
	engine_done(&e);
	return r;
}
