#pragma once
/*
 * The arguments of the steps a host is asked to do (assisted-v2 §5.2–5.10).
 */
#include <jansson.h>
#include "service/rules.h"

/*
 * *ret: list of argument strings (new reference), or NULL when there is nothing to ask of this host now. 0, -ENOMEM, or the error of a
 * broken row.
 */
typedef int (*step_args_fn)(const struct rule_ctx *ctx, const struct host *h, json_t **ret,
			    struct fault *err);

int step_args_inventory(const struct rule_ctx *ctx, const struct host *h, json_t **ret,
			struct fault *err);
int step_args_ntp(const struct rule_ctx *ctx, const struct host *h, json_t **ret,
		  struct fault *err);
int step_args_domains(const struct rule_ctx *ctx, const struct host *h, json_t **ret,
		      struct fault *err);
int step_args_api_vip(const struct rule_ctx *ctx, const struct host *h, json_t **ret,
		      struct fault *err);
int step_args_tang(const struct rule_ctx *ctx, const struct host *h, json_t **ret,
		   struct fault *err);
int step_args_logs(const struct rule_ctx *ctx, const struct host *h, json_t **ret,
		   struct fault *err);
int step_args_none(const struct rule_ctx *ctx, const struct host *h, json_t **ret,
		   struct fault *err);
int step_args_upgrade(const struct rule_ctx *ctx, const struct host *h, json_t **ret,
		      struct fault *err);
int step_args_install(const struct rule_ctx *ctx, const struct host *h, json_t **ret,
		      struct fault *err); /* step_install.c */

/* One argument: @obj as compact JSON text. Takes @obj (NULL = -ENOMEM). */
int step_args_of_json(json_t *obj, json_t **ret, struct fault *err);
