#pragma once
/*
 * Running a program: argv (no shell), clean environment on request, captured output with a cap, a time limit.
 */
#include <stdint.h>
#include <sys/types.h>
#include "common/buf.h"
#include "common/fault.h"

struct proc_spec {
	const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH when without '/' */
	const char *const *env;  /* NULL = inherit */
	const char *cwd;         /* NULL = ours */
	int stdin_fd;            /* -1 = /dev/null */
	int stdout_fd;           /* -1 = captured into out */
	struct buf *out;         /* may be NULL: dropped */
	struct buf *errout;      /* may be NULL: ours */
	uint64_t timeout_ms;     /* 0 = none; TERM, two seconds later KILL */
};

/* *ret_status: exit status 0–255, or 256 + signal. -ENOENT when there is no such program, -ETIMEDOUT. */
int proc_run(const struct proc_spec *spec, int *ret_status, struct fault *err);
/* proc_run() that makes a fault of any status but 0, quoting the last line of stderr. */
int proc_run_ok(const struct proc_spec *spec, struct fault *err);
