#pragma once
/*
 * Which PCI functions count as GPUs. The default: display controllers and processing accelerators. A file of rules, as the
 * discovery agent of the assisted-install API takes it, replaces that:
 *
 *	classes: [ "0300", "0302" ]	PCI class and subclass
 *	vendors:
 *	- "0380 10de"			class and vendor
 *	models:
 *	- "0b40 1da3 1060"		class, vendor and device
 *
 * Numbers are hexadecimal; blanks in them, quotes and comments do not matter.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/fault.h"

enum { GPU_RULES_MAX = 256, GPU_RULES_BYTES_MAX = 64 << 10 };

struct gpu_rule {
	uint16_t ids[3]; /* class, vendor, device */
	uint8_t n;       /* how many of them count */
};

struct gpu_rules {
	struct gpu_rule *v; /* NULL = the default */
	size_t n;
};

/* 0; -EBADMSG with the line in @err, or another -errno. */
int gpu_rules_load(struct gpu_rules *r, const char *path, struct fault *err);
int gpu_rules_parse(struct gpu_rules *r, const char *text, struct fault *err);
void gpu_rules_done(struct gpu_rules *r);
/* @vendor, @device: 0xffff = unknown, which no rule names. */
bool gpu_rules_match(const struct gpu_rules *r, uint16_t class, uint16_t vendor, uint16_t device);
