/* The BMC: what is asked, what is made of its answers, and that a slow one costs nobody else anything. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <semaphore.h>
#include <sys/socket.h>
#include "common/str.h"
#include "hwprobe/context.h"
#include "tests/unit/hwprobe/tree.h"

struct bmc_case {
	const char *name, *record, *v4, *v6;
};

/* netfn cmd data > completion code, data. 06 42: channel info (medium in the second byte); 0c 02: LAN parameters. */
static const struct bmc_case cases[] = {
	{ "no record", NULL, "0.0.0.0", "::/0" },
	{ "garbage", "hello\n> > >\n06 42 01\n06 42 01 > zz\n", "0.0.0.0", "::/0" },
	{ "channel 2 is the LAN",
	  "06 42 01 > 00 01 05 81\n06 42 02 > 00 02 04 81\n0c 02 02 03 00 00 > 00 11 c0 00 02 07\n",
	  "192.0.2.7", "::/0" },
	{ "first address that is set",
	  "06 42 01 > 00 01 04 81\n0c 02 01 03 00 00 > 00 11 00 00 00 00\n06 42 08 > 00 08 06 81\n"
	  "0c 02 08 03 00 00 > 00 11 c6 33 64 09\n",
	  "198.51.100.9", "::/0" },
	{ "answer too short", "06 42 01 > 00 01 04\n0c 02 01 03 00 00 > 00 11 c0 00\n", "0.0.0.0",
	  "::/0" },
	{ "refused", "06 42 01 > d4\n06 42 02 > 00 02 04\n0c 02 02 03 00 00 > 80\n", "0.0.0.0",
	  "::/0" },
	{ "v6 only: dynamic sets first, inactive and link-local ones left out",
	  "06 42 01 > 00 01 04 81\n0c 02 01 33 00 00 > 00 11 01\n0c 02 01 37 00 00 > 00 11 01 03 00\n"
	  "0c 02 01 3b 00 00 > 00 11 00 01 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01 40 01\n"
	  "0c 02 01 3b 01 00 > 00 11 01 01 fe 80 00 00 00 00 00 00 00 00 00 00 00 00 00 01 40 00\n"
	  "0c 02 01 3b 02 00 > 00 11 02 02 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02 80 00\n"
	  "0c 02 01 38 00 00 > 00 11 00 80 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 03 40 00\n",
	  "0.0.0.0", "2001:db8::2" },
	{ "static set",
	  "06 42 01 > 00 01 04 81\n0c 02 01 33 00 00 > 00 11 02\n0c 02 01 37 00 00 > 00 11 01 00 00\n"
	  "0c 02 01 38 00 00 > 00 11 00 80 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 03 40 00\n",
	  "0.0.0.0", "2001:db8::3" },
	{ "v6 not enabled",
	  "06 42 01 > 00 01 04 81\n0c 02 01 33 00 00 > 00 11 00\n0c 02 01 37 00 00 > 00 11 01 00 00\n"
	  "0c 02 01 38 00 00 > 00 11 00 80 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 03 40 00\n",
	  "0.0.0.0", "::/0" },
};

static void test_addresses(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tree t;
		tree_init(&t);
		if (cases[i].record)
			tree_file(&t, "ipmi.txt", cases[i].record);
		struct hwp_inventory *inv = tree_probe(&t, HWP_BMC);
		print_message("%s\n", cases[i].name);
		assert_string_equal(hwp_get_bmc_address(inv, AF_INET), cases[i].v4);
		assert_string_equal(hwp_get_bmc_address(inv, AF_INET6), cases[i].v6);
		hwp_unref(inv);
		tree_done(&t);
	}
}

/* --- what only the full format shows --------------------------------------------------------------------------- */

/* Channel 2: address by DHCP, a MAC, a mask, a gateway, VLAN 42 switched on. */
#define LAN_TALK                                                                         \
	"06 42 02 > 00 02 04 81\n0c 02 02 03 00 00 > 00 11 c0 00 02 07\n"                \
	"0c 02 02 04 00 00 > 00 11 02\n0c 02 02 05 00 00 > 00 11 0c c4 7a 01 02 03\n"    \
	"0c 02 02 06 00 00 > 00 11 ff ff ff 00\n0c 02 02 0c 00 00 > 00 11 c0 00 02 01\n" \
	"0c 02 02 14 00 00 > 00 11 2a 80\n"

static struct hwp_inventory *probe_full(struct tree *t)
{
	struct hwp_inventory *inv = NULL;
	struct hwp_options opt = { .parts = HWP_BMC, .flags = HWP_MORE };
	assert_int_equal(tree_try(t, opt, &inv), 0);
	return inv;
}

static void test_lan(void **state)
{
	struct tree t;
	tree_init(&t);
	tree_file(&t, "ipmi.txt", LAN_TALK);
	struct hwp_inventory *inv = probe_full(&t);
	const struct hwp_bmc *b = hwp_get_bmc(inv);
	assert_string_equal(b->address.s, "192.0.2.7");
	assert_string_equal(b->address.source, "ipmi");
	assert_int_equal(b->channel.v, 2);
	assert_string_equal(b->address_source.s, "dhcp");
	assert_string_equal(b->mac_address.s, "0c:c4:7a:01:02:03");
	assert_string_equal(b->netmask.s, "255.255.255.0");
	assert_string_equal(b->gateway.s, "192.0.2.1");
	assert_int_equal(b->vlan_id.v, 42);
	assert_null(b->is_without_driver.source);
	hwp_unref(inv);
	/* The wire format costs none of these questions. */
	inv = tree_probe(&t, HWP_BMC);
	assert_null(hwp_get_bmc(inv)->mac_address.s);
	hwp_unref(inv);
	/* Without the enable bit the number of a VLAN means nothing. */
	tree_file(&t, "ipmi.txt",
		  "06 42 01 > 00 01 04 81\n0c 02 01 03 00 00 > 00 11 c0 00 02 07\n"
		  "0c 02 01 14 00 00 > 00 11 2a 00\n");
	inv = probe_full(&t);
	assert_null(hwp_get_bmc(inv)->vlan_id.source);
	assert_null(hwp_get_bmc(inv)->address_source.s);
	hwp_unref(inv);
	assert_null(hwp_get_bmc(inv = tree_probe(&t, HWP_TPM)));
	hwp_unref(inv);
	tree_done(&t);
}

static void test_without_driver(void **state)
{
	/* type 38, 18 bytes: KCS at 0xca2; then the end */
	static const char table[] = "\x26\x12\x01\0\x01\x20\x20\xff\xa3\x0c\0\0\0\0\0\0\0\0\0\0"
				    "\x7f\x04\x02\0\0\0";
	struct tree t;
	tree_init(&t);
	tree_write(&t, "sys/firmware/dmi/tables/DMI", table, sizeof(table) - 1);
	struct hwp_inventory *inv = probe_full(&t);
	assert_string_equal(hwp_get_bmc(inv)->interface.s, "KCS");
	assert_true(hwp_get_bmc(inv)->is_without_driver.v);
	hwp_unref(inv);
	tree_file(&t, "dev/ipmi0", "");
	inv = probe_full(&t);
	assert_false(hwp_get_bmc(inv)->is_without_driver.v);
	assert_non_null(hwp_get_bmc(inv)->is_without_driver.source);
	hwp_unref(inv);
	tree_done(&t);
}

/* --- a BMC that takes its time ---------------------------------------------------------------------------------- */

static sem_t may_answer;
static int questions; /* atomic */

/* Says nothing until it may; then a LAN on channel 1 with the address 192.0.2.9. */
static int slow_bmc(uint8_t netfn, uint8_t cmd, const uint8_t *data, size_t len, uint8_t *ret,
		    size_t *ret_len)
{
	static const uint8_t info[] = { 1, 4, 0x81 }, address[] = { 0x11, 192, 0, 2, 9 };
	__atomic_add_fetch(&questions, 1, __ATOMIC_RELAXED);
	sem_wait(&may_answer);
	sem_post(&may_answer);
	bool is_info = netfn == 6 && cmd == 0x42 && data[0] == 1;
	bool is_address = netfn == 12 && cmd == 2 && data[0] == 1 && data[1] == 3;
	if (!is_info && !is_address)
		return 0xc9;
	*ret_len = is_info ? sizeof(info) : sizeof(address);
	memcpy(ret, is_info ? info : address, *ret_len);
	return 0;
}

static void wait_for_worker(struct hwp_ctx *ctx)
{
	struct bmc_answer answer;
	assert_int_equal(bmc_worker_wait(ctx->bmc.worker, time_mono_ms() + 10000, &answer), 0);
	free(answer.transcript);
}

static void test_hung(void **state)
{
	struct hwp_ctx *ctx;
	struct hwp_inventory *inv;
	const struct hwp_error *errors;
	const struct hwp_options opt = { .size = sizeof(opt), .bmc_timeout_ms = 30 };
	sem_init(&may_answer, 0, 0);
	assert_int_equal(hwp_open(&ctx, &opt), 0);
	ctx->bmc.exchange = slow_bmc;
	int64_t start = time_mono_ms();
	assert_int_equal(hwp_probe(ctx, HWP_BMC | HWP_TPM, &inv), 0);
	assert_true(time_mono_ms() - start >= 29 && time_mono_ms() - start < 5000);
	assert_string_equal(hwp_get_bmc_address(inv, AF_INET), "0.0.0.0");
	assert_non_null(hwp_get_tpm_version(inv));
	assert_int_equal(hwp_errors(inv, &errors), 1);
	assert_string_equal(errors[0].part, "bmc");
	assert_int_equal(errors[0].err, ETIMEDOUT);
	hwp_unref(inv);
	/* It goes on in the background, alone; the next probe has what it found. */
	sem_post(&may_answer);
	wait_for_worker(ctx);
	assert_int_equal(hwp_probe(ctx, HWP_BMC, &inv), 0);
	assert_string_equal(hwp_get_bmc_address(inv, AF_INET), "192.0.2.9");
	assert_int_equal(hwp_errors(inv, NULL), 0);
	hwp_unref(inv);
	hwp_close(ctx);
}

static void test_remembered(void **state)
{
	struct hwp_ctx *ctx;
	struct hwp_inventory *inv;
	questions = 0;
	assert_int_equal(hwp_open(&ctx, NULL), 0);
	ctx->bmc.exchange = slow_bmc;
	assert_int_equal(hwp_probe(ctx, HWP_BMC, &inv), 0);
	hwp_unref(inv);
	int asked = questions;
	assert_true(asked > 0);
	assert_int_equal(hwp_probe(ctx, HWP_BMC, &inv), 0);
	assert_int_equal(questions, asked);
	assert_true(ctx->bmc.until_ms > time_mono_ms() + 9 * 60 * 1000);
	hwp_unref(inv);

	/* Ten minutes later: the old answer at once, while a worker asks again. */
	sem_wait(&may_answer);
	ctx->bmc.until_ms = time_mono_ms();
	int64_t start = time_mono_ms();
	assert_int_equal(hwp_probe(ctx, HWP_BMC, &inv), 0);
	assert_true(time_mono_ms() - start < 4000);
	assert_string_equal(hwp_get_bmc_address(inv, AF_INET), "192.0.2.9");
	assert_int_equal(hwp_errors(inv, NULL), 0);
	assert_non_null(ctx->bmc.worker);
	hwp_unref(inv);
	/* Closing does not wait for it; it ends by itself. */
	hwp_close(ctx);
	sem_post(&may_answer);
}

static void test_recorded(void **state)
{
	struct tree t;
	struct hwp_ctx *ctx;
	struct hwp_inventory *inv;
	tree_init(&t);
	int dir = open(t.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(hwp_open(&ctx, NULL), 0);
	ctx->bmc.exchange = slow_bmc;
	assert_int_equal(hwp_probe(ctx, HWP_BMC, &inv), 0);
	hwp_unref(inv);
	/* What is remembered is asked again: it belongs into the record. */
	assert_int_equal(hwp_record(ctx, dir, HWP_BMC, &inv), 0);
	hwp_unref(inv);
	hwp_close(ctx);
	close(dir);
	inv = tree_probe(&t, HWP_BMC);
	assert_string_equal(hwp_get_bmc_address(inv, AF_INET), "192.0.2.9");
	hwp_unref(inv);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),      cmocka_unit_test(test_lan),
		cmocka_unit_test(test_without_driver), cmocka_unit_test(test_hung),
		cmocka_unit_test(test_remembered),     cmocka_unit_test(test_recorded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
