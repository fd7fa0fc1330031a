#pragma once
/*
 * What the installed system has to know to report that it is there: the service's answer to …/downloads/seed becomes files below etc/slipway.
 */
#include "agent/config.h"
#include "agent/job.h"

/*
 * Adds agent.conf, token and ca.pem to @j and takes its install_id over. @answer: the seed object. -EINVAL when a value is missing or
 * would not stay one line of an INI file.
 */
int seed_add(json_t *answer, const struct agent_config *c, struct job *j, struct fault *err);
