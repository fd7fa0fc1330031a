#pragma once
/*
 * Programs together with everything their loader will look for: interpreter and shared libraries, at the places where the loader of the
 * image looks without a cache.
 */
#include "imagebuilder/file_set.h"
#include "imagebuilder/source.h"

/* Adds the program @path of the source as @dest (NULL = the same place), with its closure. -ENOENT names program and @package. */
int closure_add(struct file_set *set, const struct source *src, const char *path, const char *dest,
		const char *package, struct fault *err);
/* The same for contents the caller has read; @name is for messages; takes @data in any case. */
int closure_add_data(struct file_set *set, const struct source *src, const char *dest,
		     const char *name, char *data, size_t len, struct fault *err);
/* Adds the shared library @soname when there is one (for what is loaded by dlopen(3)). */
int closure_add_library(struct file_set *set, const struct source *src, const char *soname,
			struct fault *err);
