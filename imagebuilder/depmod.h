#pragma once
/*
 * The index files of a set of modules (modules.dep.bin, modules.alias.bin, …), made by depmod(8) for exactly the chosen ones, so that
 * modprobe never names a file that is not in the image.
 */
#include "imagebuilder/file_set.h"

/*
 * @dir: lib/modules/VERSION of the source; @dest: the same in the image, where @set has the modules. Uses a folder in TMPDIR.
 */
int depmod_add(struct file_set *set, const char *dir, const char *dest, const char *version,
	       struct fault *err);
