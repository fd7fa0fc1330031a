#pragma once
/*
 * The life of a host: a table of allowed moves (assisted-v2 §7.2). Every change of host.status goes through host_move().
 */
#include "common/fault.h"
#include "service/model.h"

enum host_trigger {
	HT_REGISTER,
	HT_BIND,
	HT_UNBIND,
	HT_INSTALL,
	HT_PROGRESS,
	HT_INSTALLATION_FAILED,
	HT_RESET,
	HT_MEDIA_DISCONNECT,
	HT_REFRESH,
	HT_RECLAIM,
	HT_TRIGGER_COUNT
};

/* May a host go from @from to @to because of @why? */
bool host_may_move(enum host_trigger why, enum host_status from, enum host_status to);
/* Sets status, status_info (cut at 2,040 characters) and status_updated_at; -EPERM when the table has no such move. Staying is always allowed. */
int host_move(struct host *h, enum host_trigger why, enum host_status to, const char *info,
	      int64_t now_us, struct fault *err);
