#pragma once
/*
 * The running service: everything that main() puts together, the loop, and its end.
 */
#include "common/fault.h"
#include "service/config.h"

/* Runs until SIGTERM or SIGINT. @ready_fd: gets one line of JSON once requests are served; -1 = none. 0 or a negative errno with @err set. */
int daemon_run(const struct service_config *config, int ready_fd, struct fault *err);
