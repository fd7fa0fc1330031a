#include "service/host_fsm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

#define STATUS_INFO_MAX 2040 /* characters (assisted-v2 §1.2) */

#define B(s) (1u << (s))

/* The four live states of the pool. */
#define POOL                                                                                  \
	(B(HOST_DISCOVERING_UNBOUND) | B(HOST_KNOWN_UNBOUND) | B(HOST_INSUFFICIENT_UNBOUND) | \
	 B(HOST_DISCONNECTED_UNBOUND))
/* States of a bound host that waits for a person and a good check. */
#define WAITING                                                                              \
	(B(HOST_DISCOVERING) | B(HOST_KNOWN) | B(HOST_DISCONNECTED) | B(HOST_INSUFFICIENT) | \
	 B(HOST_PENDING_FOR_INPUT))
#define PREPARING                                                        \
	(B(HOST_PREPARING_FOR_INSTALLATION) | B(HOST_PREPARING_FAILED) | \
	 B(HOST_PREPARING_SUCCESSFUL))
#define RUNNING (B(HOST_INSTALLING) | B(HOST_INSTALLING_IN_PROGRESS))
#define PENDING B(HOST_INSTALLING_PENDING_USER_ACTION)
#define ENDED \
	(B(HOST_INSTALLED) | B(HOST_ADDED_TO_EXISTING_CLUSTER) | B(HOST_ERROR) | B(HOST_CANCELLED))

/* One row: from any state of the set to one state (assisted-v2 §7.2, §7.3). */
struct move {
	enum host_trigger why;
	unsigned from;
	enum host_status to;
};

static const struct move moves[] = {
	{ HT_REGISTER, WAITING | B(HOST_BINDING) | B(HOST_RESETTING_PENDING_USER_ACTION),
	  HOST_DISCOVERING },
	{ HT_REGISTER,
	  POOL | B(HOST_UNBINDING) | B(HOST_UNBINDING_PENDING_USER_ACTION) |
		  B(HOST_RECLAIMING_REBOOTING),
	  HOST_DISCOVERING_UNBOUND },
	{ HT_REGISTER, B(HOST_INSTALLING_IN_PROGRESS) | B(HOST_ADDED_TO_EXISTING_CLUSTER),
	  HOST_INSTALLING_PENDING_USER_ACTION },
	{ HT_REGISTER, RUNNING, HOST_ERROR },
	{ HT_REGISTER, B(HOST_PREPARING_FOR_INSTALLATION) | B(HOST_PREPARING_SUCCESSFUL),
	  HOST_KNOWN },

	{ HT_BIND, B(HOST_KNOWN_UNBOUND), HOST_BINDING },

	/* The original has no way out of binding and resetting; a cluster that is deleted then would leave its hosts stuck. */
	{ HT_UNBIND, WAITING | B(HOST_BINDING), HOST_UNBINDING },
	{ HT_UNBIND, PREPARING | RUNNING | PENDING | ENDED | B(HOST_RESETTING_PENDING_USER_ACTION),
	  HOST_UNBINDING_PENDING_USER_ACTION },

	{ HT_INSTALL, B(HOST_KNOWN), HOST_INSTALLING },

	{ HT_PROGRESS, RUNNING | PENDING, HOST_INSTALLING_IN_PROGRESS },
	{ HT_PROGRESS, RUNNING | PENDING, HOST_ADDED_TO_EXISTING_CLUSTER },

	{ HT_INSTALLATION_FAILED, RUNNING | PENDING, HOST_ERROR },

	{ HT_RESET,
	  B(HOST_DISCOVERING) | B(HOST_KNOWN) | B(HOST_PENDING_FOR_INPUT) | PREPARING | RUNNING |
		  PENDING | ENDED | B(HOST_RESETTING),
	  HOST_RESETTING_PENDING_USER_ACTION },

	{ HT_MEDIA_DISCONNECT, WAITING | B(HOST_BINDING), HOST_DISCONNECTED },
	{ HT_MEDIA_DISCONNECT, PREPARING | RUNNING, HOST_ERROR },
	{ HT_MEDIA_DISCONNECT, POOL | B(HOST_UNBINDING), HOST_DISCONNECTED_UNBOUND },

	{ HT_REFRESH, WAITING, HOST_DISCOVERING },
	{ HT_REFRESH, WAITING, HOST_KNOWN },
	{ HT_REFRESH, WAITING, HOST_DISCONNECTED },
	{ HT_REFRESH, WAITING, HOST_INSUFFICIENT },
	{ HT_REFRESH, WAITING, HOST_PENDING_FOR_INPUT },
	{ HT_REFRESH, RUNNING, HOST_ERROR },
	{ HT_REFRESH, B(HOST_INSTALLING_IN_PROGRESS), HOST_INSTALLING_PENDING_USER_ACTION },
	{ HT_REFRESH, POOL, HOST_DISCOVERING_UNBOUND },
	{ HT_REFRESH, POOL, HOST_KNOWN_UNBOUND },
	{ HT_REFRESH, POOL, HOST_INSUFFICIENT_UNBOUND },
	{ HT_REFRESH, POOL, HOST_DISCONNECTED_UNBOUND },
	{ HT_REFRESH, B(HOST_RECLAIMING) | B(HOST_RECLAIMING_REBOOTING),
	  HOST_UNBINDING_PENDING_USER_ACTION },

	{ HT_RECLAIM, B(HOST_INSTALLED) | B(HOST_ADDED_TO_EXISTING_CLUSTER), HOST_RECLAIMING },
	{ HT_RECLAIM, B(HOST_RECLAIMING), HOST_RECLAIMING_REBOOTING },
	{ HT_RECLAIM, B(HOST_RECLAIMING), HOST_UNBINDING_PENDING_USER_ACTION },
};

_Static_assert(HOST_STATUS_COUNT <= 32, "a set of states is 32 bits");

bool host_may_move(enum host_trigger why, enum host_status from, enum host_status to)
{
	if ((unsigned)from >= HOST_STATUS_COUNT || (unsigned)to >= HOST_STATUS_COUNT ||
	    (unsigned)why >= HT_TRIGGER_COUNT)
		return false;
	if (from == to)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(moves); i++) {
		if (moves[i].why == why && moves[i].to == to && moves[i].from & B(from))
			return true;
	}
	return false;
}

/* At most STATUS_INFO_MAX bytes, never in the middle of a UTF-8 character. */
static char *info_cut(const char *info)
{
	size_t n = strlen(info);

	if (n > STATUS_INFO_MAX) {
		n = STATUS_INFO_MAX;
		while (n && ((unsigned char)info[n] & 0xc0) == 0x80)
			n--;
	}
	return strndup(info, n);
}

int host_move(struct host *h, enum host_trigger why, enum host_status to, const char *info,
	      int64_t now_us, struct fault *err)
{
	if (!host_may_move(why, h->status, to))
		return fault_set(err, -EPERM, "a host that is %s cannot become %s",
				 host_status_name(h->status), host_status_name(to));

	char *text = info_cut(info ? info : "");
	if (!text)
		return fault_oom(err);
	free(h->status_info);
	h->status_info = text;
	if (h->status != to) {
		h->status = to;
		h->status_updated_at = now_us;
	}
	return 0;
}
