#pragma once
/*
 * Inside of the validations (rules.h has the public side): one small function per validation, in tables per category.
 */
#include <jansson.h>
#include <stdbool.h>
#include "common/buf.h"
#include "service/rules.h"

#define VALIDATION_TEXT_MAX 4096

struct validation_check {
	const struct rule_ctx *ctx;
	const struct host *host;
	json_t *inventory; /* NULL = none yet */
	json_t *api_vip;   /* the last api-vip reply; NULL = none */
	json_t *ignition;  /* what that reply downloaded; NULL = none */
	struct buf message;
};

/* A function may also answer that there is nothing to show, which passes. */
#define VALIDATION_SUPPRESSED (-1)

enum validation_rule_flags {
	VALIDATE_POOL = 1 << 0,  /* done for pool hosts */
	VALIDATE_BOUND = 1 << 1, /* done for hosts of a cluster */
	VALIDATE_BOTH = VALIDATE_POOL | VALIDATE_BOUND,
	VALIDATE_POOL_BLOCKS = 1 << 2,  /* a pool host is not known without it */
	VALIDATE_BOUND_BLOCKS = 1 << 3, /* a host of a cluster is not known without it */
	VALIDATE_MINIMUM = 1 << 4,   /* part of the hardware minimum (assisted-v2 §7.3 rule 6) */
	VALIDATE_INVENTORY = 1 << 5, /* pending as long as there is no inventory */
	VALIDATE_NO_IGNORE = 1 << 6, /* a cluster cannot ignore it (assisted-v2 §3.2) */
};

struct validation_rule {
	const char *id; /* NULL ends the table */
	unsigned flags;
	/* An enum validation_status or VALIDATION_SUPPRESSED; says why with validation_say(). */
	int (*run)(struct validation_check *c);
};

extern const struct validation_rule validation_hardware[];
extern const struct validation_rule validation_network[];

/* Sets the message and returns @status, so that both stand in one expression. */
int validation_say(struct validation_check *c, int status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The usual pair: @ok decides. */
int validation_decide(struct validation_check *c, bool ok, const char *good, const char *bad);

/* --- validate_dns.c --- */
int validate_api_name(struct validation_check *c);
int validate_api_int_name(struct validation_check *c);
int validate_apps_name(struct validation_check *c);
/* --- validate_subnets.c --- */
int validate_subnets(struct validation_check *c);
