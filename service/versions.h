#pragma once
/*
 * Which versions are offered: those of the OS images that were added, and the default one when there are none.
 */
#include "service/service.h"

/* Whether @wanted ("4.18.1") asks for the version @offered ("4.18"). */
bool version_fits(const char *wanted, const char *offered);
/*
 * The version of the image to use: @wanted NULL or "" = the default one, else the newest. NULL = none for this architecture (borrowed otherwise).
 */
const char *version_pick(const struct service *svc, const char *wanted,
			 const char *cpu_architecture);
/* Walks the offered (version, architecture) pairs; false = the end. */
bool version_at(const struct service *svc, size_t i, const char **ret_version,
		const char **ret_arch, bool *ret_default);
/* Dotted numbers compared as numbers; <0, 0, >0. */
int version_compare(const char *a, const char *b);
