#pragma once
/* A pass over a recorded tree, for modules that work inside of one. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "hwprobe/context.h"
#include "hwprobe/device_read.h"
#include "hwprobe/probe.h"
#include "tests/unit/hwprobe/tree.h"

struct pass {
	struct tree *tree;
	struct hwp_ctx *ctx;
	struct hwp_inventory *inv;
	struct arena tmp;
	struct survey s;
};

UNUSED static void pass_open(struct pass *p, struct tree *t, unsigned flags)
{
	struct hwp_options opt = { .size = sizeof(opt), .sysroot = t->dir, .flags = flags };
	memset(p, 0, sizeof(*p));
	p->tree = t;
	assert_int_equal(hwp_open(&p->ctx, &opt), 0);
	p->inv = inventory_new(HWP_ALL);
	assert_non_null(p->inv);
	p->s = (struct survey){ .ctx = p->ctx,
				.root = &p->ctx->root,
				.opt = &p->ctx->opt,
				.inv = p->inv,
				.mem = &p->inv->mem,
				.tmp = &p->tmp,
				.part = "test" };
}

UNUSED static void pass_close(struct pass *p)
{
	assert_false(p->tmp.has_failed);
	device_reader_close(&p->s);
	arena_done(&p->tmp);
	hwp_unref(p->inv);
	hwp_close(p->ctx);
}
