/* The command line and tables of words, scrubbed: what is gone, what stays, and nothing becomes longer. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "hwprobe/scrub.h"

struct text_case {
	const char *path, *data;
	const char *kept[3], *gone[3]; /* parts of the result */
};

static const struct text_case cases[] = {
	{ "proc/cmdline",
	  "quiet root=UUID=7f2b1bca-34fb console=ttyS0,115200n8 token=abc123def ro\n",
	  { "quiet root=", " console=ttyS0,115200n8 token=", " ro\n" },
	  { "7f2b1bca", "abc123def" } },
	/* The vendor's half of a MAC address stays, as everywhere. */
	{ "proc/cmdline",
	  "BOOTIF=01-52-54-00-12-34-56 ro",
	  { "BOOTIF=01-52-54-00-", " ro" },
	  { "12-34-56" } },
	{ "proc/cmdline", "BOOTIF=52:54:00:AB:CD:EF", { "BOOTIF=52:54:00:" }, { "AB:CD:EF" } },
	{ "proc/cmdline", "BOOTIF=eth0-customer9", { "BOOTIF=" }, { "customer9" } },
	/* Where the files are, but not whose server it is. */
	{ "proc/cmdline",
	  "coreos.live.rootfs_url=https://u:p4ss@files.customer-9.example/r.img coreos.liveiso=rhcos-4.18",
	  { "coreos.live.rootfs_url=https://", " coreos.liveiso=rhcos-4.18" },
	  { "customer", "p4ss" } },
	{ "proc/cmdline",
	  "root=live:http://10.11.12.13/squashfs.img root=live:CDLABEL=Example-39",
	  { "root=live:http://", " root=live:CDLABEL=Example-39" },
	  { "10.11.12.13" } },
	/* What tells the medium the system was booted from. */
	{ "proc/cmdline",
	  "inst.stage2=hd:LABEL=EXAMPLE-9-DVD inst.repo=https://mirror.customer-9.example/",
	  { "inst.stage2=hd:LABEL=EXAMPLE-9-DVD inst.repo=" },
	  { "customer" } },
	/* A password may be as silly as what firmware says. */
	{ "proc/cmdline",
	  "app.password=123456789 app.pin=0000 app.name=none",
	  { "app.password=", " app.pin=", " app.name=" },
	  { "123456789", "=0000", "=none" } },
	{ "sys/class/dmi/id/product_serial",
	  "0123456789ABCDEF\n",
	  { "0123456789ABCDEF\n" },
	  { NULL } },
	{ "sys/class/dmi/id/board_serial",
	  " To be filled by O.E.M. \n",
	  { " To be filled by O.E.M. \n" },
	  { NULL } },
	{ "proc/sys/kernel/hostname", "localhost\n", { "localhost\n" }, { NULL } },
	{ "proc/cmdline",
	  "app.key=\"two secret words\" quiet",
	  { "app.key=\"", "\" quiet" },
	  { "two", "secret", "words" } },
	{ "proc/cmdline",
	  "ip=192.0.2.7::192.0.2.1:24:db17:ens3:none",
	  { "ip=" },
	  { "192.0.2.7", "db17" } },
	{ "proc/cmdline", "", { "" }, { NULL } },
	{ "proc/cmdline", "\"", { "\"" }, { NULL } },
	{ "proc/sysinfo",
	  "Manufacturer:         IBM\nType:                 8561\nSequence Code:        00000000000B2C48\n"
	  "Plant:                02\nLPAR Name:            CUST7A\nVM00 Name:            DBHOST9\n"
	  "VM00 Control Program: z/VM    7.3.0\nVM00 UUID:            1a2b3c4d-0000\n",
	  { "Type:                 8561\nSequence Code:        ", "Plant:                02\n",
	    "VM00 Control Program: z/VM    7.3.0\n" },
	  { "0B2C48", "CUST7A", "DBHOST9" } },
	{ "proc/sysinfo",
	  "VM00 UUID:            1a2b3c4d-5e6f\n",
	  { "VM00 UUID: " },
	  { "1a2b3c4d" } },
	{ "proc/sysinfo", "LPAR Name", { "LPAR Name" }, { NULL } },
	{ "proc/cpuinfo",
	  "processor\t: 0\nHardware\t: BCM2711\nSerial\t\t: 10000000a1b2c3d4\nModel\t\t: Example Board\n",
	  { "Hardware\t: BCM2711\nSerial\t\t: ", "\nModel\t\t: Example Board\n" },
	  { "a1b2c3d4" } },
	{ "proc/cpuinfo",
	  "processor 0: version = FF,  identification = 0B2C48,  machine = 8561\nprocessor 1: version = FF,  identification = 1B2C49,  machine = 8561\n",
	  { "processor 0: version = FF,  identification = ", ",  machine = 8561\nprocessor 1" },
	  { "0B2C48", "1B2C49" } },
	{ "proc/cpuinfo",
	  "flags : fpu sse4_2 rdpid\nmodel name : Example(R) 6230 CPU @ 2.10GHz\n",
	  { "flags : fpu sse4_2 rdpid\nmodel name : Example(R) 6230 CPU @ 2.10GHz\n" },
	  { NULL } },
};

static void test_texts(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct text_case *c = &cases[i];
		const struct scrub s = { .key = "words" };
		char data[512];
		snprintf(data, sizeof(data), "%s", c->data);
		assert_int_equal(scrub_file(&s, c->path, data, strlen(data)), strlen(c->data));
		assert_int_equal(strlen(data), strlen(c->data));
		for (size_t k = 0; k < 3; k++) {
			if (c->kept[k] && !strstr(data, c->kept[k]))
				fail_msg("case %zu: \"%s\" is gone: %s", i, c->kept[k], data);
			if (c->gone[k] && strstr(data, c->gone[k]))
				fail_msg("case %zu: \"%s\" is left: %s", i, c->gone[k], data);
		}
	}
}

/* The address on the command line is that of the interface, in the record, too. */
static void test_bootif_is_the_interface(void **state)
{
	static const uint8_t mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };
	struct scrub s = { .key = "words" };
	char line[] = "BOOTIF=01-52-54-00-12-34-56", name[] = "52-54-00-12-34-56";
	scrub_add_mac(&s, mac);
	scrub_ready(&s);
	scrub_cmdline(&s, line, strlen(line));
	assert_true(scrub_apply(&s, name, strlen(name)));
	assert_string_equal(line + strlen("BOOTIF=01-"), name);
	arena_done(&s.mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_bootif_is_the_interface),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
