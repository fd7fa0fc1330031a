#pragma once
/*
 * What every part of a running slipwayd may use: one struct service, made by main(), passed as context.
 */
#include <event2/event.h>
#include "service/auth.h"
#include "service/config.h"
#include "service/connection.h"
#include "service/rules.h"
#include "service/state.h"

struct images; /* service/images.h */
struct server; /* service/server.h */
struct host_logs;
struct ctl_server; /* service/ctl_server.h */
struct host_timer; /* service/life.c */

struct service {
	const struct service_config *config;
	struct event_base *base;
	struct state *state;
	struct auth *auth;
	struct images *images; /* media, payloads and boot artefacts: images_new() */
	struct server *
		server; /* set after server_new(): the control socket commits what requests left through server_flush() */
	struct host_logs *logs;    /* service/host_logs.h */
	struct ctl_server *ctl;    /* the control socket: ctl_server_new() */
	struct rule_parsed parsed; /* during one reply */
	struct rule_config rules;  /* its strings point into config and into this struct */
	char *service_url; /* https://HOST:PORT without path, port resolved: what agents use */
	char *image_url;   /* base of image-url answers */
	char *payload_url; /* http://HOST:PORT: payloads by plain HTTP; NULL = the plain listener is off */
	char *ca_pem;                 /* our CA's certificate */
	char *https_addr, *http_addr; /* real ADDR:PORT of the listeners; http_addr NULL = off */
	int state_dirfd;              /* DIR of --state-dir */
	struct host_timer *timers;    /* of all hosts (life.c) */
	int64_t started_us;
	int64_t silence_from_us; /* rule_ctx.silence_from_us: the start, or when the clock was set */
	struct clock_watch clock;
	uint64_t requests
		[6]; /* answered, by status class 1xx..5xx; [0] = connections cut without an answer */
};

/* Wall clock of this service, microseconds. */
int64_t service_now_us(const struct service *s);
