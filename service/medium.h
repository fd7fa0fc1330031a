#pragma once
/*
 * The discovery medium of one infra-env: the base image of its architecture with its own token segment.
 */
#include <stddef.h>
#include "common/fault.h"
#include "common/http_server.h"
#include "service/service.h"

/*
 * The token segment of @ie (initrd members): the same bytes until the infra-env changes, so that a download may be resumed in
 * pieces, even by another connection. *ret is owned by the caller.
 */
int medium_segment(struct service *svc, const struct infra_env *ie, void **ret, size_t *ret_len,
		   struct fault *err);
/*
 * The ISO as a source. *ret_etag (with quotes, 64 bytes are enough) and *ret_mtime_s belong to it. -EAGAIN (503) with the remedy when there is no base
 * image for the architecture.
 */
int medium_iso(struct service *svc, const struct infra_env *ie, struct http_source *ret,
	       char ret_etag[64], int64_t *ret_mtime_s, struct fault *err);
/* The initrd with the segment behind it, for network boots. */
int medium_initrd(struct service *svc, const struct infra_env *ie, struct http_source *ret,
		  char ret_etag[64], int64_t *ret_mtime_s, struct fault *err);
