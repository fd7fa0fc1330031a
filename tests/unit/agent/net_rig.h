#pragma once
/*
 * The network process's code on the loop of the test: a service in front of it (fake_service.h), the root process's end of the channel behind it,
 * played by the test.
 */
#include <sys/mman.h>
#include "agent/install.h"
#include "agent/job.h"
#include "agent/net_install.h"
#include "common/ipc.h"
#include "common/slx.h"
#include "tests/unit/agent/fake_service.h"

struct net_rig {
	struct fake *f;
	struct net net;
	struct ipc root;
	struct event *root_read;
	char *inventory;       /* what the root process answers */
	json_t *inventory_ask; /* owned; what it was asked with, NULL = nothing */
	int inventory_code, cancel_code, medium_code;
	unsigned medium_asks;
	char *logs; /* owned; NULL = it has none */
	size_t logs_len;
	struct job job; /* of MSG_INSTALL */
	unsigned installs, cancels, reboots, finished;
	size_t index_len;
	const void *ctx; /* the test's own */
};

static inline void rig_answer(struct net_rig *r, uint32_t id, int code, const char *output)
{
	AUTO(json_decrefp) json_t *obj = json_pack("{s:i, s:s*}", "code", code, "output", output);
	AUTO(freep) char *text = json_text(obj, false);
	assert_int_equal(ipc_send(&r->root, MSG_ANSWER, id, text, strlen(text), -1), 0);
}

static inline void rig_answer_logs(struct net_rig *r, uint32_t id)
{
	AUTO(closep) int fd = r->logs ? memfd_create("logs", MFD_CLOEXEC) : -1;

	if (!r->logs) {
		rig_answer(r, id, -EIO, NULL);
		return;
	}
	assert_int_equal(fd_pwrite(fd, r->logs, r->logs_len, 0), 0);
	assert_int_equal(ipc_send(&r->root, MSG_ANSWER, id, "{\"code\":0}", 10, fd), 0);
}

static inline void rig_took_install(struct net_rig *r, struct ipc_msg *m)
{
	AUTO(json_decrefp) json_t *obj = json_parse(m->data, m->len, MSG_PAYLOAD_MAX, false, NULL);
	struct fault err = FAULT_INIT;

	r->installs++;
	job_done(&r->job);
	if (job_decode(obj, &r->job, &err) < 0)
		fail_msg("job: %s", err.text);
	assert_true(m->fd >= 0);
	r->index_len = (size_t)lseek(m->fd, 0, SEEK_END);
}

static inline void rig_handle(struct net_rig *r, struct ipc_msg *m)
{
	switch (m->type) {
	case MSG_ASK_INVENTORY:
		json_decref(r->inventory_ask);
		r->inventory_ask = m->len ? json_parse(m->data, m->len, 4096, false, NULL) : NULL;
		rig_answer(r, m->id, r->inventory_code, r->inventory ? r->inventory : "{}");
		break;
	case MSG_ASK_CANCEL:
		r->cancels++;
		rig_answer(r, m->id, r->cancel_code, NULL);
		break;
	case MSG_ASK_MEDIUM:
		r->medium_asks++;
		rig_answer(r, m->id, r->medium_code, NULL);
		break;
	case MSG_ASK_LOGS:
		rig_answer_logs(r, m->id);
		break;
	case MSG_INSTALL:
		rig_took_install(r, m);
		break;
	case MSG_REBOOT:
		r->reboots++;
		break;
	case MSG_FINISHED:
		r->finished++;
		break;
	default:
		break; /* status, clock */
	}
}

static inline void rig_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct net_rig *r = ctx;
	struct ipc_msg m;

	if (ipc_fill(&r->root) <= 0)
		return;
	while (ipc_next(&r->root, &m) > 0) {
		rig_handle(r, &m);
		ipc_msg_done(&m);
	}
}

/* Phase, percent and words of a writer. */
static inline void rig_report(struct net_rig *r, enum install_phase phase, unsigned percent,
			      int code, const char *text)
{
	struct install_report report = { .phase = phase, .percent = percent, .code = code };
	str_copy(report.text, sizeof(report.text), text ? text : "");
	assert_int_equal(ipc_send(&r->root, MSG_REPORT, 0, &report, sizeof(report), -1), 0);
}

/* @config: taken over where set (agent_version, ntp_sources, insecure). */
static inline void rig_start(struct net_rig *r, struct agent_config *config, const char *host,
			     const char *infra_env)
{
	struct fault err = FAULT_INIT;
	int fds[2];

	str_set(&config->url, r->f->url);
	str_set(&config->infra_env_id, infra_env);
	str_set(&config->host_id, host);
	str_set(&config->ca_pem, r->f->ca_pem);
	config->interval_s = 1;
	assert_int_equal(ipc_pair(fds), 0);
	ipc_init(&r->net.ipc, fds[0], MSG_PAYLOAD_MAX);
	ipc_init(&r->root, fds[1], MSG_PAYLOAD_MAX);
	fd_set_nonblock(fds[1]);
	r->root_read = event_new(r->f->base, fds[1], EV_READ | EV_PERSIST, rig_readable, r);
	event_add(r->root_read, NULL);
	if (net_init(&r->net, r->f->base, fds[0], config, &err) < 0)
		fail_msg("%s", err.text);
}

static inline int rig_setup(void **state)
{
	struct net_rig *r = calloc(1, sizeof(*r));
	int status = fake_setup((void **)&r->f);

	r->root.fd = -1;
	r->f->rig = r;
	*state = r;
	return status;
}

static inline int rig_teardown(void **state)
{
	struct net_rig *r = *state;

	net_done(&r->net);
	event_free(r->root_read);
	ipc_done(&r->root);
	job_done(&r->job);
	free(r->inventory);
	json_decref(r->inventory_ask);
	free(r->logs);
	int status = fake_teardown((void **)&r->f);
	free(r);
	return status;
}
