#pragma once
/*
 * What the network process gives up before its first byte from outside: root, its groups, new privileges, core dumps, and every system call
 * that is not in an allow-list. It can neither run programs, nor open anything for writing, nor make new processes.
 */
#include <stdbool.h>
#include "common/fault.h"

/*
 * Becomes @user (NULL = "slipway", or uid and gid 65534 where there is no such user). Without root rights it stays who it is. Call before
 * sandbox_enter().
 */
int sandbox_drop_user(const char *user, struct fault *err);
/*
 * no_new_privs, and the system-call filter; refused calls give EPERM (clone3: ENOSYS, so that libc falls back to clone, whose flags can be
 * looked at). @only_log: they are logged by the kernel and allowed.
 */
int sandbox_enter(bool only_log, struct fault *err);
