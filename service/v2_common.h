#pragma once
/*
 * What the handlers of the assisted-install API share.
 */
#include "service/json_out.h"
#include "service/route.h"

/* Objects named in the path; -ENOENT (404) with the sentences of the reference. */
int v2_find_infra_env(struct request *r, struct infra_env **ret, struct fault *err);
/* An agent sees the clusters of its own infra-env, and of its hosts, only. */
bool v2_sees_cluster(const struct request *r, const struct cluster *c);
int v2_find_cluster(struct request *r, struct cluster **ret, struct fault *err);
int v2_find_host(struct request *r, struct host **ret, struct fault *err);
/* The answer that was written into r->out through @o. */
int answer_out(struct request *r, int status, const struct json_out *o);
int answer_host(struct request *r, int status, const struct host *h);
