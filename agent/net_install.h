#pragma once
/*
 * An installation as the network process sees it: fetch and check everything small first, hand it to the root process, feed its writer, tell the
 * service how it goes, and have the machine rebooted (install.md F).
 */
#include "agent/fetch.h"
#include "agent/install.h"
#include "agent/job.h"
#include "agent/net.h"
#include "agent/report.h"
#include "agent/step.h"
#include "common/slx.h"

struct net_install {
	struct net *net;
	struct step_run *run; /* replied to at the very end */
	struct job job;
	struct slx index;
	char *index_url;
	int index_fd; /* memfd; -1 once it is handed over */

	size_t get; /* which of the things to fetch is under way */
	struct http_call *call;
	struct event *retry;
	struct backoff backoff;
	unsigned tries;

	bool is_handed_over; /* the root process has it */
	bool is_resumed;
	struct fetch *fetch;
	struct report_rate rate;
	struct install_report last;
	bool is_waiting; /* for image data */
	char *failure;
};

/* Begins the installation that @job describes, for @run. Takes both. */
void net_install_begin(struct net *n, struct step_run *run, struct job *job);
