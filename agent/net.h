#pragma once
/*
 * The network process: registers, polls, runs steps, reports, fetches images. One libevent loop, no root rights, no disk.
 */
#include <event2/event.h>
#include <stdbool.h>
#include "agent/backoff.h"
#include "agent/config.h"
#include "agent/msg.h"
#include "agent/reply.h"
#include "agent/report.h"
#include "agent/session.h"
#include "common/http_client.h"
#include "common/ipc.h"
#include "common/wire/step.h"

struct net_install;

/* An answer of the root process to a question. @fd: owned by the callback, -1 = none. @code: 0 or -errno (-ECONNRESET: no answer will come). */
typedef void (*net_answer_fn)(void *ctx, int code, const char *output, const char *error, int fd);

struct net_ask {
	uint32_t id;
	net_answer_fn fn;
	void *ctx;
	struct net_ask *next;
};

struct net {
	struct event_base *base;
	struct http_client *http;
	struct ipc ipc;
	struct event *ipc_read, *ipc_write;
	struct event *timer; /* the next registration or poll */
	struct event *links; /* rtnetlink: addresses and routes came or went */
	void (*on_timer)(struct net *n);
	bool is_waiting_to_retry; /* the timer is a back-off: an event of the network may cut it short */
	int64_t last_try_ms;

	struct agent_config config;
	struct session session;
	struct backoff backoff;
	struct http_call *call;        /* registration or poll in flight */
	char request_id[UUID_LEN + 1]; /* of the poll in flight */
	bool is_registered;
	int64_t registered_ms;
	bool is_sent_away; /* the last poll asked for a new registration */

	/* of steps that ask others than the service; NULL, 0 = where the system keeps it, each step's own */
	const char *resolv_conf, *dhcp_ntp; /* borrowed */
	uint64_t step_wait_ms;

	struct replies replies;
	struct report report;
	struct net_install *install; /* NULL = no installation */
	bool running[STEP_TYPE_COUNT];
	bool has_medium, is_medium_lost; /* of the live system: each step looks at it */

	/* installed system */
	bool has_joined;     /* slipway-join.target was reached */
	bool has_configured; /* the service knows of Configuring: Joined may follow */

	struct net_ask *asks;
	uint32_t last_ask;

	char *state;      /* "registering", "polling", … for status.json */
	char *last_error; /* NULL = none since the last success */
	int64_t last_poll_us;
	int exit_status;
};

/* The role's main function: talks over @fd; returns the exit status. */
int net_main(int fd);

/* Begins the work that the configuration asks for; the loop is run by the caller. */
int net_init(struct net *n, struct event_base *base, int ipc_fd, struct agent_config *config,
	     struct fault *err);
void net_begin(struct net *n, bool is_registered);
void net_done(struct net *n);

/* net_ipc.c: the channel to the root process */
int net_ipc_init(struct net *n, int fd);
/* Handles the messages that have come already, with the configuration. -EPROTO. */
int net_ipc_drain(struct net *n);
void net_ipc_done(struct net *n);
int net_send(struct net *n, uint16_t type, const void *data, size_t len, int fd);
int net_send_json(struct net *n, uint16_t type, json_t *obj, int fd); /* takes the reference */
/* Asks; @fn is called once. */
void net_ask(struct net *n, uint16_t type, net_answer_fn fn, void *ctx);
/* The same with something to say; takes the reference of @obj. */
void net_ask_json(struct net *n, uint16_t type, json_t *obj, net_answer_fn fn, void *ctx);

/* net_poll.c: registration and polling */
void net_schedule(struct net *n, uint64_t delay_ms, void (*fn)(struct net *n));
void net_retry(struct net *n, enum backoff_kind kind, uint64_t retry_after_ms,
	       void (*fn)(struct net *n));
/* Registers, or polls when the service knows this host; asks for the version to report first, when that is unknown. */
void net_go(struct net *n);
void net_register(struct net *n);
void net_poll(struct net *n);
void net_failed(struct net *n, const char *what,
		const char *why); /* logs once per kind of failure, shows it in the status */
void net_set_state(struct net *n, const char *state);

/* net_installed.c: the installed system reports that it is there */
void net_installed_begin(struct net *n);
void net_installed_joined(struct net *n);

/* net_install.c */
void net_install_resume(struct net *n, json_t *job, int index_fd);
void net_install_stream(struct net *n, int fd);
void net_install_report(struct net *n, const void *data, size_t len);
void net_install_done(struct net *n);
/* The service stopped it: what has not reached the root process yet ends here. */
void net_install_cancel(struct net *n);

/* net_links.c: hears about new addresses and routes, so that a back-off is not slept out when the network is back */
void net_links_begin(struct net *n);
