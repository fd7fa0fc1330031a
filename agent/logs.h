#pragma once
/*
 * What the service gets when it asks for a host's logs: one tar.gz, made in memory (a discovery system has no disk), every source cut at a limit,
 * without secrets.
 */
#include <stddef.h>
#include "common/fault.h"

#define LOGS_SOURCE_MAX (4u << 20) /* bytes of one source */
#define LOGS_ARCHIVE_MAX (16u << 20)

/*
 * *ret_fd: a memfd at its beginning, owned by the caller. @state_dir: path of the agent's state directory, whose *.log and status.json go in.
 * @secret: text that is replaced by stars wherever it stands; NULL or "" = none. A source that cannot be read is left out and named in report.txt.
 */
int logs_collect(const char *state_dir, const char *secret, int *ret_fd, struct fault *err);
/* Replaces every occurrence in place. Returns how many there were. */
unsigned logs_redact(char *text, size_t len, const char *secret);
