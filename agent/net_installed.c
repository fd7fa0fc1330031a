/*
 * The installed system (installed=yes): it never registers; it reports Configuring, then, when slipway-join.target was reached, Joined and Done, each
 * until the service has it, however long that takes (DESIGN §5).
 */
#include <errno.h>
#include "agent/net.h"
#include "common/log.h"

static void on_done(void *ctx, bool acknowledged)
{
	struct net *n = ctx;

	log_notice("the service knows that this host has joined");
	net_set_state(n, "done");
	net_send(n, MSG_FINISHED, NULL, 0, -1);
}

static void on_joined_reported(void *ctx, bool acknowledged)
{
	struct net *n = ctx;
	report_final(&n->report, STAGE_DONE, NULL, 0, on_done, n);
}

static void report_joined(struct net *n)
{
	net_set_state(n, "joined");
	report_final(&n->report, STAGE_JOINED, NULL, 0, on_joined_reported, n);
}

static void on_configuring_reported(void *ctx, bool acknowledged)
{
	struct net *n = ctx;

	n->has_configured = true;
	if (n->has_joined)
		report_joined(n);
	else
		net_set_state(n, "waiting for slipway-join.target");
}

void net_installed_begin(struct net *n)
{
	if (!n->session.agent_version)
		(void)str_set(&n->session.agent_version, "slipway-agent:" SLIPWAY_VERSION);
	net_set_state(n, "configuring");
	report_final(&n->report, STAGE_CONFIGURING, NULL, 0, on_configuring_reported, n);
}

void net_installed_joined(struct net *n)
{
	if (!n->config.installed || n->has_joined)
		return;
	n->has_joined = true;
	/* The join may be over before this process has said a word: the stages keep their order. */
	if (n->has_configured)
		report_joined(n);
}
