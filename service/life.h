#pragma once
/*
 * The life of hosts inside the running service: rules with their context, events of what changed, timers.
 */
#include "common/fault.h"
#include "service/host_fsm.h"
#include "service/service.h"

/* The context of @h for the rules; valid until the next call or change. */
struct rule_ctx life_ctx(struct service *svc, struct host *h);
/* The same without the other hosts of the cluster, for rules that do not look at them: costs nothing however large the cluster is. */
struct rule_ctx life_ctx_alone(struct service *svc, const struct host *h);
/*
 * Recomputes validations and status of @h (which must be announced by state_edit_host()), writes the events of what turned, and sets its
 * timer. @old_status: what it was when the request began.
 */
int life_refresh(struct service *svc, struct host *h, enum host_status old_status,
		 struct fault *err);
/* host_move() with the event host_status_updated and the timer. */
int life_move(struct service *svc, struct host *h, enum host_trigger why, enum host_status to,
	      const char *info, struct fault *err);
/* Sets the timer by host_next_refresh_us(). */
void life_schedule(struct service *svc, struct host *h);
/* Timers of all hosts, after a start. */
void life_start(struct service *svc);
void life_stop(struct service *svc);

/* --- events (assisted-v2 §3.4); the texts are for people, clients look at the name --- */
int life_event_host(struct service *svc, const struct host *h, const char *name,
		    const char *severity, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* @cluster_id, @infra_env_id may be NULL. */
int life_event(struct service *svc, const char *cluster_id, const char *infra_env_id,
	       const char *name, const char *severity, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));
