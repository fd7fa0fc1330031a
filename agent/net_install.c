#include "agent/net_install.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "agent/ignition_filter.h"
#include "agent/install_args.h"
#include "agent/seed.h"
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/log.h"
#include "common/pki.h"

#define GET_TRIES 8     /* of one of the small things; some minutes with their waits */
#define CLUSTER_TRIES 5 /* the disk is complete by then: the cluster's answer is only looked at */
#define SEED_MAX 65536
#define HANDOVER_FD_NAME "slipway-index"

/* --- end ------------------------------------------------------------------------------------------ */

static void install_free(struct net_install *i)
{
	if (!i)
		return;
	report_forget(&i->net->report, i);
	if (i->call)
		http_call_cancel(i->call);
	if (i->retry)
		event_free(i->retry);
	fetch_free(i->fetch);
	closep(&i->index_fd);
	slx_done(&i->index);
	job_done(&i->job);
	step_abandon(i->run);
	free(i->index_url);
	free(i->failure);
	free(i);
}

void net_install_done(struct net *n)
{
	install_free(TAKE(n->install));
}

/* The reply to the step is the last thing. @error NULL = success. */
static void end(struct net_install *i, const char *error)
{
	struct net *n = i->net;
	struct step_run *run = TAKE(i->run);

	if (run)
		step_finish(run, error ? STEP_EXIT_FAILED : STEP_EXIT_OK, NULL, error);
	net_install_done(n);
}

static void on_failure_reported(void *ctx, bool acknowledged)
{
	struct net_install *i = ctx;
	AUTO(freep) char *text = TAKE(i->failure);
	end(i, text ? text : "failed");
}

static void fail(struct net_install *i, const char *why)
{
	if (i->failure)
		return;
	log_error("installation: %s", why);
	fetch_free(TAKE(i->fetch));
	(void)str_set(&i->failure, why);
	report_final(&i->net->report, STAGE_FAILED, why, REPORT_FINAL_TRIES, on_failure_reported,
		     i);
}

/* Stopped by the service, which has settled the host's state by itself: no Failed. */
static void stopped(struct net_install *i)
{
	log_notice("installation: stopped");
	end(i, "the installation was stopped");
}

void net_install_cancel(struct net *n)
{
	if (n->install && !n->install->is_handed_over && !n->install->failure)
		stopped(n->install);
}

/* --- the small things, one after the other --------------------------------------------------------- */

struct get {
	const char *what, *accept;
	size_t max;
	bool is_optional; /* 404 = goes on without it */
	char *(*url)(const struct net_install *i);
	int (*take)(struct net_install *i, const struct http_answer *a, struct fault *err);
};

static void next_get(struct net_install *i);

static char *seed_url(const struct net_install *i)
{
	return session_host_url(&i->net->session, "downloads/seed");
}

static int take_seed(struct net_install *i, const struct http_answer *a, struct fault *err)
{
	AUTO(json_decrefp) json_t *obj = json_parse(a->body, a->body_len, SEED_MAX, true, err);
	return obj ? seed_add(obj, &i->net->config, &i->job, err) : -EINVAL;
}

/* "infra-env": singular here and nowhere else (assisted-v2 §10, 2). */
static char *ignition_url(const struct net_install *i)
{
	const struct session *s = &i->net->session;
	AUTO(freep)
	char *path = str_printf("infra-env/%s/hosts/%s/downloads/ignition", s->config->infra_env_id,
				s->host_id);
	return path ? session_url(s, path) : NULL;
}

static int take_ignition(struct net_install *i, const struct http_answer *a, struct fault *err)
{
	AUTO(json_decrefp) json_t *obj = json_parse(a->body, a->body_len, IGNITION_MAX, true, err);
	if (!obj)
		return -EINVAL;
	if (!json_str(json_child(obj, "ignition"), "version"))
		return fault_set(err, -EINVAL, "there is no ignition.version in it");
	/* It goes where the site's own joining can use it; without a seed nothing of ours is put into the installed system. */
	if (!i->job.files_n || a->body_len > INSTALL_FILE_MAX)
		return 0;
	return job_add_file(&i->job, "etc/slipway/host.ign", 0600, a->body, a->body_len);
}

static char *index_url(const struct net_install *i)
{
	return str_dup(i->index_url);
}

static int take_index(struct net_install *i, const struct http_answer *a, struct fault *err)
{
	int r = slx_parse(a->body, a->body_len, &i->index, err);
	if (r < 0)
		return r;
	AUTO(closep) int fd = memfd_create(HANDOVER_FD_NAME, MFD_CLOEXEC);
	if (fd < 0)
		return fault_set(err, -errno, "memfd: %s", strerror(errno));
	r = fd_write(fd, a->body, a->body_len);
	if (r < 0)
		return fault_set(err, r, "memfd: %s", strerror(-r));
	i->index_fd = TAKE_FD(fd);
	return 0;
}

static const struct get gets[] = {
	{ "the seed of the installed system", NULL, SEED_MAX, true, seed_url, take_seed },
	{ "the host's Ignition config", "application/octet-stream", IGNITION_MAX, false,
	  ignition_url, take_ignition },
	{ "the image's chunk index", "*/*", SLX_FILE_MAX, false, index_url, take_index },
};

static void hand_over(struct net_install *i)
{
	i->is_handed_over = true;
	int r = net_send_json(i->net, MSG_INSTALL, job_encode(&i->job), i->index_fd);
	closep(&i->index_fd);
	i->index_fd = -1;
	if (r < 0)
		fail(i, "the root process cannot be reached");
}

static void on_retry(evutil_socket_t fd, short what, void *ctx)
{
	next_get(ctx);
}

static bool is_worth_a_retry(const struct http_answer *a)
{
	static const long statuses[] = { 404, 408, 423, 425, 429 }; /* the list of install.md A.5 */

	for (size_t k = 0; k < ARRAY_SIZE(statuses); k++)
		if (a->status == statuses[k])
			return true;
	return a->code || a->status >= 500;
}

static void get_failed(struct net_install *i, const char *why, bool is_final, uint64_t after_ms)
{
	uint32_t random;

	log_warning("installation: %s: %s", gets[i->get].what, why);
	if (is_final || ++i->tries >= GET_TRIES) {
		AUTO(freep) char *text = str_printf("cannot get %s: %s", gets[i->get].what, why);
		fail(i, text ? text : why);
		return;
	}
	random_bytes(&random, sizeof(random));
	uint64_t ms = backoff_next_ms(&i->backoff, BACKOFF_TRANSIENT, after_ms, random);
	struct timeval tv = { .tv_sec = (time_t)(ms / 1000),
			      .tv_usec = (suseconds_t)(ms % 1000 * 1000) };
	evtimer_add(i->retry, &tv);
}

static void on_got(void *ctx, const struct http_answer *a)
{
	struct net_install *i = ctx;
	const struct get *g = &gets[i->get];
	struct fault err = FAULT_INIT;
	char why[512];
	uint64_t after_ms =
		a->code ? 0 : backoff_retry_after_ms(http_call_header(i->call, "Retry-After"));

	i->call = NULL;
	bool is_absent = !a->code && a->status == 404 && g->is_optional;
	if (is_absent)
		log_info("installation: the service has not got %s", g->what);
	if (!is_absent && (a->code || a->status != 200)) {
		get_failed(i, session_reason(a, why, sizeof(why)), !is_worth_a_retry(a), after_ms);
		return;
	}
	if (!is_absent && g->take(i, a, &err) < 0) {
		get_failed(i, fault_text(&err), true, 0);
		return;
	}
	i->get++;
	i->tries = 0;
	backoff_reset(&i->backoff);
	next_get(i);
}

static void next_get(struct net_install *i)
{
	struct fault err = FAULT_INIT;

	if (i->get == ARRAY_SIZE(gets)) {
		hand_over(i);
		return;
	}
	const struct get *g = &gets[i->get];
	struct session_call call = {
		.url = g->url(i),
		.accept = g->accept,
		.max_body = g->max,
		.done = on_got,
		.ctx = i,
	};
	if (session_start(&i->net->session, i->net->http, &call, &i->call, &err) < 0) {
		i->call = NULL;
		get_failed(i, fault_text(&err), false, 0);
	}
}

static struct net_install *install_new(struct net *n, struct step_run *run)
{
	struct net_install *i = calloc(1, sizeof(*i));
	if (!i)
		return NULL;
	i->net = n;
	i->run = run;
	i->index_fd = -1;
	i->retry = evtimer_new(n->base, on_retry, i);
	if (!i->retry) {
		free(i);
		return NULL;
	}
	n->install = i;
	return i;
}

void net_install_begin(struct net *n, struct step_run *run, struct job *job)
{
	struct fault err = FAULT_INIT;
	char id[UUID_LEN + 1];
	struct net_install *i = install_new(n, run);

	if (!i) {
		step_finish(run, STEP_EXIT_FAILED, NULL, "out of memory");
		return;
	}
	i->job = *job;
	*job = (struct job){ 0 };
	uuid_random(id);
	if (str_set(&i->job.install_id, id) < 0 || str_set(&i->job.step_id, run->step_id) < 0) {
		fail(i, "out of memory");
		return;
	}
	if (install_index_url(&n->session, i->job.image_url, &i->index_url, &err) < 0) {
		fail(i, fault_text(&err));
		return;
	}
	report_is_due(&i->rate, STAGE_STARTING_INSTALLATION, 0, time_mono_ms());
	report_send(&n->report, STAGE_STARTING_INSTALLATION, i->job.role);
	net_set_state(n, "installing");
	next_get(i);
}

/* --- the end of a good one -------------------------------------------------------------------------- */

static void on_reboot_reported(void *ctx, bool acknowledged)
{
	struct net_install *i = ctx;
	struct net *n = i->net;

	net_set_state(n, "rebooting");
	net_send(n, MSG_REBOOT, NULL, 0, -1);
	/* The reply says no more than the report did; it is the last thing the original sends, so it is sent here as well. */
	end(i, NULL);
}

static void report_reboot(struct net_install *i)
{
	if (i->call || i->failure)
		return;
	report_final(&i->net->report, STAGE_REBOOTING, NULL, REPORT_FINAL_TRIES, on_reboot_reported,
		     i);
}

static void ask_cluster(struct net_install *i);

static void on_cluster(void *ctx, const struct http_answer *a)
{
	struct net_install *i = ctx;
	char why[256];

	i->call = NULL;
	AUTO(json_decrefp)
	json_t *body = a->status == 200 ? json_parse(a->body, a->body_len, API_BODY_MAX, true, NULL)
					: NULL;
	if (json_is_object(body)) {
		const char *kind = json_str(body, "kind");
		if (!str_eq(kind, "AddHostsCluster"))
			log_warning(
				"installation: the cluster is of kind %s; a day-2 worker waits for nothing",
				kind ? kind : "?");
		report_reboot(i);
		return;
	}
	log_warning("installation: cluster: %s", session_reason(a, why, sizeof(why)));
	if (++i->tries >= CLUSTER_TRIES) {
		report_reboot(i);
		return;
	}
	ask_cluster(i);
}

/* The day-1 installer waits here for the control plane; an existing cluster has one, so an answer is enough (assisted-v2 §9, 5). */
static void ask_cluster(struct net_install *i)
{
	struct fault err = FAULT_INIT;
	AUTO(freep)
	char *path = str_printf("clusters/%s?exclude-hosts=true",
				i->job.cluster_id ? i->job.cluster_id : "");
	struct session_call call = {
		.url = path ? session_url(&i->net->session, path) : NULL,
		.done = on_cluster,
		.ctx = i,
	};
	if (!i->job.cluster_id ||
	    session_start(&i->net->session, i->net->http, &call, &i->call, &err) < 0) {
		if (!i->job.cluster_id)
			free(call.url);
		i->call = NULL;
		report_reboot(i);
	}
}

static void complete(struct net_install *i)
{
	fetch_free(TAKE(i->fetch));
	i->tries = 0;
	if (i->rate.stage != STAGE_WAITING_FOR_CONTROL_PLANE)
		report_send(&i->net->report, STAGE_WAITING_FOR_CONTROL_PLANE, NULL);
	ask_cluster(i);
}

/* --- what the writer says ---------------------------------------------------------------------------- */

static const enum stage stages[INSTALL_PHASE_COUNT] = {
	[INSTALL_CHECK] = STAGE_STARTING_INSTALLATION,
	[INSTALL_PREPARE] = STAGE_INSTALLING,
	[INSTALL_WRITE] = STAGE_WRITING_IMAGE,
	[INSTALL_VERIFY] = STAGE_WRITING_IMAGE,
	[INSTALL_CONFIGURE] = STAGE_WRITING_IMAGE,
	[INSTALL_COMMIT] = STAGE_WRITING_IMAGE,
	[INSTALL_BOOT] = STAGE_WAITING_FOR_CONTROL_PLANE,
};

static void report_phase(struct net_install *i)
{
	const struct install_report *r = &i->last;
	char info[128] = "";
	enum stage stage = stages[r->phase];
	bool is_same = i->rate.is_started && i->rate.stage == stage &&
		       i->rate.percent == r->percent;

	/* Resumed: the service knows better than the first reports of the new writer. */
	if (i->is_resumed && (stage < STAGE_WRITING_IMAGE || r->percent < i->job.percent))
		return;
	if (!report_is_due(&i->rate, stage, r->percent, time_mono_ms()))
		return;
	if (stage != STAGE_WRITING_IMAGE)
		str_copy(info, sizeof(info),
			 stage == STAGE_WAITING_FOR_CONTROL_PLANE ? "" : i->job.role);
	else if (i->is_waiting)
		snprintf(info, sizeof(info), "%u%% waiting for network", r->percent);
	else if (is_same) /* a slow link: only a changed text keeps the service's stage timer from running out (install.md A.2) */
		snprintf(info, sizeof(info), "%u%% %llu MiB", r->percent,
			 (unsigned long long)(r->done_bytes >> 20));
	else
		snprintf(info, sizeof(info), "%u%%", r->percent);
	report_send(&i->net->report, stage, info);
}

void net_install_report(struct net *n, const void *data, size_t len)
{
	struct net_install *i = n->install;

	if (!i || i->failure || len != sizeof(i->last))
		return;
	memcpy(&i->last, data, sizeof(i->last));
	i->last.text[sizeof(i->last.text) - 1] = '\0';
	if (i->last.phase == INSTALL_FAILED && i->last.code == -ECANCELED)
		stopped(i);
	else if (i->last.phase == INSTALL_FAILED)
		fail(i, i->last.text);
	else if (i->last.phase == INSTALL_DONE)
		complete(i);
	else if (i->last.phase < INSTALL_PHASE_COUNT)
		report_phase(i);
}

static void on_waiting(void *ctx, bool is_waiting, const char *why)
{
	struct net_install *i = ctx;

	i->is_waiting = is_waiting;
	if (is_waiting && stages[i->last.phase] == STAGE_WRITING_IMAGE) {
		i->rate.is_started = false; /* tell at once */
		report_phase(i);
	}
}

void net_install_stream(struct net *n, int fd)
{
	struct net_install *i = n->install;
	struct fault err = FAULT_INIT;

	if (!i || i->failure || fd < 0) {
		closep(&fd);
		return;
	}
	fetch_free(TAKE(i->fetch));
	struct fetch_options o = {
		.base = n->base,
		.http = n->http,
		.url = i->job.image_url,
		.index = &i->index,
		.stream_fd = fd,
		.waiting = on_waiting,
		.ctx = i,
	};
	/* Closing the socket is enough for the writer to fail; the root process then starts another one. */
	if (fetch_new(&o, &i->fetch, &err) < 0)
		log_error("image data: %s", fault_text(&err));
}

/* --- after a restart of either process ------------------------------------------------------------------ */

static int load_index(struct net_install *i, int fd, struct fault *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || st.st_size <= 0 || (uint64_t)st.st_size > SLX_FILE_MAX)
		return fault_set(err, -EINVAL,
				 "the index of the interrupted installation cannot be used");
	size_t len = (size_t)st.st_size;
	AUTO(freep) char *data = malloc(len);
	if (!data)
		return fault_oom(err);
	ssize_t n = fd_pread(fd, data, len, 0);
	if (n != (ssize_t)len)
		return fault_set(err, -EIO,
				 "the index of the interrupted installation cannot be read");
	return slx_parse(data, len, &i->index, err);
}

void net_install_resume(struct net *n, json_t *job, int index_fd)
{
	AUTO(json_decrefp) json_t *owned = job;
	AUTO(closep) int fd = index_fd;
	AUTO(job_done) struct job j = { 0 };
	struct fault err = FAULT_INIT;

	if (n->install || job_decode(owned, &j, &err) < 0) {
		log_error("cannot go on with an installation: %s", fault_text(&err));
		return;
	}
	struct step_run *run = step_adopt(n, STEP_INSTALL, j.step_id);
	struct net_install *i = run ? install_new(n, run) : NULL;
	if (!i)
		return;
	i->job = j;
	j = (struct job){ 0 };
	i->is_handed_over = i->is_resumed = true;
	net_set_state(n, "installing");
	log_notice("installation: going on with %s at %u%%", i->job.device, i->job.percent);
	if (i->job.is_done)
		complete(i);
	else if (load_index(i, fd, &err) < 0)
		fail(i, fault_text(&err));
}
