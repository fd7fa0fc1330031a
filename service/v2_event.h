#pragma once
/*
 * Events as the assisted-install API shows them, for more than one answer.
 */
#include "common/buf.h"
#include "service/route.h"

#define EVENTS_TEXT_MAX (256u << 20)

/* The events of a cluster (at most as many as a list shows without a limit), of those that the caller may see, as JSON. */
int v2_events_text(struct request *r, const char *cluster_id, struct buf *out, struct fault *err);
