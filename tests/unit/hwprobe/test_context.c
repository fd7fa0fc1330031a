/* Opening: defaults, callers of other ages, trees that are none or lead outside; what a probe takes and what it refuses. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
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

/* Part bits of a later library are left out; nothing else left is an error. */
static void test_unknown_parts(void **state)
{
	static const struct {
		unsigned parts, got; /* got == 0: refused */
	} cases[] = {
		{ ~(unsigned)HWP_LLDP, HWP_ALL },
		{ HWP_TPM | 1u << 31, HWP_TPM },
		{ 1u << 31, 0 },
		{ HWP_LLDP, HWP_LLDP | HWP_NICS },
	};
	struct tree t;
	struct hwp_ctx *ctx = NULL;
	tree_init(&t);
	struct hwp_options opt = { .size = sizeof(opt), .sysroot = t.dir };
	assert_int_equal(hwp_open(&ctx, &opt), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hwp_inventory *inv = NULL;
		assert_int_equal(hwp_probe(ctx, cases[i].parts, &inv), cases[i].got ? 0 : -EINVAL);
		assert_int_equal(hwp_get_parts(inv), cases[i].got);
		hwp_unref(inv);
	}
	hwp_close(ctx);
	tree_done(&t);
}

/* Without a size nobody knows what the caller has: not even that it wants a recorded machine. */
static void test_wrong_sizes(void **state)
{
	static const size_t sizes[] = { 0, sizeof(size_t), offsetof(struct hwp_options, parts),
					4097, SIZE_MAX };
	struct hwp_ctx *ctx = NULL;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		const struct hwp_options opt = { .size = sizes[i], .sysroot = "/" };
		assert_int_equal(hwp_open(&ctx, &opt), -EINVAL);
		assert_null(ctx);
	}
}

static int take_nothing(void *data, const void *bytes, size_t len)
{
	return 0;
}

/* What is not there is an error or nothing, never a crash. */
static void test_null(void **state)
{
	struct tree t;
	struct hwp_ctx *ctx = NULL;
	struct hwp_inventory *inv = NULL, *other = NULL;
	struct hwp_monitor *m = NULL;
	const struct hwp_error *errors = (const struct hwp_error *)&t;
	char *text = NULL;
	unsigned changed;
	tree_init(&t);
	const struct hwp_options opt = { .size = sizeof(opt), .sysroot = t.dir };
	assert_int_equal(hwp_open(&ctx, &opt), 0);
	assert_int_equal(hwp_probe(ctx, HWP_DISKS, &inv), 0);
	const int refused[] = {
		hwp_open(NULL, NULL),
		hwp_probe(NULL, 0, &other),
		hwp_probe(ctx, 0, NULL),
		hwp_refresh(NULL, inv, 0, &other),
		hwp_refresh(ctx, NULL, 0, &other),
		hwp_refresh(ctx, inv, 0, NULL),
		hwp_record(NULL, AT_FDCWD, 0, &other),
		hwp_write(NULL, HWP_TEXT, 0, take_nothing, NULL),
		hwp_write(inv, HWP_TEXT, 0, NULL, NULL),
		hwp_write(inv, (enum hwp_format)7, 0, take_nothing, NULL),
		hwp_diff(NULL, inv, &changed),
		hwp_diff(inv, NULL, &changed),
		hwp_explain(NULL, "cpu", &text),
		hwp_explain(inv, NULL, &text),
		hwp_explain(inv, "cpu", NULL),
		hwp_monitor_open(NULL, 0, &m),
		hwp_monitor_open(ctx, 0, NULL),
		hwp_monitor_fd(NULL),
		hwp_monitor_dispatch(NULL, &changed),
		hwp_monitor_refresh(NULL, inv, 0, &other),
	};
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (refused[i] != -EINVAL)
			fail_msg("call %zu answered %d", i, refused[i]);
	const void *const nothing[] = {
		hwp_ref(NULL),
		hwp_get_cpu(NULL),
		hwp_get_memory(NULL),
		hwp_get_boot(NULL),
		hwp_get_system_vendor(NULL),
		hwp_get_clock(NULL),
		hwp_get_hostname(NULL),
		hwp_get_tpm_version(NULL),
		hwp_get_tpm(NULL),
		hwp_get_bmc(NULL),
		hwp_get_bmc_address(NULL, 2),
		hwp_get_degraded(NULL),
		hwp_disk_at(NULL, 0),
		hwp_disk_at(inv, 0),
		hwp_disk_find(NULL, "/dev/sda"),
		hwp_disk_find(inv, NULL),
		hwp_nic_at(NULL, 0),
		hwp_route_at(NULL, 0),
		hwp_gpu_at(NULL, 0),
		hwp_to_json(NULL, HWP_JSON_FULL, 0),
		hwp_to_json(inv, (enum hwp_format)7, 0),
		hwp_to_text(NULL, 0),
	};
	for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++)
		if (nothing[i])
			fail_msg("call %zu answered something", i);
	assert_int_equal(hwp_get_parts(NULL), 0);
	assert_int_equal(hwp_disk_count(NULL) + hwp_nic_count(NULL) + hwp_route_count(NULL) +
				 hwp_gpu_count(NULL),
			 0);
	assert_int_equal(hwp_errors(NULL, &errors), 0);
	assert_null(errors);
	assert_null(other);
	assert_null(m);
	assert_null(text);
	hwp_unref(NULL);
	hwp_monitor_close(NULL);
	hwp_unref(inv);
	hwp_close(ctx);
	tree_done(&t);
}

/* A machine that was recorded without /sys is as incomplete as it was then. */
static void test_missing_sources(void **state)
{
	struct tree t;
	const struct hwp_error *errors;
	tree_init(&t);
	tree_file(&t, "missing.txt", "/sys 2\n/etc 2\n/proc\n/proc -1\nnonsense\n");
	struct hwp_inventory *inv = tree_probe(&t, HWP_TPM);
	assert_int_equal(hwp_errors(inv, &errors), 1);
	assert_string_equal(errors[0].part, "source");
	assert_string_equal(errors[0].source, "/sys");
	assert_int_equal(errors[0].err, ENOENT);
	hwp_unref(inv);
	tree_done(&t);
}

/* "No such name" is not the name that a disk does not have. */
static void test_find_nothing(void **state)
{
	struct tree t;
	tree_init(&t);
	tree_file(&t, "sys/block/sda/size", "2048\n");
	struct hwp_inventory *inv = tree_probe(&t, HWP_DISKS);
	assert_non_null(hwp_disk_find(inv, "/dev/sda"));
	assert_null(hwp_disk_find(inv, NULL));
	hwp_unref(inv);
	tree_done(&t);
}

/* A record into a folder that holds something already would not be that of this machine. */
static void test_record_needs_room(void **state)
{
	struct tree t;
	struct hwp_ctx *ctx = NULL;
	struct hwp_inventory *inv = NULL;
	tree_init(&t);
	const struct hwp_options opt = { .size = sizeof(opt), .log = tree_log, .log_data = &t };
	assert_int_equal(hwp_open(&ctx, &opt), 0);
	int dir = open(t.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir >= 0);
	assert_int_equal(hwp_record(ctx, dir, HWP_CPU, &inv), 0);
	hwp_unref(inv);
	inv = NULL;
	assert_int_equal(hwp_record(ctx, dir, HWP_CPU, &inv), -ENOTEMPTY);
	assert_null(inv);
	assert_non_null(strstr(t.log, "cannot record"));
	close(dir);
	assert_int_equal(hwp_record(ctx, dir, HWP_CPU, &inv), -EBADF);
	hwp_close(ctx);
	tree_done(&t);
}

struct job {
	const char *sysroot;       /* NULL = the running machine */
	struct hwp_inventory *inv; /* read by all threads at once */
	int rc;
};

static void *work(void *data)
{
	struct job *j = data;
	struct hwp_ctx *ctx = NULL;
	const struct hwp_options opt = { .size = sizeof(opt),
					 .sysroot = j->sysroot,
					 .flags = HWP_MORE | HWP_EXPLAIN };
	j->rc = hwp_open(&ctx, &opt);
	for (int i = 0; i < 5 && j->rc >= 0; i++) {
		struct hwp_inventory *inv = NULL;
		j->rc = hwp_probe(ctx, HWP_ALL & ~(unsigned)HWP_BMC, &inv);
		char *shared = hwp_to_json(j->inv, HWP_JSON_FULL, 0),
		     *own = inv ? hwp_to_json(inv, HWP_JSON_ASSISTED, 0) : NULL;
		if (!shared || !own || (inv && hwp_diff(j->inv, inv, NULL) < 0))
			j->rc = -ENOMEM;
		free(shared);
		free(own);
		hwp_unref(hwp_ref(j->inv));
		hwp_unref(inv);
	}
	hwp_close(ctx);
	hwp_unref(j->inv);
	return NULL;
}

/* A context belongs to one thread, a snapshot to all (best run with SAN=thread); the last one frees it. */
static void test_threads(void **state)
{
	enum { THREADS = 4 };
	struct tree t;
	pthread_t threads[THREADS];
	struct job jobs[THREADS];
	tree_init(&t);
	tree_files(&t, "sys/block/sda/size", "2048\n", "proc/meminfo", "MemTotal: 1 kB\n",
		   "proc/cpuinfo", "processor : 0\nmodel name : x\n", NULL);
	struct hwp_inventory *inv = tree_probe(&t, HWP_ALL);
	for (size_t i = 0; i < THREADS; i++) {
		jobs[i] = (struct job){ i % 2 ? t.dir : NULL, hwp_ref(inv), -1 };
		assert_int_equal(pthread_create(&threads[i], NULL, work, &jobs[i]), 0);
	}
	hwp_unref(inv);
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(jobs[i].rc, 0);
	}
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),        cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_no_tree),         cmocka_unit_test(test_escape),
		cmocka_unit_test(test_parts),           cmocka_unit_test(test_unknown_parts),
		cmocka_unit_test(test_threads),         cmocka_unit_test(test_null),
		cmocka_unit_test(test_wrong_sizes),     cmocka_unit_test(test_find_nothing),
		cmocka_unit_test(test_missing_sources), cmocka_unit_test(test_record_needs_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
