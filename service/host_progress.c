/*
 * Progress of an installation, and when a host counts as a member of its cluster.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "service/host_life.h"
#include "service/life.h"

#define JOINED_FOREIGN                                                                                                                  \
	"The host has rebooted; nothing more will be reported by its agent. Look at its console, and approve its certificate requests " \
	"in the cluster"

/* The order in which a worker goes through its stages (assisted-v2 §4.4); -1 = not a worker's stage. */
static int stage_rank(enum stage s)
{
	return s >= STAGE_STARTING_INSTALLATION && s <= STAGE_DONE ? (int)s : -1;
}

/* A system that an earlier installation left on another disk may come up instead of the one that was installed now. */
static int check_installation(const struct host *h, const struct host_report *report,
			      struct fault *err)
{
	if (str_empty(report->install_id) || str_eq(report->install_id, h->install_id))
		return 0;
	return fault_set(
		err, -EBUSY,
		"stage %s is reported by the system that an earlier installation left on the host",
		report->stage);
}

static int check_status(const struct host *h, const struct host_report *report, struct fault *err)
{
	if (h->status == HOST_INSTALLING || h->status == HOST_INSTALLING_IN_PROGRESS ||
	    h->status == HOST_INSTALLING_PENDING_USER_ACTION)
		return check_installation(h, report, err);
	return fault_set(err, -EBUSY, "Can't set progress <%s> to host in status <%s>",
			 report->stage, host_status_name(h->status));
}

static int check_order(const struct host *h, enum stage to, const char *stage, struct fault *err)
{
	int from = stage_rank(h->stage), rank = stage_rank(to);

	if (from < 0)
		return 0;
	if (rank < 0)
		return fault_set(err, -EBUSY,
				 "Stages %s isn't available for host role %s bootstrap false",
				 stage, host_role_name(h->role));
	if (rank < from)
		return fault_set(
			err, -EBUSY,
			"Can't assign lower stage \"%s\" after host has been in stage \"%s\"",
			stage, h->stage_text ? h->stage_text : "");
	return 0;
}

/*
 * What comes after the reboot is only believed from the system that was installed: it alone has a token bound to its host. Done follows
 * Joined, so that nothing can skip the cluster.
 */
static int check_installed(const struct service *svc, const struct host *h,
			   const struct host_report *report, enum stage to, struct fault *err)
{
	if (!report->is_slipway_agent || stage_rank(to) <= STAGE_REBOOTING)
		return 0;
	if (auth_mode(svc->auth) == AUTH_MODE_LOCAL && !report->is_installed_system)
		return fault_set(
			err, -EBUSY,
			"stage %s is reported by the installed system, not by the discovery system",
			report->stage);
	if (to == STAGE_DONE && h->stage != STAGE_JOINED)
		return fault_set(err, -EBUSY,
				 "stage Done follows Joined, but the host is in stage \"%s\"",
				 h->stage_text ? h->stage_text : "");
	return 0;
}

static int note_stage(struct service *svc, struct host *h, enum stage stage, const char *info)
{
	int64_t now = service_now_us(svc);

	if (h->stage != stage || !h->stage_started_at)
		h->stage_started_at = now;
	h->stage_updated_at = now;
	h->stage_timed_out = false;
	h->stage = stage;
	if (str_set(&h->stage_text, stage_name(stage)) < 0 ||
	    str_set(&h->progress_info, *info ? info : NULL) < 0)
		return -ENOMEM;
	return 0;
}

static int event_stage(struct service *svc, const struct host *h, const struct host_report *report)
{
	return life_event_host(svc, h, "host_install_progress_updated", "info",
			       "reached installation stage %s%s%s", report->stage,
			       *report->info ? ": " : "", report->info);
}

static int fail(struct service *svc, struct host *h, const struct host_report *report,
		struct fault *err)
{
	AUTO(freep) char *info = str_printf("Failed - %s", report->info);

	return info ? life_move(svc, h, HT_INSTALLATION_FAILED, HOST_ERROR, info, err) : -ENOMEM;
}

static int advance(struct service *svc, struct host *h, const struct host_report *report,
		   enum stage to, struct fault *err)
{
	bool is_done = to == STAGE_DONE || (to == STAGE_REBOOTING && !report->is_slipway_agent);

	if (is_done && h->kind == HOST_KIND_DAY2) {
		int r = note_stage(svc, h, STAGE_DONE, report->info);
		return r < 0 ? r
			     : life_move(svc, h, HT_PROGRESS, HOST_ADDED_TO_EXISTING_CLUSTER,
					 report->is_slipway_agent
						 ? "The host has joined its cluster"
						 : JOINED_FOREIGN,
					 err);
	}
	int r = note_stage(svc, h, to, report->info);
	return r < 0 ? r
		     : life_move(svc, h, HT_PROGRESS, HOST_INSTALLING_IN_PROGRESS, report->stage,
				 err);
}

int host_progress(struct service *svc, struct host *h, const struct host_report *report,
		  struct fault *err)
{
	enum stage to = STAGE_NONE;

	if (!h->cluster_id[0])
		return fault_set(err, -EINVAL,
				 "host %s is not bound to any cluster, cannot update progress",
				 h->id);
	if (str_eq(report->stage, h->stage_text ? h->stage_text : "") &&
	    str_eq(report->info, h->progress_info ? h->progress_info : ""))
		return 0;
	if (*report->stage && stage_parse(report->stage, &to) < 0)
		return fault_set(err, -EBADMSG, "current_stage in body is unknown: %s",
				 report->stage);

	int r = check_status(h, report, err);
	if (r < 0)
		return r;
	if (to == STAGE_FAILED) {
		r = fail(svc, h, report, err);
		return r < 0 ? r : event_stage(svc, h, report);
	}
	r = check_order(h, to, report->stage, err);
	if (r == 0)
		r = check_installed(svc, h, report, to, err);
	if (r == 0)
		r = advance(svc, h, report, to, err);
	return r < 0 ? r : event_stage(svc, h, report);
}
