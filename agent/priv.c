#include "agent/priv.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "agent/clock.h"
#include "agent/host_id.h"
#include "agent/logs.h"
#include "agent/notify.h"
#include "agent/status.h"
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/json_map.h"
#include "common/log.h"

#define LOCK_NAME "lock"
#define JOINED_PATH "/run/slipway/joined" /* made by slipway-joined.service */
#define JOINED_NAME "joined"
#define JOINED_EVERY_MS 500
#define COLDPLUG_PENDING \
	"/run/slipway/coldplug.pending" /* made and removed by the discovery system's init */
#define IDENTIFY_WAIT_MS 20000
#define IDENTIFY_EVERY_US 100000
#define PING_EVERY_MS 30000
#define VERSION_MAX 512      /* characters of an image reference */
#define STATUS_TEXT_MAX 1024 /* bytes of one text of the status */
#define LOGS_EVERY_MS 3000   /* an archive is megabytes: no stock of them is laid in */

/* --- status ------------------------------------------------------------------------------------------- */

static json_t *installation_status(const struct priv *p)
{
	const struct install_report *r = &p->report;

	if (!p->has_job && r->phase != INSTALL_FAILED)
		return json_null();
	return json_pack("{s:s, s:i, s:s*, s:s*}", "phase",
			 install_phase_name((enum install_phase)r->phase), "percent",
			 (int)r->percent, "text", r->text[0] ? r->text : NULL, "device",
			 p->job.device);
}

void priv_status_changed(struct priv *p)
{
	const char *state = json_str(p->net_status, "state");
	AUTO(json_decrefp)
	json_t *s = json_pack("{s:i, s:i, s:s, s:s, s:s, s:s, s:s, s:s*, s:s*, s:I, s:o}", "pid",
			      (int)getpid(), "net_pid", (int)p->net_pid, "version", SLIPWAY_VERSION,
			      "host_id", p->config.host_id, "infra_env_id", p->config.infra_env_id,
			      "url", p->config.url, "state", state ? state : "starting",
			      "last_error", json_str(p->net_status, "last_error"), "agent_version",
			      json_str(p->net_status, "agent_version"), "last_poll_us",
			      (json_int_t)json_i64(p->net_status, "last_poll_us"), "installation",
			      installation_status(p));
	struct fault err = FAULT_INIT;

	if (!s || (p->status && json_equal(s, p->status)))
		return;
	json_decref(p->status);
	p->status = json_incref(s);
	if (status_write(p->state_dir, s, &err) < 0)
		log_debug("status: %s", fault_text(&err));
	AUTO(freep) char *line = str_printf("STATUS=%s", state ? state : "starting");
	if (line)
		notify_send(line);
}

/*
 * What the network process says goes to systemd and to terminals: one line without control characters, or it could speak for the root process
 * ("MAINPID=" in a second line, sd_notify(3)).
 */
static int keep_text(json_t *to, const json_t *from, const char *key)
{
	const char *value = json_str(from, key);
	char text[STATUS_TEXT_MAX];

	if (!value)
		return 0;
	(void)str_copy(text, sizeof(text), value);
	str_make_utf8(text);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7F)
			*c = ' ';
	return json_object_set_new(to, key, json_string(text));
}

static json_t *clean_status(const json_t *said)
{
	static const char *const texts[] = { "state", "last_error", "agent_version" };
	json_t *s = json_pack("{s:I}", "last_poll_us", (json_int_t)json_i64(said, "last_poll_us"));
	int r = s ? 0 : -1;

	for (size_t i = 0; !r && i < ARRAY_SIZE(texts); i++)
		r = keep_text(s, said, texts[i]);
	if (!r)
		return s;
	json_decref(s);
	return NULL;
}

/* --- messages of the network process --------------------------------------------------------------------- */

static void on_inventory(struct priv *p, struct ipc_msg *m, json_t *obj)
{
	AUTO(json_decrefp)
	json_t *limits = json_parse(m->data ? m->data : "", m->len, STATUS_MAX, true, NULL);
	priv_inventory(p, m->id, limits);
}

static void on_logs(struct priv *p, struct ipc_msg *m, json_t *obj)
{
	AUTO(closep) int fd = -1;
	struct fault err = FAULT_INIT;
	int64_t now = time_mono_ms();

	if (p->logs_ms && now - p->logs_ms < LOGS_EVERY_MS) {
		priv_answer(p, m->id, -EBUSY, NULL, "the logs were collected a moment ago", -1);
		return;
	}
	p->logs_ms = now;
	int r = logs_collect(agent_config_state_dir(&p->config), secret_reveal(&p->config.token),
			     &fd, &err);
	priv_answer(p, m->id, r, NULL, r < 0 ? fault_text(&err) : NULL, fd);
}

static void on_cancel(struct priv *p, struct ipc_msg *m, json_t *obj)
{
	priv_install_cancel(p, m->id);
}

static void on_medium(struct priv *p, struct ipc_msg *m, json_t *obj)
{
	priv_medium(p, m->id);
}

static void on_pong(struct priv *p, struct ipc_msg *m, json_t *obj)
{
	/* Who has not read the ping cannot know its number: a process that only talks is not alive. */
	if (m->id == p->ping_id)
		p->is_pong_due = false;
}

static void on_install(struct priv *p, struct ipc_msg *m, json_t *obj)
{
	priv_install(p, m);
}

static void on_reboot(struct priv *p, struct ipc_msg *m, json_t *obj)
{
	priv_install_reboot(p);
}

static void on_status(struct priv *p, struct ipc_msg *m, json_t *obj)
{
	json_t *clean = clean_status(obj);
	if (!clean)
		return;
	json_decref(p->net_status);
	p->net_status = clean;
	p->is_registered = json_flag(obj, "is_registered");
	/* What the service calls this agent is kept for the next network process. */
	const char *version = json_str(clean, "agent_version");
	if (!str_empty(version) && strlen(version) <= VERSION_MAX)
		(void)str_set(&p->config.agent_version, version);
	priv_status_changed(p);
}

static void on_clock(struct priv *p, struct ipc_msg *m, json_t *obj)
{
	struct fault err = FAULT_INIT;
	int r = clock_step(json_i64(obj, "offset_us"), p->clock_floor_s, &err);
	if (r < 0)
		log_warning("%s", fault_text(&err));
	else if (r)
		log_notice("the clock was moved by %lld ms",
			   (long long)(json_i64(obj, "offset_us") / 1000));
}

static void on_finished(struct priv *p, struct ipc_msg *m, json_t *obj)
{
	if (!p->config.installed)
		return;
	p->is_leaving = true;
	event_base_loopbreak(p->base);
}

static const struct {
	uint16_t type;
	bool has_json;
	void (*run)(struct priv *p, struct ipc_msg *m, json_t *obj);
} handlers[] = {
	{ MSG_ASK_INVENTORY, false, on_inventory },
	{ MSG_ASK_LOGS, false, on_logs },
	{ MSG_ASK_CANCEL, false, on_cancel },
	{ MSG_PONG, false, on_pong },
	{ MSG_INSTALL, false, on_install },
	{ MSG_ASK_MEDIUM, false, on_medium },
	{ MSG_REBOOT, false, on_reboot },
	{ MSG_STATUS, true, on_status },
	{ MSG_CLOCK, true, on_clock },
	{ MSG_FINISHED, false, on_finished },
};

void priv_handle(struct priv *p, struct ipc_msg *m)
{
	for (size_t i = 0; i < ARRAY_SIZE(handlers); i++) {
		if (handlers[i].type != m->type)
			continue;
		AUTO(json_decrefp) json_t *obj = NULL;
		if (handlers[i].has_json) {
			obj = json_parse(m->data ? m->data : "", m->len, STATUS_MAX, true, NULL);
			if (!json_is_object(obj))
				return;
		}
		handlers[i].run(p, m, obj);
		return;
	}
	log_debug("message %u of the network process is unknown", m->type);
}

/* --- signals and timers ----------------------------------------------------------------------------------------- */

static void on_term(evutil_socket_t fd, short what, void *ctx)
{
	struct priv *p = ctx;

	log_info("leaving");
	p->is_leaving = true;
	event_base_loopbreak(p->base);
}

static void on_child(evutil_socket_t fd, short what, void *ctx)
{
	struct priv *p = ctx;
	int status;

	/* Only this one: a writer is reaped by its own functions. */
	if (p->net_pid && waitpid(p->net_pid, &status, WNOHANG) == p->net_pid)
		priv_net_exited(p, status);
}

/* The watchdog is told only while the network process answers too. */
static void on_tick(evutil_socket_t fd, short what, void *ctx)
{
	struct priv *p = ctx;

	if (p->net_pid && p->is_pong_due && time_mono_ms() - p->net_started_ms > PING_EVERY_MS) {
		log_warning("the network process does not answer: ending it");
		kill(p->net_pid, SIGKILL);
		p->is_pong_due = false;
		return;
	}
	notify_send("WATCHDOG=1");
	if (p->net_pid) {
		p->is_pong_due = true;
		priv_send(p, MSG_PING, ++p->ping_id, NULL, 0, -1);
	}
}

static void on_joined(evutil_socket_t fd, short what, void *ctx)
{
	struct priv *p = ctx;

	if (faccessat(p->state_dir, JOINED_NAME, F_OK, 0) < 0 && access(JOINED_PATH, F_OK) < 0)
		return;
	/* Told again and again: a network process that was started anew does not know it. */
	priv_send(p, MSG_JOINED, 0, NULL, 0, -1);
}

static struct event *every(struct priv *p, uint64_t ms, event_callback_fn fn)
{
	struct timeval tv = { .tv_sec = (time_t)(ms / 1000),
			      .tv_usec = (suseconds_t)(ms % 1000 * 1000) };
	struct event *e = event_new(p->base, -1, EV_PERSIST, fn, p);
	if (e)
		event_add(e, &tv);
	return e;
}

static int add_events(struct priv *p)
{
	uint64_t watchdog_ms = notify_watchdog_ms();

	p->sigterm = evsignal_new(p->base, SIGTERM, on_term, p);
	p->sigint = evsignal_new(p->base, SIGINT, on_term, p);
	p->sigchld = evsignal_new(p->base, SIGCHLD, on_child, p);
	p->tick = every(p,
			watchdog_ms ? MIN_OF(watchdog_ms, (uint64_t)PING_EVERY_MS) : PING_EVERY_MS,
			on_tick);
	if (!p->sigterm || !p->sigint || !p->sigchld || !p->tick)
		return -ENOMEM;
	evsignal_add(p->sigterm, NULL);
	evsignal_add(p->sigint, NULL);
	evsignal_add(p->sigchld, NULL);
	if (p->config.installed && !(p->joined = every(p, JOINED_EVERY_MS, on_joined)))
		return -ENOMEM;
	return 0;
}

/* --- start and end ----------------------------------------------------------------------------------------------- */

static int open_state_dir(struct priv *p, struct fault *err)
{
	const char *path = agent_config_state_dir(&p->config);

	int r = dir_make_at(AT_FDCWD, path, 0700, err);
	if (r < 0)
		return r;
	p->state_dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->state_dir < 0)
		return fault_set(err, -errno, "cannot open %s: %s", path, strerror(errno));
	p->lock_fd =
		openat(p->state_dir, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (p->lock_fd < 0)
		return fault_set(err, -errno, "cannot open %s/" LOCK_NAME ": %s", path,
				 strerror(errno));
	if (flock(p->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return fault_set(err, -EBUSY, "another agent runs with %s", path);
	return 0;
}

/*
 * A machine without serial and UUID is known by its lowest MAC: all interfaces must have been found first, or it would be another host at
 * each boot. The discovery system removes the file once they have.
 */
static int identify(struct priv *p, struct fault *err)
{
	int64_t deadline = time_mono_ms() + IDENTIFY_WAIT_MS;
	bool is_by_firmware = false;
	char id[UUID_LEN + 1];
	int r;

	if (p->config.host_id)
		return 0;
	for (;;) {
		bool is_pending = access(COLDPLUG_PENDING, F_OK) ==
				  0; /* asked first: what is read afterwards is complete */
		r = host_id_read("/sys", id, &is_by_firmware, err);
		if (r < 0 || is_by_firmware || !is_pending || time_mono_ms() > deadline)
			break;
		usleep(IDENTIFY_EVERY_US);
	}
	if (r < 0)
		return r;
	return str_set(&p->config.host_id, id) < 0 ? fault_oom(err) : 0;
}

static int init(struct priv *p, struct fault *err)
{
	struct fault clock = FAULT_INIT;

	p->clock_floor_s = clock_floor(p->config.created_s, secret_reveal(&p->config.token));
	int r = clock_raise(p->clock_floor_s, &clock);
	if (r < 0)
		log_warning("%s: TLS may fail", fault_text(&clock));
	else if (r)
		log_notice("the clock stood before the medium was made: set forward");
	r = identify(p, err);
	if (!r)
		r = open_state_dir(p, err);
	if (r < 0)
		return r;
	p->base = event_base_new();
	if (!p->base || add_events(p) < 0)
		return fault_oom(err);
	if (!p->config.installed)
		priv_install_load(p);
	if (!p->config.installed)
		priv_medium_begin(p);
	r = priv_net_start(p);
	return r < 0 ? fault_set(err, r, "cannot start the network process: %s", strerror(-r)) : 0;
}

static void done(struct priv *p)
{
	struct event *events[] = { p->sigterm, p->sigint, p->sigchld, p->tick, p->joined };

	p->is_leaving = true;
	priv_net_stop(p);
	priv_install_done(p);
	priv_inventory_done(p);
	priv_medium_done(p);
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		if (events[i])
			event_free(events[i]);
	if (p->base)
		event_base_free(p->base);
	closep(&p->state_dir);
	closep(&p->lock_fd);
	json_decref(p->status);
	json_decref(p->net_status);
	agent_config_done(&p->config);
}

int priv_main(struct agent_config *config, bool allow_loop)
{
	struct priv p = { .config = *config,
			  .state_dir = -1,
			  .lock_fd = -1,
			  .watchdog_fd = -1,
			  .allow_loop = allow_loop,
			  .ipc.fd = -1 };
	struct fault err = FAULT_INIT;

	*config = (struct agent_config){ 0 };
	signal(SIGPIPE, SIG_IGN);
	if (init(&p, &err) < 0) {
		log_error("%s", fault_text(&err));
		done(&p);
		return 1;
	}
	log_notice("host=%s infra-env=%s service=%s", p.config.host_id, p.config.infra_env_id,
		   p.config.url);
	priv_status_changed(&p);
	notify_send("READY=1");
	event_base_dispatch(p.base);
	notify_send("STOPPING=1");
	int status = p.exit_status;
	done(&p);
	return status;
}
