/* The root process's part of an installation: keeps what is needed to go on, runs the writer, says how it goes, reboots. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "agent/priv.h"
#include "agent/watchdog.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/json_map.h"
#include "common/log.h"
#include "common/slx.h"

#define JOB_NAME "install.json"
#define INDEX_NAME "install.slx"
#define STATE_NAME "install.state"
#define JOB_MAX (32u << 20)
#define SAVE_STEP_PERCENT 5
#define NET_DEATH_WAIT_S \
	10 /* a writer that has lost its data source ends by itself within this time */
#define REBOOT_DEADLINE_S \
	300 /* the disk is complete: without any word from the network process the machine is rebooted all the same */

static void on_report(evutil_socket_t fd, short what, void *ctx);

static void timer_set(struct priv *p, struct event **timer, event_callback_fn fn, time_t seconds)
{
	struct timeval tv = { .tv_sec = seconds };
	if (!*timer)
		*timer = evtimer_new(p->base, fn, p);
	if (*timer)
		evtimer_add(*timer, &tv);
}

/* --- what is kept ----------------------------------------------------------------------------------- */

static void save(struct priv *p)
{
	AUTO(json_decrefp) json_t *obj = job_encode(&p->job);
	AUTO(freep) char *text = obj ? json_text(obj, false) : NULL;
	struct fault err = FAULT_INIT;

	if (!text || file_replace_at(p->state_dir, JOB_NAME, text, strlen(text), 0600, &err) < 0)
		log_warning("the installation could not be resumed if this process died: %s",
			    fault_text(&err));
	if (text)
		secret_wipe(text, strlen(text));
}

static void forget(struct priv *p)
{
	(void)unlinkat(p->state_dir, JOB_NAME, 0);
	(void)unlinkat(p->state_dir, INDEX_NAME, 0);
	(void)unlinkat(p->state_dir, STATE_NAME, 0);
	job_done(&p->job);
	free(TAKE(p->index));
	p->index_len = 0;
	p->has_job = p->is_stopping = false;
}

static void report_failure(struct priv *p, int code, const char *text)
{
	p->report = (struct install_report){ .phase = INSTALL_FAILED, .code = code };
	str_copy(p->report.text, sizeof(p->report.text), text);
	priv_send(p, MSG_REPORT, 0, &p->report, sizeof(p->report), -1);
	priv_status_changed(p);
}

/* --- the writer --------------------------------------------------------------------------------------- */

static void params_of(struct priv *p, struct install_file *files, dev_t *given_up,
		      const char *state_path, struct install_params *ret)
{
	for (size_t i = 0; i < p->job.files_n; i++)
		files[i] = (struct install_file){
			.path = p->job.files[i].path,
			.mode = p->job.files[i].mode,
			.data = p->job.files[i].data,
			.len = p->job.files[i].len,
		};
	*ret = (struct install_params){
		.device = p->job.device,
		.expect = p->job.expect,
		.install_id = p->job.install_id,
		.index = p->index,
		.index_len = p->index_len,
		.files = files,
		.files_n = p->job.files_n,
		.state_path = state_path,
		.given_up = given_up,
		.given_up_n = priv_given_up(p, given_up, INSTALL_GIVEN_UP_MAX),
		.no_disk_writes = p->config.no_disk_writes,
		.allow_loop = p->allow_loop,
	};
}

static char *state_path(const struct priv *p)
{
	return str_printf("%s/" STATE_NAME, agent_config_state_dir(&p->config));
}

static int start_writer(struct priv *p, struct fault *err)
{
	struct install_file files[INSTALL_FILES_MAX];
	dev_t given_up[INSTALL_GIVEN_UP_MAX];
	struct install_params params;
	int fds[2];
	AUTO(freep) char *path = state_path(p);

	if (!path)
		return fault_oom(err);
	int r = install_stream_pair(fds);
	if (r < 0)
		return fault_set(err, r, "cannot make the stream socket: %s", strerror(-r));
	/* Sent before the fork, so that the writer holds no copy of the other end and sees it close. */
	priv_send(p, MSG_STREAM, 0, NULL, 0, fds[1]);
	close(fds[1]);
	params_of(p, files, given_up, path, &params);
	r = install_writer_start(&params, fds[0], &p->writer, err);
	if (r < 0)
		return r;
	p->writer_read =
		event_new(p->base, p->writer.report_fd, EV_READ | EV_PERSIST, on_report, p);
	if (!p->writer_read || event_add(p->writer_read, NULL) < 0) {
		install_writer_done(&p->writer);
		return fault_oom(err);
	}
	p->has_writer = true;
	p->is_net_lost = false;
	return 0;
}

static void stop_writer(struct priv *p)
{
	if (p->writer_read)
		event_free(p->writer_read);
	p->writer_read = NULL;
	if (p->has_writer)
		install_writer_done(&p->writer);
	p->has_writer = false;
}

static void restart_writer(struct priv *p)
{
	struct fault err = FAULT_INIT;

	int r = start_writer(p, &err);
	if (r < 0) {
		forget(p);
		report_failure(p, r, fault_text(&err));
	}
}

static void writer_failed(struct priv *p)
{
	struct install_report r = p->report;

	stop_writer(p);
	if (r.code == -EPIPE && p->is_stopping) {
		r.code = -ECANCELED;
		str_copy(r.text, sizeof(r.text), "the installation was stopped");
	}
	/* Its source died under it: the next network process brings a new one, and the writer goes on where it was. */
	if (r.code == -EPIPE && (p->is_net_lost || !p->net_pid) && !r.is_committed) {
		log_notice("installation: goes on with a new network process");
		if (p->net_pid)
			restart_writer(p);
		return;
	}
	if (p->cancel_ask)
		priv_answer(p, p->cancel_ask, 0, NULL, NULL, -1);
	p->cancel_ask = 0;
	forget(p);
	report_failure(p, r.code, r.text);
}

/* The network process has not come to its end with this machine. */
static void on_reboot_deadline(evutil_socket_t fd, short what, void *ctx)
{
	log_warning(
		"the service could not be told; the installation is complete, so the machine is rebooted now");
	priv_install_reboot(ctx);
}

/* Where the time went: who waits wants to know whether it was the network, the disk or the check. */
static void log_times(const struct install_report *r)
{
	struct buf text;

	buf_init(&text, 512);
	for (int i = 0; i < INSTALL_DONE; i++)
		(void)buf_printf(&text, "%s%s %.1f s", i ? ", " : "",
				 install_phase_name((enum install_phase)i),
				 (double)r->phase_ms[i] / 1000);
	log_notice("installation: %s", text.data ? text.data : "");
	buf_done(&text);
}

static void writer_done(struct priv *p)
{
	log_notice("installation: the disk %s is complete%s%s", p->job.device,
		   *p->report.text ? ": " : "", p->report.text);
	log_times(&p->report);
	stop_writer(p);
	p->job.is_done = true;
	p->job.percent = 100;
	save(p);
	if (p->cancel_ask)
		priv_answer(p, p->cancel_ask, -EALREADY, NULL,
			    "the installation is complete already", -1);
	p->cancel_ask = 0;
	timer_set(p, &p->reboot_deadline, on_reboot_deadline, REBOOT_DEADLINE_S);
	priv_send(p, MSG_REPORT, 0, &p->report, sizeof(p->report), -1);
}

static void take_report(struct priv *p)
{
	if (p->report.phase == INSTALL_FAILED) {
		writer_failed(p);
	} else if (p->report.phase == INSTALL_DONE) {
		writer_done(p);
	} else {
		if (p->report.percent >= p->job.percent + SAVE_STEP_PERCENT) {
			p->job.percent = p->report.percent;
			save(p);
		}
		priv_send(p, MSG_REPORT, 0, &p->report, sizeof(p->report), -1);
	}
	priv_status_changed(p);
}

static void on_report(evutil_socket_t fd, short what, void *ctx)
{
	struct priv *p = ctx;
	struct install_report r;

	while (p->has_writer) {
		int n = install_writer_read(&p->writer, &r);
		if (n == -EAGAIN)
			return;
		if (n <= 0) {
			stop_writer(p);
			return;
		}
		p->report = r;
		take_report(p);
	}
}

/* --- begin ---------------------------------------------------------------------------------------------- */

static int read_index(struct priv *p, int fd, struct fault *err)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 ||
	    (uint64_t)st.st_size > SLX_FILE_MAX)
		return fault_set(err, -EINVAL, "the image's index cannot be used");
	/* A private copy: the sender still has the file and may change it. */
	size_t len = (size_t)st.st_size;
	AUTO(freep) void *data = malloc(len);
	if (!data)
		return fault_oom(err);
	if (fd_pread(fd, data, len, 0) != (ssize_t)len)
		return fault_set(err, -EIO, "the image's index cannot be read");
	free(p->index);
	p->index = TAKE(data);
	p->index_len = len;
	return 0;
}

/* The disk must be one that the last inventory showed, and still be the same one (install.md A.4). */
static int identify(struct priv *p, struct fault *err)
{
	if (!p->disks_n)
		(void)priv_probe(p, NULL);
	const struct known_disk *k = priv_find_disk(p, p->job.device);
	p->job.expect = (struct disk_id){ 0 };
	if (k) {
		p->job.expect = k->identity;
		return 0;
	}
	/* Loop devices are in no inventory. */
	if (p->allow_loop && disk_id_read(p->job.device, &p->job.expect, NULL) == 0 &&
	    str_starts(p->job.expect.name, "loop"))
		return 0;
	return fault_set(err, -ENODEV, "the disk %s is not in this host's inventory",
			 p->job.device);
}

static int check_job(struct priv *p, struct fault *err)
{
	struct install_file files[INSTALL_FILES_MAX];
	dev_t given_up[INSTALL_GIVEN_UP_MAX];
	struct install_params params;
	AUTO(freep) char *plan = NULL;
	AUTO(freep) char *path = state_path(p);

	int r = identify(p, err);
	if (r < 0)
		return r;
	params_of(p, files, given_up, path, &params);
	params.no_disk_writes = false; /* the plan is wanted in any case */
	r = install_check(&params, &plan, err);
	if (r < 0)
		return r;
	if (plan)
		log_info("installation on %s:\n%s", p->job.device, plan);
	if (p->config.no_disk_writes)
		return fault_set(
			err, -EPERM,
			"this agent runs with --no-disk-writes: nothing is installed on %s",
			p->job.device);
	return 0;
}

static int begin(struct priv *p, struct ipc_msg *m, struct fault *err)
{
	AUTO(json_decrefp)
	json_t *obj = json_parse(m->data ? m->data : "", m->len, MSG_PAYLOAD_MAX, true, err);
	if (!obj)
		return -EINVAL;
	job_done(&p->job);
	int r = job_decode(obj, &p->job, err);
	p->job.is_done = false;
	p->job.percent = 0;
	if (!r)
		r = read_index(p, m->fd, err);
	if (!r)
		r = check_job(p, err);
	if (r < 0)
		return r;
	r = file_replace_at(p->state_dir, INDEX_NAME, p->index, p->index_len, 0600, err);
	if (r < 0)
		return r;
	save(p);
	p->has_job = true;
	return start_writer(p, err);
}

static int may_begin(const struct priv *p, struct fault *err)
{
	if (p->config.installed)
		return fault_set(err, -EPERM, "this is the installed system: it installs nothing");
	if (p->is_rebooting)
		return fault_set(err, -EPERM, "this machine is rebooting into its new system");
	return 0;
}

void priv_install(struct priv *p, struct ipc_msg *m)
{
	struct fault err = FAULT_INIT;

	if (p->has_job) {
		log_warning("a second installation was asked for while one is running: refused");
		return;
	}
	int r = may_begin(p, &err);
	if (!r)
		r = begin(p, m, &err);
	if (r < 0) {
		forget(p);
		report_failure(p, r, fault_text(&err));
	}
}

/* --- going on ---------------------------------------------------------------------------------------------- */

void priv_install_load(struct priv *p)
{
	AUTO(freep) char *text = NULL;
	size_t len;
	struct fault err = FAULT_INIT;

	if (file_read_at(p->state_dir, JOB_NAME, JOB_MAX, &text, &len, NULL) < 0)
		return;
	AUTO(json_decrefp) json_t *obj = json_parse(text, len, JOB_MAX, true, &err);
	AUTO(closep) int fd = openat(p->state_dir, INDEX_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int r = obj ? job_decode(obj, &p->job, &err) : -EINVAL;
	if (!r)
		r = read_index(p, fd, &err);
	if (r < 0) {
		log_warning("what an interrupted installation has left cannot be used: %s",
			    fault_text(&err));
		forget(p);
		return;
	}
	p->has_job = true;
	p->report = (struct install_report){ .phase = p->job.is_done ? INSTALL_DONE : INSTALL_CHECK,
					     .percent = p->job.percent };
	log_notice("an installation on %s was interrupted at %u%%: going on", p->job.device,
		   p->job.percent);
}

static int index_fd(const struct priv *p)
{
	return openat(p->state_dir, INDEX_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

void priv_install_net_ready(struct priv *p)
{
	if (!p->has_job)
		return;
	AUTO(json_decrefp) json_t *obj = job_encode(&p->job);
	AUTO(freep) char *text = obj ? json_text(obj, false) : NULL;
	AUTO(closep) int fd = index_fd(p);
	if (text)
		priv_send(p, MSG_RESUME, 0, text, strlen(text), fd);
	/* Not put off by a network process that dies again and again. */
	if (p->job.is_done && !(p->reboot_deadline && evtimer_pending(p->reboot_deadline, NULL)))
		timer_set(p, &p->reboot_deadline, on_reboot_deadline, REBOOT_DEADLINE_S);
	/* A writer that is past its data goes on by itself. */
	if (!p->job.is_done && !p->has_writer)
		restart_writer(p);
}

static void on_writer_stuck(evutil_socket_t fd, short what, void *ctx)
{
	struct priv *p = ctx;

	if (!p->has_writer || !p->is_net_lost || p->report.phase > INSTALL_VERIFY)
		return;
	log_warning(
		"installation: the writer does not notice that its source is gone: starting it again");
	if (p->is_stopping) {
		p->report = (struct install_report){ .phase = INSTALL_FAILED, .code = -EPIPE };
		writer_failed(p);
		return;
	}
	stop_writer(p);
	if (p->net_pid)
		restart_writer(p);
}

void priv_install_net_lost(struct priv *p)
{
	p->is_settling = false;
	priv_medium_net_lost(p);
	if (p->settle) /* its answer would reach the next process, under a number that means something else there */
		evtimer_del(p->settle);
	if (!p->has_writer)
		return;
	p->is_net_lost = true;
	p->cancel_ask = 0; /* nobody waits for the answer any more; the stop stands */
	timer_set(p, &p->writer_restart, on_writer_stuck, NET_DEATH_WAIT_S);
}

void priv_install_cancel(struct priv *p, uint32_t ask)
{
	if (p->has_job && p->job.is_done) {
		priv_answer(p, ask, -EALREADY, NULL, "the installation is complete already", -1);
		return;
	}
	if (p->has_writer) {
		p->cancel_ask = ask;
		p->is_stopping = true;
		install_writer_cancel(&p->writer);
		return;
	}
	if (p->has_job) {
		forget(p);
		report_failure(p, -ECANCELED, "the installation was stopped");
	}
	priv_answer(p, ask, 0, NULL, NULL, -1);
}

/* --- the end -------------------------------------------------------------------------------------------------- */

static void on_reboot_hangs(evutil_socket_t fd, short what, void *ctx)
{
	struct fault err = FAULT_INIT;
	log_warning("the orderly reboot takes too long: forcing it");
	if (priv_reboot_now(&err) < 0)
		log_error("%s", fault_text(&err));
}

/* Not with a command of the user's own: nobody knows whether that reboots. */
static void watchdog_begin(struct priv *p)
{
	struct fault err = FAULT_INIT;

	if (p->config.reboot_command || p->watchdog_fd >= 0)
		return;
	p->watchdog_fd = watchdog_arm(WATCHDOG_DEVICE, WATCHDOG_TIMEOUT_S, &err);
	if (p->watchdog_fd < 0)
		log_debug("no hardware watchdog guards the reboot: %s", fault_text(&err));
	else
		log_info("the hardware watchdog resets the machine if it is not down in %d s",
			 WATCHDOG_TIMEOUT_S);
}

void priv_install_reboot(struct priv *p)
{
	struct fault err = FAULT_INIT;

	if (p->config.no_disk_writes) {
		log_warning("this agent runs with --no-disk-writes: it does not reboot");
		return;
	}
	/* The network process may ask for this only when a disk is complete. */
	if (!p->has_job || !p->job.is_done) {
		log_warning("a reboot was asked for without a complete installation: refused");
		return;
	}
	if (p->reboot_deadline)
		evtimer_del(p->reboot_deadline);
	forget(p);
	watchdog_begin(p);
	int r = priv_reboot(p->config.reboot_command, &err);
	p->is_rebooting = r >= 0;
	if (r < 0) {
		watchdog_disarm(&p->watchdog_fd);
		log_error("%s", fault_text(&err));
	} else if (r == 1) {
		timer_set(p, &p->writer_restart, on_reboot_hangs, REBOOT_ORDERLY_S);
	}
}

void priv_install_done(struct priv *p)
{
	struct event **timers[] = { &p->writer_restart, &p->reboot_deadline };

	stop_writer(p);
	for (size_t i = 0; i < ARRAY_SIZE(timers); i++) {
		if (*timers[i])
			event_free(*timers[i]);
		*timers[i] = NULL;
	}
	job_done(&p->job);
	free(TAKE(p->index));
}
