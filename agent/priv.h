#pragma once
/*
 * The root process: starts and watches the network process, probes the machine, runs the writer of an installation, sets the clock, reboots. It
 * opens no socket to the network and parses nothing that comes from one but the few messages of msg.h.
 */
#include <event2/event.h>
#include <stdbool.h>
#include <sys/types.h>
#include "agent/backoff.h"
#include "agent/config.h"
#include "agent/disk.h"
#include "agent/install.h"
#include "agent/inventory_cache.h"
#include "agent/job.h"
#include "agent/medium.h"
#include "agent/msg.h"
#include "common/ipc.h"
#include "common/str.h"

#define PRIV_MEDIUM_ASKS_MAX 32 /* one per step that ends at the same time */
#define PRIV_DISKS_MAX 4096     /* identities kept from the last inventory */

/* A disk of the last inventory: what the service may call it, and who it was then. */
struct known_disk {
	char *id, *by_path, *path; /* owned, may be NULL */
	struct disk_id identity;
};

struct priv {
	struct agent_config config;
	struct event_base *base;
	int state_dir, lock_fd;
	int64_t clock_floor_s;
	bool allow_loop;
	int exit_status;
	bool is_leaving;

	/* the network process */
	pid_t net_pid; /* 0 = none */
	struct ipc ipc;
	struct event *ipc_read, *ipc_write, *respawn;
	struct backoff respawn_backoff;
	int64_t net_started_ms;
	bool is_pong_due, is_registered;
	uint32_t ping_id; /* of the last one: only its answer counts */

	struct event *sigterm, *sigint, *sigchld, *tick;
	uint64_t tick_ms;

	/* inventory */
	struct hwp_ctx *hwp; /* opened by the first probe */
	struct inventory_cache inventory;
	uint64_t disk_min_bytes; /* smaller disks are left out */
	struct known_disk *disks;
	size_t disks_n;
	struct event *settle;
	int64_t settle_since_ms;
	uint32_t settle_ask;
	bool is_settling;

	/* installation */
	bool has_job;
	struct job job;
	void *index; /* .slx, owned */
	size_t index_len;
	struct install_writer writer;
	bool has_writer, is_net_lost; /* the writer's network process has died */
	bool is_rebooting;            /* the disk is complete and left alone */
	int watchdog_fd;              /* armed while the machine goes down; -1 = not */
	struct event *writer_read, *writer_restart, *reboot_deadline;
	struct install_report report;
	uint32_t cancel_ask; /* 0 = nobody waits for the writer's end */
	bool is_stopping;    /* the service wants it to end, whatever becomes of the asker */

	struct medium *medium;                      /* of the live system; NULL = it needs none */
	uint32_t medium_asks[PRIV_MEDIUM_ASKS_MAX]; /* they wait for the read that is running */
	size_t medium_asks_n;

	struct event *joined; /* installed system: looks for the mark of slipway-join.target */
	json_t *status, *net_status; /* owned */
	int64_t logs_ms;             /* when logs were collected last; 0 = never */
};

/* Runs until the end; returns the exit status. Takes @config's contents. */
int priv_main(struct agent_config *config, bool allow_loop);

/* priv_net.c */
int priv_net_start(struct priv *p);
void priv_net_stop(struct priv *p);
void priv_net_exited(struct priv *p, int status);
void priv_send(struct priv *p, uint16_t type, uint32_t id, const void *data, size_t len, int fd);
/* An answer to a question of the network process. */
void priv_answer(struct priv *p, uint32_t id, int code, const char *output, const char *error,
		 int fd);
void priv_handle(struct priv *p,
		 struct ipc_msg *m); /* priv.c: one message of the network process */

/* priv_inventory.c */
/* @limits: of MSG_ASK_INVENTORY, borrowed; NULL = none. */
void priv_inventory(struct priv *p, uint32_t ask, const json_t *limits);
/* Probes, unless nothing has changed since the last time, and remembers the disks; the inventory is p->inventory.text. */
int priv_probe(struct priv *p, struct fault *err);
void priv_inventory_done(struct priv *p);
/* The disk that the last inventory showed as @device, or NULL. */
const struct known_disk *priv_find_disk(const struct priv *p, const char *device);

/*
 * priv_disks.c: the devices of the job's disks_to_format and disks_named, as far as they are still
 * those of the inventory; the installation disk only if it is named. Returns how many.
 */
size_t priv_given_up(struct priv *p, dev_t *ret, size_t max);

/* priv_install.c */
void priv_install(struct priv *p, struct ipc_msg *m);
void priv_install_load(struct priv *p);      /* at start: an interrupted one */
void priv_install_net_ready(struct priv *p); /* a new network process has its configuration */
void priv_install_net_lost(struct priv *p);
void priv_install_cancel(struct priv *p, uint32_t ask);
void priv_install_reboot(struct priv *p); /* the network process has reported Rebooting */
void priv_install_done(struct priv *p);

void priv_status_changed(struct priv *p);

/* priv_medium.c */
void priv_medium_begin(struct priv *p);
void priv_medium(struct priv *p, uint32_t ask);
void priv_medium_net_lost(struct priv *p); /* who asked is gone */
void priv_medium_done(struct priv *p);

/* priv_reboot.c */
#define REBOOT_ORDERLY_S \
	90 /* a shutdown that hangs on lost media does not keep the machine from its disk */
/*
 * Hardware clock, sync, then @command (run to its end) or the reboot itself. 0 = done, 1 = an orderly shutdown has begun: the caller waits for SIGTERM,
 * and calls priv_reboot_now() after REBOOT_ORDERLY_S. -errno.
 */
int priv_reboot(const char *command, struct fault *err);
int priv_reboot_now(struct fault *err);
