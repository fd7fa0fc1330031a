#pragma once
/* A pass without any file: every read fails, so that a probe sees only what the target put into the survey. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include "hwprobe/netdump.h"
#include "hwprobe/probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct pass {
	struct root root;
	struct hwp_options opt;
	struct arena tmp;
	struct netdump dumps[NETDUMP_KINDS];
	struct survey s;
	char *copy[NETDUMP_KINDS];
	int copies;
};

static inline void pass_init(struct pass *p)
{
	memset(p, 0, sizeof(*p));
	p->root = (struct root){ .fd = -1, .record_fd = -1 };
	p->opt.flags = HWP_MORE;
	p->s = (struct survey){
		.root = &p->root,
		.opt = &p->opt,
		.tmp = &p->tmp,
		.dumps = p->dumps,
		.part = "fuzz",
		.inv = inventory_new(HWP_ALL),
	};
	if (!p->s.inv)
		abort();
	p->s.mem = &p->s.inv->mem;
	for (int i = 0; i < NETDUMP_KINDS; i++)
		p->dumps[i].has_read = true;
}

/* A copy of the input with a NUL behind it, as files are read. Not in an arena: the sanitizer is to see its end. */
static inline char *pass_copy(struct pass *p, const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	if (!text || p->copies == sizeof(p->copy) / sizeof(p->copy[0]))
		abort();
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	return p->copy[p->copies++] = text;
}

/* Whatever was found must make a valid document: jansson refuses bytes that are not UTF-8 and a key that is there twice. */
static inline void pass_check_document(const struct hwp_inventory *inv, enum hwp_format format)
{
	char *text = hwp_to_json(inv, format, 0);
	json_t *v = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
	if (!v)
		abort();
	json_decref(v);
	free(text);
}

static inline void pass_done(struct pass *p)
{
	pass_check_document(p->s.inv, HWP_JSON_ASSISTED);
	pass_check_document(p->s.inv, HWP_JSON_FULL);
	hwp_unref(p->s.inv);
	arena_done(&p->tmp);
	for (int i = 0; i < p->copies; i++)
		free(p->copy[i]);
}
