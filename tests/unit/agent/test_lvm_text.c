/*
 * LVM2's own text: what is taken from it, and what is not that text.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include "agent/lvm_text.h"
#include "common/buf.h"
#include "tests/unit/agent/member_rig.h"

#define PVS LVM_PV("pv0", LVM_ID_A) LVM_PV("pv1", LVM_ID_B)
#define LVS LVM_LV("root", "segment1", "pv1", "2") LVM_LV("data", "segment1", "pv0", "0")

static void test_group(void **state)
{
	static const char text[] = LVM_VG("]", PVS, LVS);
	struct lvm_vg vg;

	assert_int_equal(lvm_text_parse(text, sizeof(text), &vg), 0);
	assert_string_equal(vg.name, "vg0");
	assert_string_equal(vg.id, "GGGGGGgggggggggggggggggggggggggg");
	assert_int_equal(vg.extent_sectors, 2048);
	assert_false(vg.is_shared);
	assert_int_equal(vg.pvs_n, 2);
	assert_string_equal(vg.pvs[1].name, "pv1");
	assert_string_equal(vg.pvs[1].id, LVM_SELF_B);
	assert_int_equal(vg.pvs[1].pe_start, 2048);
	assert_int_equal(vg.lvs_n, 2);
	assert_string_equal(vg.lvs[0].name, "root");
	assert_string_equal(vg.lvs[0].pv, "pv1");
	assert_int_equal(vg.lvs[0].extent, 2);
	assert_int_equal(vg.lvs[0].count, 20);
	lvm_vg_done(&vg);
}

/* Only the first segment tells where a volume begins; thin volumes are nowhere. */
static void test_other_segments(void **state)
{
	static const char text[] = LVM_VG("]", PVS, LVM_LV("late", "segment2", "pv0", "9"));
	struct lvm_vg vg;

	assert_int_equal(lvm_text_parse(text, sizeof(text), &vg), 0);
	assert_int_equal(vg.lvs_n, 1);
	assert_string_equal(vg.lvs[0].pv, "");
	lvm_vg_done(&vg);
}

static void test_shared(void **state)
{
	static const struct {
		const char *more;
		bool is_shared;
	} cases[] = {
		{ "]", false },
		{ ", \"CLUSTERED\"]", true },
		{ "]\nlock_type = \"sanlock\"", true },
		{ "]\nlock_type = \"none\"", false },
		{ "]\ndescription = \"CLUSTERED\"", false },
		/* ceph-volume's */
		{ "]\nlogical_volumes {\nosd-db {\ntags = [\"a\", \"ceph.osd_id=3\"]\n}\n}", true },
		{ "]\nlogical_volumes {\nosd-db {\ntags = [\"a\", \"cephalopod\"]\n}\n}", false },
		{ "]\ntags = [\"ceph.osd_id=3\"]", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(buf_done) struct buf text;
		struct lvm_vg vg;

		buf_init(&text, 1 << 16);
		assert_int_equal(buf_printf(&text,
					    "vg0 {\nid = \"x\"\nstatus = [\"READ\"%s\n"
					    "physical_volumes {\n%s}\n}\n",
					    cases[i].more, PVS),
				 0);
		assert_int_equal(lvm_text_parse(text.data, text.len, &vg), 0);
		if (vg.is_shared != cases[i].is_shared)
			fail_msg("%s", cases[i].more);
		lvm_vg_done(&vg);
	}
}

static void test_bad(void **state)
{
	static const char *const texts[] = {
		"",
		"vg0",
		"vg0 {",
		"}",
		"vg0 { id = }",
		"vg0 { id = \"x\" }",                              /* no devices */
		"vg0 { physical_volumes { pv0 { id = \"x\" } } }", /* no id */
		"vg0 { id = \"x\" physical_volumes { pv0 { } } } }",
		"vg0 { id = \"x\" physical_volumes { pv0 { } } } vg1 { }",
		"vg0 { id = \"x\" physical_volumes { pv0 { a = [ { ] } } }",
		"vg0 { id = \"x",
		"a { b { c { d { e { f { g { h { i { } } } } } } } } }",
		"= =",
		"vg0 \x01",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct lvm_vg vg;
		int r = lvm_text_parse(texts[i], strlen(texts[i]), &vg);

		if (r != -EBADMSG)
			fail_msg("%s: %d", texts[i], r);
	}
}

static int parse_many(size_t pvs)
{
	AUTO(buf_done) struct buf text;
	struct lvm_vg vg;

	buf_init(&text, 1 << 20);
	assert_int_equal(buf_printf(&text, "vg0 { id = \"x\" physical_volumes {"), 0);
	for (size_t i = 0; i < pvs; i++)
		assert_int_equal(buf_printf(&text, "pv%zu { id = \"i%zu\" }\n", i, i), 0);
	assert_int_equal(buf_printf(&text, "} }"), 0);
	int r = lvm_text_parse(text.data, text.len, &vg);
	if (r == 0) {
		assert_int_equal(vg.pvs_n, pvs);
		assert_string_equal(vg.pvs[pvs - 1].name, pvs == 1 ? "pv0" : "pv1023");
		lvm_vg_done(&vg);
	}
	return r;
}

static void test_limits(void **state)
{
	assert_int_equal(parse_many(1), 0);
	assert_int_equal(parse_many(LVM_PVS_MAX), 0);
	assert_int_equal(parse_many(LVM_PVS_MAX + 1), -EOVERFLOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_group),  cmocka_unit_test(test_other_segments),
		cmocka_unit_test(test_shared), cmocka_unit_test(test_bad),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
