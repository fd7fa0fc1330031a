/* Programs of a package tree. All strings must end inside the file. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "imagebuilder/elf_deps.h"

static void check(const char *s, const uint8_t *data, size_t size)
{
	if (s && ((const uint8_t *)s < data || (const uint8_t *)s + strlen(s) >= data + size))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fault err = FAULT_INIT;
	struct elf_deps deps;

	if (elf_deps_parse(data, size, &deps, &err) < 0)
		return 0;
	check(deps.interp, data, size);
	check(deps.runpath, data, size);
	for (size_t i = 0; i < deps.n_needed; i++)
		check(deps.needed[i], data, size);
	return 0;
}
