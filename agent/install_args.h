#pragma once
/*
 * The argument of an install step (assisted-v2 §5.8, install.md A.3, A.4): checked before anything else happens.
 */
#include "agent/job.h"
#include "agent/session.h"

#define INSTALLER_ARGS_MAX 256 /* entries */

/*
 * Fills @ret (zeroed) from the step's JSON object: ids must be ours, devices below /dev/, flags from the allow-list, and an --image-url must be
 * among them, since that is where the OS image comes from. -EINVAL with a sentence.
 */
int install_args_parse(json_t *arg, const struct session *s, struct job *ret, struct fault *err);

/*
 * Where the chunk index of @image_url is: the same path with .slx for .raw.zst, at the service itself. *ret is owned by the caller.
 * -EINVAL when the URL is no Slipway payload; -EPERM when the service is spoken to without TLS and that was not asked for.
 */
int install_index_url(const struct session *s, const char *image_url, char **ret,
		      struct fault *err);
