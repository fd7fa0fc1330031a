#pragma once
/*
 * The root process without a network process: the test plays that one, and says to it whatever a
 * hostile one could.
 */
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "agent/priv.h"
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/json_map.h"

struct priv_rig {
	struct priv p;
	struct ipc net;
	char dir[64], reboot[96], rebooted[96];
	/* what has come */
	unsigned types[64];
	struct install_report report;
	unsigned answers_ok, answers_bad;
	int stream_fd; /* owned; -1 = none */
};

static inline void rig_on_writable(evutil_socket_t fd, short what, void *ctx)
{
	struct priv_rig *r = ctx;

	if (ipc_flush(&r->p.ipc) == 0)
		event_add(r->p.ipc_write, NULL);
}

/* What the root process calls its network process; it may kill it. */
static inline pid_t rig_child(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		for (;;)
			pause();
	}
	return pid;
}

static inline void rig_channel(struct priv_rig *r)
{
	int fds[2];

	if (ipc_pair(fds) < 0)
		abort();
	ipc_init(&r->p.ipc, fds[0], MSG_PAYLOAD_MAX);
	ipc_init(&r->net, fds[1], MSG_PAYLOAD_MAX);
	r->p.ipc_write = event_new(r->p.base, fds[0], EV_WRITE, rig_on_writable, r);
	r->p.net_pid = rig_child();
	r->stream_fd = -1;
}

static inline void rig_begin(struct priv_rig *r)
{
	AUTO(freep) char *script = NULL;

	*r = (struct priv_rig){ .p.lock_fd = -1, .p.watchdog_fd = -1, .stream_fd = -1 };
	strcpy(r->dir, "/tmp/slipway-priv-XXXXXX");
	if (!mkdtemp(r->dir))
		abort();
	snprintf(r->reboot, sizeof(r->reboot), "%s/reboot", r->dir);
	snprintf(r->rebooted, sizeof(r->rebooted), "%s/rebooted", r->dir);
	script = str_printf("#!/bin/sh\nenv >%s\n", r->rebooted);
	if (file_replace_at(AT_FDCWD, r->reboot, script, strlen(script), 0700, NULL) < 0)
		abort();
	r->p.state_dir = open(r->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r->p.base = event_base_new();
	r->p.config.url = str_dup("https://service.example.com:9543");
	r->p.config.infra_env_id = str_dup("fbe2e02f-5be9-4ca6-af2f-635fce727b94");
	r->p.config.host_id = str_dup("0d6c1d4c-8d3c-4c34-a5b5-2c7a3c8d6b11");
	r->p.config.state_dir = str_dup(r->dir);
	r->p.config.reboot_command = str_dup(r->reboot);
	rig_channel(r);
}

/* As if the network process had died. */
static inline void rig_hang_up(struct priv_rig *r)
{
	if (r->p.net_pid) {
		kill(r->p.net_pid, SIGKILL);
		waitpid(r->p.net_pid, NULL, 0);
		r->p.net_pid = 0;
	}
	if (r->p.ipc_write)
		event_free(r->p.ipc_write);
	r->p.ipc_write = NULL;
	ipc_done(&r->p.ipc);
	ipc_done(&r->net);
	closep(&r->stream_fd);
	r->stream_fd = -1;
}

static inline void rig_end(struct priv_rig *r)
{
	rig_hang_up(r);
	priv_install_done(&r->p);
	priv_inventory_done(&r->p);
	event_base_free(r->p.base);
	closep(&r->p.state_dir);
	json_decref(r->p.status);
	json_decref(r->p.net_status);
	agent_config_done(&r->p.config);
	(void)dir_remove_at(AT_FDCWD, r->dir, NULL);
}

/* One message of the network process; @fd stays the caller's. */
static inline void rig_say(struct priv_rig *r, uint16_t type, uint32_t id, const void *data,
			   size_t len, int fd)
{
	struct ipc_msg m = { .type = type, .id = id, .data = malloc(len + 1), .len = len };

	if (len)
		memcpy(m.data, data, len);
	m.data[len] = '\0';
	m.fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
	priv_handle(&r->p, &m);
	ipc_msg_done(&m);
}

static inline void rig_say_text(struct priv_rig *r, uint16_t type, const char *text)
{
	rig_say(r, type, 1, text, strlen(text), -1);
}

static inline void rig_take(struct priv_rig *r, struct ipc_msg *m)
{
	r->types[m->type % 64]++;
	if (m->type == MSG_REPORT && m->len == sizeof(r->report))
		memcpy(&r->report, m->data, m->len);
	if (m->type == MSG_STREAM) {
		closep(&r->stream_fd);
		r->stream_fd = TAKE_FD(m->fd);
	}
	if (m->type == MSG_ANSWER && strstr(m->data, "\"code\":0"))
		r->answers_ok++;
	else if (m->type == MSG_ANSWER)
		r->answers_bad++;
}

/* Reads everything that the root process has sent. */
static inline void rig_listen(struct priv_rig *r)
{
	struct ipc_msg m;

	do {
		while (ipc_next(&r->net, &m) > 0) {
			rig_take(r, &m);
			ipc_msg_done(&m);
		}
		(void)ipc_flush(&r->p.ipc);
	} while (ipc_fill(&r->net) > 0);
}

static inline void rig_listen_until(struct priv_rig *r, bool (*is_there)(const struct priv_rig *r))
{
	for (int64_t end = time_mono_ms() + 30000; !is_there(r) && time_mono_ms() < end;) {
		event_base_loop(r->p.base, EVLOOP_NONBLOCK);
		rig_listen(r);
		usleep(5000);
	}
}

static inline int rig_memfd(const void *data, size_t len)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	if (fd < 0 || fd_pwrite(fd, data, len, 0) < 0)
		abort();
	return fd;
}

/* An install message as an honest network process sends it; change it with json_object_set_new(). */
static inline json_t *rig_job(const char *device)
{
	struct job j = {
		.step_id = str_dup("install-1"),
		.install_id = str_dup("11111111-2222-3333-4444-555555555555"),
		.device = str_dup(device),
		.role = str_dup("worker"),
		.image_url = str_dup("http://service.example.com/os-images/1/image.raw.zst"),
	};
	json_t *obj = NULL;

	if (job_add_file(&j, "etc/slipway/agent.conf", 0600, "[agent]\n", 8) == 0)
		obj = job_encode(&j);
	job_done(&j);
	if (!obj)
		abort();
	return obj;
}

static inline void rig_install(struct priv_rig *r, json_t *job, int fd)
{
	AUTO(freep) char *text = json_dumps(job, 0);

	rig_say(r, MSG_INSTALL, 0, text, strlen(text), fd);
	json_decref(job);
	rig_listen(r);
}

/* For each case: *state is a struct priv_rig. */
static inline int rig_setup(void **state)
{
	struct priv_rig *r = malloc(sizeof(*r));

	rig_begin(r);
	*state = r;
	return 0;
}

static inline int rig_teardown(void **state)
{
	rig_end(*state);
	free(*state);
	return 0;
}
