#pragma once
/*
 * What an ELF program or library needs at run time, read from its headers; the file is never run. Little-endian 64-bit files only.
 */
#include <stddef.h>
#include <stdint.h>
#include "common/fault.h"

#define ELF_NEEDED_MAX 256u

struct elf_deps {
	uint16_t machine;    /* EM_… */
	const char *interp;  /* PT_INTERP, NULL = none; all strings point into the file's data */
	const char *runpath; /* DT_RUNPATH, else DT_RPATH; NULL = none */
	size_t n_needed;
	const char *needed[ELF_NEEDED_MAX]; /* DT_NEEDED */
};

/* -ENOEXEC: no ELF file (no sentence); -EBADMSG: a broken one. */
int elf_deps_parse(const void *data, size_t len, struct elf_deps *ret, struct fault *err);
