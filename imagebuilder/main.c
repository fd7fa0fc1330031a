/*
 * slipway-image: boot media and OS images on the command line. Each verb is a file of its own, ending in its record.
 */
#include <stddef.h>
#include "common/log.h"
#include "common/verb.h"
#include "imagebuilder/verbs.h"

static const struct verb *const verbs[] = {
	&verb_build, &verb_customize, &verb_show, &verb_verify, &verb_reset, &verb_os_image, NULL,
};

static const struct program program = {
	.name = "slipway-image",
	.summary =
		"Builds and customises boot media that carry an infra-env, and prepares OS images",
	.verbs = verbs,
};

int main(int argc, char **argv)
{
	struct verb_context ctx = { 0 };

	log_init("slipway-image", LOG_INFO);
	return program_main(&program, &ctx, argc, argv);
}
