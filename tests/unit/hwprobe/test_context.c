/* Opening: defaults, callers of other ages, trees that are none or lead outside; what a probe takes and what it refuses. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include "hwprobe/context.h"
#include "tests/unit/hwprobe/tree.h"

static void test_defaults(void **state)
{
	struct hwp_ctx *ctx = NULL;
	assert_int_equal(hwp_open(&ctx, NULL), 0);
	assert_int_equal(ctx->opt.parts, HWP_ALL);
	assert_int_equal(ctx->opt.device_timeout_ms, 2000);
	assert_int_equal(ctx->opt.bmc_timeout_ms, 5000);
	assert_int_equal(ctx->opt.total_timeout_ms, 20000);
	assert_int_equal(ctx->opt.flags, 0);
	assert_true(ctx->root.is_live);
	hwp_close(ctx);
	hwp_close(NULL);
}

/* A caller built against an older header has a shorter structure, against a newer one a longer one. */
static void test_sizes(void **state)
{
	struct tree t;
	struct hwp_ctx *ctx = NULL;
	tree_init(&t);
	struct hwp_options opt = {
		.sysroot = t.dir, .parts = HWP_CPU, .flags = HWP_MORE, .disk_min_bytes = 7
	};
	opt.size = offsetof(struct hwp_options, flags);
	assert_int_equal(hwp_open(&ctx, &opt), 0);
	assert_int_equal(ctx->opt.parts, HWP_CPU);
	assert_int_equal(ctx->opt.flags, 0); /* it does not have that yet */
	assert_int_equal(ctx->opt.disk_min_bytes, 0);
	assert_int_equal(ctx->opt.size, sizeof(opt));
	assert_string_equal(ctx->opt.sysroot, t.dir);
	assert_ptr_not_equal(ctx->opt.sysroot, opt.sysroot); /* its own copy */
	hwp_close(ctx);
	struct {
		struct hwp_options opt;
		char more[64];
	} newer = { .opt = opt };
	memset(newer.more, 0xff, sizeof(newer.more));
	newer.opt.size = sizeof(newer);
	assert_int_equal(hwp_open(&ctx, &newer.opt), 0);
	assert_int_equal(ctx->opt.disk_min_bytes, 7);
	hwp_close(ctx);
	tree_done(&t);
}

static void test_no_tree(void **state)
{
	struct tree t;
	struct hwp_inventory *inv = NULL;
	char dir[sizeof(t.dir)];
	tree_init(&t);
	tree_file(&t, "file", "");
	memcpy(dir, t.dir, sizeof(dir));
	snprintf(t.dir + strlen(t.dir), sizeof(t.dir) - strlen(t.dir), "/absent");
	assert_int_equal(tree_try(&t, (struct hwp_options){ 0 }, &inv), -ENOENT);
	assert_non_null(strstr(t.log, "/absent"));
	memcpy(t.dir, dir, sizeof(dir));
	snprintf(t.dir + strlen(t.dir), sizeof(t.dir) - strlen(t.dir), "/file");
	assert_int_equal(tree_try(&t, (struct hwp_options){ 0 }, &inv), -ENOTDIR);
	assert_null(inv);
	memcpy(t.dir, dir, sizeof(dir));
	tree_done(&t);
}

static void test_escape(void **state)
{
	static const char *const targets[] = { "/etc/hostname", "../../../../../../etc/hostname",
					       "../../.." };
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		struct tree t;
		struct hwp_inventory *inv = NULL;
		tree_init(&t);
		tree_link(&t, "proc/sys/kernel", targets[i]);
		assert_int_equal(tree_try(&t, (struct hwp_options){ .parts = HWP_HOSTNAME }, &inv),
				 -EXDEV);
		assert_null(inv);
		assert_non_null(strstr(t.log, "proc/sys/kernel"));
		tree_done(&t);
	}
}

static void test_parts(void **state)
{
	struct tree t;
	struct hwp_ctx *ctx = NULL;
	struct hwp_inventory *inv = NULL;
	tree_init(&t);
	struct hwp_options opt = { .size = sizeof(opt), .sysroot = t.dir, .parts = HWP_TPM };
	assert_int_equal(hwp_open(&ctx, &opt), 0);
	assert_int_equal(hwp_probe(ctx, 0, &inv), 0);
	assert_int_equal(hwp_get_parts(inv), HWP_TPM);
	hwp_unref(inv);
	assert_int_equal(hwp_probe(ctx, HWP_CPU | HWP_GPUS, &inv), 0);
	assert_int_equal(hwp_get_parts(inv), HWP_CPU | HWP_GPUS);
	hwp_unref(inv);
	inv = NULL;
	/* A recorded machine can be neither recorded nor watched. */
	struct hwp_monitor *m = NULL;
	assert_int_equal(hwp_record(ctx, AT_FDCWD, 0, &inv), -EINVAL);
	assert_null(inv);
	assert_int_equal(hwp_monitor_open(ctx, 0, &m), -EINVAL);
	assert_null(m);
	hwp_close(ctx);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults), cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_no_tree),  cmocka_unit_test(test_escape),
		cmocka_unit_test(test_parts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
