/*
 * The assisted document: types and keys of every value, of this machine and of all recorded ones; what is omitted and what never;
 * the truncation contract. With SLIPWAY_CORPUS the API's own schema is asked as well.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include "common/str.h"
#include "hwprobe/inventory.h"
#include "tests/unit/hwprobe/expected.h"
#include "tests/unit/hwprobe/tree.h"

/* --- the rules, as a table ------------------------------------------------------------------------------------- */

enum {
	S = JSON_STRING,
	I = JSON_INTEGER,
	R = JSON_REAL,
	B = JSON_TRUE,
	A = JSON_ARRAY,
	O = JSON_OBJECT
};

struct rule {
	const char *object, *key;
	int type;
	bool is_always;
	const char *values; /* words allowed, each with blanks around it; NULL = any */
};

static const struct rule rules[] = {
	{ "", "bmc_address", S, true },
	{ "", "bmc_v6address", S, true },
	{ "", "boot", O, true },
	{ "", "cpu", O, true },
	{ "", "disks", A, true },
	{ "", "gpus", A, true },
	{ "", "hostname", S },
	{ "", "interfaces", A, true },
	{ "", "memory", O, true },
	{ "", "routes", A, true },
	{ "", "system_vendor", O, true },
	{ "", "tpm_version", S, true, " none 1.2 2.0 " },
	{ "boot", "command_line", S },
	{ "boot", "current_boot_mode", S, true, " bios uefi " },
	{ "boot", "device_type", S, false, " persistent ephemeral " },
	{ "boot", "pxe_interface", S },
	{ "boot", "secure_boot_state", S, true, " Unknown NotSupported Enabled Disabled " },
	{ "cpu", "architecture", S },
	{ "cpu", "count", I },
	{ "cpu", "flags", A, true },
	{ "cpu", "frequency", R },
	{ "cpu", "model_name", S },
	{ "memory", "physical_bytes", I },
	{ "memory", "physical_bytes_method", S, false, " dmidecode ghw meminfo " },
	{ "memory", "usable_bytes", I },
	{ "system_vendor", "manufacturer", S },
	{ "system_vendor", "product_name", S },
	{ "system_vendor", "serial_number", S },
	{ "system_vendor", "virtual", B },
	{ "disks", "bootable", B },
	{ "disks", "by_id", S },
	{ "disks", "by_path", S },
	{ "disks", "drive_type", S, true,
	  " Unknown HDD FDD ODD SSD virtual Multipath iSCSI FC LVM RAID ECKD ECKD (ESE) FBA " },
	{ "disks", "has_uuid", B },
	{ "disks", "hctl", S },
	{ "disks", "holders", S },
	{ "disks", "id", S, true },
	{ "disks", "installation_eligibility", O, true },
	{ "disks", "is_installation_media", B },
	{ "disks", "iscsi", O },
	{ "disks", "model", S },
	{ "disks", "name", S, true },
	{ "disks", "path", S, true },
	{ "disks", "removable", B },
	{ "disks", "serial", S },
	{ "disks", "size_bytes", I },
	{ "disks", "vendor", S },
	{ "disks", "wwn", S },
	{ "installation_eligibility", "eligible", B, true },
	{ "installation_eligibility", "not_eligible_reasons", A, true },
	{ "iscsi", "host_ip_address", S, true },
	{ "gpus", "address", S, true },
	{ "gpus", "device_id", S },
	{ "gpus", "name", S },
	{ "gpus", "vendor", S },
	{ "gpus", "vendor_id", S },
	{ "interfaces", "biosdevname", S },
	{ "interfaces", "flags", A, true },
	{ "interfaces", "has_carrier", B },
	{ "interfaces", "ipv4_addresses", A, true },
	{ "interfaces", "ipv6_addresses", A, true },
	{ "interfaces", "mac_address", S },
	{ "interfaces", "mtu", I },
	{ "interfaces", "name", S, true },
	{ "interfaces", "product", S },
	{ "interfaces", "speed_mbps", I },
	{ "interfaces", "type", S, true },
	{ "interfaces", "vendor", S },
	{ "routes", "destination", S, true },
	{ "routes", "family", I, true },
	{ "routes", "gateway", S },
	{ "routes", "interface", S, true },
	{ "routes", "metric", I },
};

static bool is_type(const json_t *v, int type)
{
	return type == B   ? json_is_boolean(v)
	       : type == R ? json_is_number(v)
			   : json_typeof(v) == (json_type)type;
}

static const struct rule *rule_of(const char *object, const char *key)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (!strcmp(rules[i].object, object) && !strcmp(rules[i].key, key))
			return &rules[i];
	return NULL;
}

static int complain(const char *object, const char *key, const char *what)
{
	fprintf(stderr, "%s.%s: %s\n", object, key, what);
	return 1;
}

static bool is_allowed(const struct rule *r, const json_t *v)
{
	char word[128];
	if (!r->values)
		return true;
	snprintf(word, sizeof(word), " %s ", json_string_value(v));
	return strstr(r->values, word);
}

static int check_object(const char *object, const json_t *v);

static int check_value(const struct rule *r, const json_t *v)
{
	bool is_list_of_objects = rule_of(r->key, "name") || rule_of(r->key, "destination") ||
				  rule_of(r->key, "address");
	int bad = 0;
	size_t i;
	json_t *item;
	if (!is_type(v, r->type))
		return complain(r->object, r->key, "wrong type");
	if (!is_allowed(r, v))
		return complain(r->object, r->key, "value is not of the list");
	if (r->type == O)
		return check_object(r->key, v);
	if (!r->is_always && expected_is_empty(v))
		return complain(r->object, r->key, "empty, so it must be omitted");
	json_array_foreach(v, i, item) {
		if (is_list_of_objects)
			bad += check_object(r->key, item);
		else if (!json_is_string(item))
			bad += complain(r->object, r->key, "items must be strings");
	}
	return bad;
}

static int check_object(const char *object, const json_t *v)
{
	int bad = 0;
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)v, key, value) {
		const struct rule *r = rule_of(object, key);
		bad += r ? check_value(r, value) : complain(object, key, "unknown key");
	}
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].is_always && !strcmp(rules[i].object, object) &&
		    !json_object_get(v, rules[i].key))
			bad += complain(object, rules[i].key, "must be there");
	return bad;
}

/* --- the API's schema ------------------------------------------------------------------------------------------ */

static int schema_check(const json_t *definitions, const json_t *schema, const json_t *v,
			const char *path)
{
	static const struct {
		const char *name;
		int type;
	} types[] = { { "string", S },  { "integer", I }, { "number", R },
		      { "boolean", B }, { "array", A },   { "object", O } };
	const char *ref = json_string_value(json_object_get(schema, "$ref")), *type, *key;
	int bad = 0;
	size_t i;
	json_t *item;
	if (ref)
		return schema_check(definitions,
				    json_object_get(definitions, strrchr(ref, '/') + 1), v, path);
	type = json_string_value(json_object_get(schema, "type"));
	for (i = 0; type && i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(type, types[i].name) && !is_type(v, types[i].type))
			bad += complain("schema", path, "wrong type");
	json_t *values = json_object_get(schema, "enum");
	bool is_listed = !values;
	json_array_foreach(values, i, item)
		is_listed |= json_equal(item, v);
	bad += is_listed ? 0 : complain("schema", path, "value is not of the list");
	json_array_foreach(v, i, item)
		bad += schema_check(definitions, json_object_get(schema, "items"), item, path);
	json_object_foreach((json_t *)v, key, item) {
		json_t *sub = json_object_get(json_object_get(schema, "properties"), key);
		bad += sub ? schema_check(definitions, sub, item, key)
			   : complain("schema", key, "not in the schema");
	}
	return bad;
}

static json_t *load_schema(void)
{
	char file[512];
	const char *corpus = getenv("SLIPWAY_CORPUS");
	if (!corpus)
		return NULL;
	snprintf(file, sizeof(file), "%s/assisted/schema.json", corpus);
	json_t *schema = json_load_file(file, 0, NULL);
	assert_non_null(schema);
	return schema;
}

static void check_document(const json_t *v)
{
	assert_int_equal(check_object("", v), 0);
	json_t *schema = load_schema();
	json_t *definitions = json_object_get(schema, "definitions")
				      ? json_object_get(schema, "definitions")
				      : schema;
	if (schema)
		assert_int_equal(schema_check(definitions,
					      json_object_get(definitions, "inventory"), v,
					      "inventory"),
				 0);
	json_decref(schema);
}

/* --- tests ------------------------------------------------------------------------------------------------------ */

static json_t *document(const struct hwp_inventory *inv, size_t max_bytes)
{
	char *text = hwp_to_json(inv, HWP_JSON_ASSISTED, max_bytes);
	assert_non_null(text);
	if (max_bytes)
		assert_true(strlen(text) <= max_bytes);
	json_t *v = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(v);
	free(text);
	return v;
}

static void test_recorded_machines(void **state)
{
	char *paths[EXPECTED_MACHINES_MAX];
	size_t n = expected_machines("tests/data/roots", paths);
	assert_true(n > 0);
	for (size_t i = 0; i < n; i++) {
		json_t *v = expected_probe(paths[i], false);
		assert_non_null(v);
		check_document(v);
		json_decref(v);
		free(paths[i]);
	}
}

/* Byte for byte what jansson would have printed. */
static void check_text(const char *machine, const struct hwp_inventory *inv, enum hwp_format format)
{
	char *text = hwp_to_json(inv, format, 0);
	assert_non_null(text);
	json_error_t err;
	json_t *v = json_loads(text, JSON_REJECT_DUPLICATES, &err);
	if (!v)
		fail_msg("%s: %s at %d", machine, err.text, err.position);
	char *again = json_dumps(v, JSON_COMPACT | JSON_REAL_PRECISION(15));
	if (strcmp(text, again))
		fail_msg("%s: %s\nis not %s", machine, text, again);
	free(again);
	json_decref(v);
	free(text);
}

static void test_text_of_recorded_machines(void **state)
{
	char *paths[EXPECTED_MACHINES_MAX], root[1024];
	size_t n = expected_machines("tests/data/roots", paths);
	assert_true(n > 0);
	for (size_t i = 0; i < n; i++) {
		struct hwp_ctx *ctx;
		struct hwp_inventory *inv;
		snprintf(root, sizeof(root), "%s/root", paths[i]);
		struct hwp_options opt = { .size = sizeof(opt),
					   .sysroot = root,
					   .parts = HWP_ALL | HWP_LLDP,
					   .flags = HWP_MORE };
		assert_int_equal(hwp_open(&ctx, &opt), 0);
		assert_int_equal(hwp_probe(ctx, 0, &inv), 0);
		check_text(paths[i], inv, HWP_JSON_ASSISTED);
		check_text(paths[i], inv, HWP_JSON_FULL);
		hwp_unref(inv);
		hwp_close(ctx);
		free(paths[i]);
	}
}

static void test_this_machine(void **state)
{
	struct hwp_ctx *ctx;
	struct hwp_inventory *inv;
	assert_int_equal(hwp_open(&ctx, NULL), 0);
	assert_int_equal(hwp_probe(ctx, 0, &inv), 0);
	json_t *v = document(inv, 0);
	check_document(v);
	/* What any Linux machine has. */
	assert_true(hwp_get_cpu(inv)->count.v >= 1);
	assert_true(hwp_get_cpu(inv)->architecture.s);
	assert_true(hwp_get_memory(inv)->physical_bytes.v >= hwp_get_memory(inv)->usable_bytes.v);
	assert_true(hwp_get_memory(inv)->usable_bytes.v > 1 << 20);
	assert_non_null(hwp_get_hostname(inv));
	assert_true(hwp_nic_count(inv) >= 1);
	json_decref(v);
	hwp_unref(inv);
	hwp_close(ctx);
}

static void test_rules_can_fail(void **state)
{
	static const char *const wrong[] = {
		"{\"type\":\"physical\"}", "{\"flags\":1}",   "{\"mtu\":0}",
		"{\"speed_mbps\":\"1\"}",  "{\"unknown\":1}",
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		json_t *v = json_loads(wrong[i], 0, NULL);
		assert_int_not_equal(check_object("interfaces", v), 0);
		json_decref(v);
	}
}

static void test_lists_are_always_there(void **state)
{
	struct tree t;
	tree_init(&t);
	struct hwp_inventory *inv = tree_probe(&t, HWP_TPM);
	char *text = hwp_to_json(inv, HWP_JSON_ASSISTED, 0);
	assert_string_equal(
		text,
		"{\"tpm_version\":\"none\",\"disks\":[],\"gpus\":[],\"interfaces\":[],\"routes\":[]}");
	free(text);
	assert_null(hwp_get_cpu(inv));
	assert_null(hwp_get_hostname(inv));
	assert_int_equal(hwp_disk_count(inv), 0);
	hwp_unref(inv);
	tree_done(&t);
}

static void test_values_that_are_not_utf8(void **state)
{
	struct tree t;
	tree_init(&t);
	tree_file(&t, "sys/class/dmi/id/sys_vendor", "  Ven\xff\xfe\x01 <d&r>\xc3\xa9  \n");
	struct hwp_inventory *inv = tree_probe(&t, HWP_VENDOR);
	assert_string_equal(hwp_get_system_vendor(inv)->manufacturer.s, "Ven??\x01 <d&r>\xc3\xa9");
	json_decref(document(inv, 0));
	hwp_unref(inv);
	tree_done(&t);
}

static void test_full_has_sources(void **state)
{
	struct tree t;
	tree_init(&t);
	tree_file(&t, "sys/class/dmi/id/sys_vendor", "ACME\n");
	tree_file(&t, "proc/meminfo", "nonsense\n");
	struct hwp_inventory *inv = tree_probe(&t, HWP_VENDOR | HWP_MEMORY);
	char *text = hwp_to_json(inv, HWP_JSON_FULL, 0);
	json_t *v = json_loads(text, 0, NULL);
	json_t *m = json_object_get(json_object_get(v, "system_vendor"), "manufacturer");
	assert_string_equal(json_string_value(json_object_get(v, "schema")), "slipway.hwprobe/1");
	assert_string_equal(json_string_value(json_object_get(m, "value")), "ACME");
	assert_string_equal(json_string_value(json_object_get(m, "source")),
			    "sys/class/dmi/id/sys_vendor");
	json_t *e = json_array_get(json_object_get(v, "errors"), 0);
	assert_string_equal(json_string_value(json_object_get(e, "part")), "memory");
	assert_string_equal(json_string_value(json_object_get(e, "source")), "proc/meminfo");
	assert_int_equal(json_integer_value(json_object_get(e, "errno")), EBADMSG);
	json_decref(v);
	free(text);
	hwp_unref(inv);
	tree_done(&t);
}

/* Which values, objects and lists are left out of which format. */
static void test_empty_values(void **state)
{
	static const struct hwp_disk disk = {
		.name = { "x", "a" },
		.serial = { "", "b" }, /* looked for and empty */
		.removable = { false, "c" },
		.rpm = { 0, "d" },
		.size_bytes = { 7, NULL }, /* no source: not looked for */
		.iscsi.session = { "s", "e" },
	};
	static const char *const flags[] = { "f" };
	struct hwp_inventory inv = {
		.parts = HWP_DISKS | HWP_CPU | HWP_MEMORY | HWP_TPM | HWP_BMC,
		.disks = (struct hwp_disk *)&disk,
		.disk_count = 1,
		.cpu = { .flags = { (const char **)flags, 1, "g" },
			 .common_flags = { NULL, 0, "h" },
			 .frequency_mhz = { 0, "i" } },
	};
	static const char *const want[] = {
		[HWP_JSON_ASSISTED] =
			"{\"cpu\":{\"flags\":[\"f\"]},\"memory\":{},\"disks\":[{\"name\":\"x\",\"size_bytes\":7,"
			"\"installation_eligibility\":{\"eligible\":true,\"not_eligible_reasons\":[]}}],"
			"\"gpus\":[],\"interfaces\":[],\"routes\":[]}",
		[HWP_JSON_FULL] =
			"{\"schema\":\"slipway.hwprobe/1\",\"cpu\":{\"flags\":{\"value\":[],\"source\":\"h\"},"
			"\"frequency\":{\"value\":0.0,\"source\":\"i\"}},\"memory\":{},"
			"\"disks\":[{\"name\":{\"value\":\"x\",\"source\":\"a\"},"
			"\"removable\":{\"value\":false,\"source\":\"c\"},"
			"\"iscsi\":{\"session\":{\"value\":\"s\",\"source\":\"e\"}},"
			"\"rpm\":{\"value\":0,\"source\":\"d\"},"
			"\"installation_eligibility\":{\"eligible\":true,\"not_eligible_reasons\":[]}}],"
			"\"gpus\":[],\"interfaces\":[],\"routes\":[],\"errors\":[]}",
	};
	for (enum hwp_format f = HWP_JSON_ASSISTED; f <= HWP_JSON_FULL; f++) {
		char *text = hwp_to_json(&inv, f, 0);
		assert_non_null(text);
		assert_string_equal(text, want[f]);
		free(text);
	}
}

/* --- truncation --- */

enum { MANY_DISKS = 40 };

static void add_many_disks(struct tree *t)
{
	char name[128], text[64];
	for (int i = 0; i < MANY_DISKS; i++) {
		snprintf(name, sizeof(name), "sys/block/vd%c%c/size", 'a' + i / 26, 'a' + i % 26);
		tree_file(t, name, "2097152\n");
		snprintf(name, sizeof(name), "sys/block/vd%c%c/dev", 'a' + i / 26, 'a' + i % 26);
		snprintf(text, sizeof(text), "254:%d\n", i * 16);
		tree_file(t, name, text);
	}
	tree_file(
		t, "proc/self/mountinfo",
		"1 1 254:16 / / rw - ext4 /dev/vdab rw\n2 1 254:32 / /x rw - ext4 /dev/vdac rw\n");
	tree_file(t, "sys/block/nbd0/size", "2048\n");
	tree_file(t, "proc/cpuinfo", "processor : 0\nflags : fpu vmx sse sse2 avx avx2\n");
}

static size_t disks_in(const json_t *v)
{
	return json_array_size(json_object_get(v, "disks"));
}

static const char *truncation_in(const json_t *v)
{
	return json_string_value(json_object_get(json_object_get(v, "truncation"), "type"));
}

static void test_truncation(void **state)
{
	struct tree t;
	tree_init(&t);
	add_many_disks(&t);
	struct hwp_inventory *inv = tree_probe(&t, HWP_ALL);
	char *text = hwp_to_json(inv, HWP_JSON_ASSISTED, 0);
	size_t whole = strlen(text);
	free(text);
	assert_int_equal(hwp_disk_count(inv), MANY_DISKS + 1);

	json_t *v = document(inv, whole); /* exactly the limit: nothing is cut */
	assert_int_equal(disks_in(v), MANY_DISKS + 1);
	assert_null(truncation_in(v));
	json_decref(v);

	v = document(inv, whole - 1); /* one byte less: the three ineligible disks go */
	assert_string_equal(truncation_in(v), "partial");
	assert_int_equal(disks_in(v), MANY_DISKS - 2);
	json_decref(v);

	v = document(inv, whole / 2); /* of the eligible disks go as many as must */
	assert_string_equal(truncation_in(v), "partial");
	assert_true(disks_in(v) > 0 && disks_in(v) < MANY_DISKS - 2);
	/* Of the CPU flags those stay that the service asks for. */
	json_t *flags = json_object_get(json_object_get(v, "cpu"), "flags");
	assert_int_equal(json_array_size(flags), 1);
	assert_string_equal(json_string_value(json_array_get(flags, 0)), "vmx");
	json_decref(v);

	v = document(inv, 200);
	assert_string_equal(truncation_in(v), "full");
	assert_int_equal(json_object_size(v), 1);
	json_decref(v);

	v = document(inv, 40);
	assert_string_equal(truncation_in(v), "full");
	json_decref(v);
	hwp_unref(inv);
	tree_done(&t);
}

static void test_disk_min_size(void **state)
{
	struct tree t;
	struct hwp_inventory *inv = NULL;
	tree_init(&t);
	tree_files(&t, "sys/block/vda/size", "2048", "sys/block/vdb/size", "2047", NULL);
	assert_int_equal(
		tree_try(&t, (struct hwp_options){ .parts = HWP_DISKS, .disk_min_bytes = 1 << 20 },
			 &inv),
		0);
	assert_int_equal(hwp_disk_count(inv), 1);
	assert_string_equal(hwp_disk_at(inv, 0)->name.s, "vda");
	hwp_unref(inv);
	tree_done(&t);
}

static void test_references(void **state)
{
	struct tree t;
	tree_init(&t);
	struct hwp_inventory *inv = tree_probe(&t, HWP_TPM);
	assert_ptr_equal(hwp_ref(inv), inv);
	hwp_unref(inv);
	assert_string_equal(hwp_get_tpm_version(inv), "none");
	hwp_unref(inv);
	hwp_unref(NULL);
	tree_done(&t);
}

struct collected {
	char text[4096];
	size_t len;
	int answer;
};

static int collect(void *data, const void *bytes, size_t len)
{
	struct collected *c = data;
	assert_true(c->len + len < sizeof(c->text));
	memcpy(c->text + c->len, bytes, len);
	c->len += len;
	return c->answer;
}

static void test_write(void **state)
{
	struct tree t;
	tree_init(&t);
	tree_file(&t, "sys/block/vda/size", "4096");
	struct hwp_inventory *inv = tree_probe(&t, HWP_DISKS);
	for (enum hwp_format f = HWP_JSON_ASSISTED; f <= HWP_TEXT; f++) {
		struct collected c = { .answer = 0 };
		char *text = hwp_to_json(inv, f, 0);
		assert_int_equal(hwp_write(inv, f, 0, collect, &c), 0);
		assert_string_equal(c.text, text);
		free(text);
	}
	struct collected c = { .answer = -EPIPE };
	assert_int_equal(hwp_write(inv, HWP_JSON_ASSISTED, 100, collect, &c), -EPIPE);
	assert_true(c.len > 0 && c.len <= 100);
	hwp_unref(inv);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_recorded_machines),
		cmocka_unit_test(test_text_of_recorded_machines),
		cmocka_unit_test(test_this_machine),
		cmocka_unit_test(test_rules_can_fail),
		cmocka_unit_test(test_lists_are_always_there),
		cmocka_unit_test(test_values_that_are_not_utf8),
		cmocka_unit_test(test_full_has_sources),
		cmocka_unit_test(test_empty_values),
		cmocka_unit_test(test_truncation),
		cmocka_unit_test(test_disk_min_size),
		cmocka_unit_test(test_references),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
