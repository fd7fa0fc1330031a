#pragma once
/*
 * The verbs of slipway-image, one file (verb_NAME.c) each, and the options they fill.
 */
#include <stdbool.h>
#include <stdint.h>
#include "common/verb.h"
#include "imagebuilder/imagebuilder.h"

/* What the options of all verbs are parsed into; one process runs one verb. Strings point into argv. */
struct verb_context {
	bool json;
	const char *output;
	struct build_spec build;
	struct media_token token;
	struct os_image_spec os_image;
	const char *base; /* base.json */
	const char *token_file, *cacert, *ssh_key_file, *network_file, *trust_file;
};

extern const struct verb verb_build, verb_customize, verb_show, verb_verify, verb_reset,
	verb_os_image;

/* Prints "slipway-image: <sentence>" and returns EXIT_FAILED. */
int verb_fail(const struct fault *err);
/* Prints "slipway-image: <sentence>" and where help is; returns EXIT_USAGE. */
int verb_usage(const char *verb, const char *sentence);
int verb_set_json(void *ctx, const char *value, struct fault *err);
int verb_set_output(void *ctx, const char *value, struct fault *err);
/* Opens a boot image; @flags as for open(2). */
int verb_open_iso(const char *path, int flags, int *ret_fd, struct fault *err);
