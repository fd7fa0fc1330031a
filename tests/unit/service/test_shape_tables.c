#include "rules_fixture.h"
#include "service/shape.h"

static json_t *shaped(const struct shape *table, const char *text)
{
	struct fault err = FAULT_INIT;
	AUTO(json_decrefp) json_t *v = json_loads(text, 0, NULL);
	json_t *ret;

	assert_non_null(v);
	if (shape_apply(table, v, &ret, &err) < 0)
		fail_msg("%s: %s", text, fault_text(&err));
	return ret;
}

static void expect(const struct shape *table, const char *in, const char *out)
{
	AUTO(json_decrefp) json_t *v = shaped(table, in);
	AUTO(json_decrefp) json_t *want = json_loads(out, 0, NULL);
	assert_non_null(want);
	if (!json_equal(v, want)) {
		AUTO(freep) char *have = json_dumps(v, JSON_SORT_KEYS);
		fail_msg("%s became %s instead of %s", in, have, out);
	}
}

/* A value of the type of a field, other than empty. New reference. */
static json_t *sample(const struct shape *s)
{
	switch (s->type) {
	case SHAPE_STR:
		return json_string("text");
	case SHAPE_INT:
		return json_integer(7);
	case SHAPE_NUM:
		return json_real(1.5);
	case SHAPE_BOOL:
		return json_true();
	case SHAPE_STRS:
		return json_pack("[s]", "text");
	default:
		break;
	}
	json_t *obj = json_object();
	for (const struct shape *sub = s->sub; sub->key; sub++)
		json_object_set_new(obj, sub->key, sample(sub));
	return s->type == SHAPE_OBJS ? json_pack("[o]", obj) : obj;
}

static const struct {
	const char *name;
	const struct shape *table;
} tables[] = {
	{ "inventory", shape_inventory },
	{ "connectivity", shape_connectivity },
	{ "api_vip", shape_api_vip },
	{ "tang", shape_tang },
	{ "ntp", shape_ntp },
	{ "domains", shape_domains },
	{ "upgrade", shape_upgrade },
};

/* Everything that a table names survives, as deep as it goes, and nothing else. */
static void test_all_survives(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		struct fault err = FAULT_INIT;
		const struct shape root = { .type = SHAPE_OBJ, .sub = tables[i].table };
		AUTO(json_decrefp) json_t *in = sample(&root);
		AUTO(json_decrefp) json_t *want = json_deep_copy(in);
		AUTO(json_decrefp) json_t *out = NULL;
		json_object_set_new(in, "unknown", json_true());
		if (shape_apply(tables[i].table, in, &out, &err) < 0)
			fail_msg("%s: %s", tables[i].name, fault_text(&err));
		if (!json_equal(out, want))
			fail_msg("%s lost something", tables[i].name);
	}
}

/* A field of the wrong type is an error that names it; of every field. */
static void test_wrong_types(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		for (const struct shape *s = tables[i].table; s->key; s++) {
			struct fault err = FAULT_INIT;
			bool is_bool = s->type == SHAPE_BOOL;
			AUTO(json_decrefp)
			json_t *in =
				json_pack("{s:o}", s->key, is_bool ? json_integer(1) : json_true());
			json_t *out;
			assert_int_equal(shape_apply(tables[i].table, in, &out, &err), -EINVAL);
			assert_non_null(strstr(fault_text(&err), s->key));
		}
	}
}

/* Field names as the reference has them (assisted-v2 §6): a machine's own answer, word for word. */
static void test_inventory_fields(void **state)
{
	static const char all[] =
		"{\"hostname\":\"h\",\"bmc_address\":\"0.0.0.0\",\"bmc_v6address\":\"::/0\",\"tpm_version\":\"2.0\","
		"\"interfaces\":[{\"name\":\"eth0\",\"type\":\"physical\",\"mac_address\":\"52:54:00:00:00:01\",\"mtu\":1500,"
		"\"has_carrier\":true,\"speed_mbps\":-1,\"flags\":[\"up\"],\"vendor\":\"0x8086\",\"product\":\"0x1\",\"biosdevname\":\"b\","
		"\"client_id\":\"c\",\"ipv4_addresses\":[\"192.0.2.1/24\"],\"ipv6_addresses\":[\"2001:db8::1/64\"]}],"
		"\"disks\":[{\"name\":\"sda\",\"path\":\"/dev/sda\",\"by_path\":\"p\",\"by_id\":\"i\",\"id\":\"i\",\"drive_type\":\"SSD\","
		"\"model\":\"m\",\"serial\":\"s\",\"vendor\":\"v\",\"wwn\":\"w\",\"size_bytes\":1,\"hctl\":\"0:0:0:0\",\"bootable\":true,"
		"\"removable\":true,\"is_installation_media\":true,\"has_uuid\":true,\"holders\":\"dm-0\","
		"\"iscsi\":{\"host_ip_address\":\"192.0.2.1\"},\"partitionTypes\":\"t\",\"smart\":\"s\",\"io_perf\":{\"sync_duration\":1},"
		"\"installation_eligibility\":{\"eligible\":true,\"not_eligible_reasons\":[\"r\"]}}],"
		"\"boot\":{\"current_boot_mode\":\"uefi\",\"pxe_interface\":\"x\",\"command_line\":\"c\",\"secure_boot_state\":\"Enabled\","
		"\"device_type\":\"persistent\"},"
		"\"system_vendor\":{\"manufacturer\":\"m\",\"product_name\":\"p\",\"serial_number\":\"s\",\"virtual\":true},"
		"\"memory\":{\"physical_bytes\":1,\"physical_bytes_method\":\"ghw\",\"usable_bytes\":1},"
		"\"cpu\":{\"count\":1,\"architecture\":\"x86_64\",\"model_name\":\"m\",\"frequency\":2800.5,\"flags\":[\"f\"]},"
		"\"gpus\":[{\"address\":\"a\",\"vendor\":\"v\",\"vendor_id\":\"1\",\"device_id\":\"2\",\"name\":\"n\"}],"
		"\"routes\":[{\"interface\":\"eth0\",\"destination\":\"::\",\"gateway\":\"fe80::1\",\"family\":10,\"metric\":100}],"
		"\"truncation\":{\"type\":\"partial\",\"reasons\":[\"r\"]}}";

	expect(shape_inventory, all, all);
	/* in Go's spelling the names may be written in any case */
	expect(shape_upgrade, "{\"Agent_Image\":\"a\",\"RESULT\":\"success\"}",
	       "{\"agent_image\":\"a\",\"result\":\"success\"}");
}

/* Lists are always there, empty scalars never, but for what is required (assisted-v2 §1.2). */
static void test_empty(void **state)
{
	static const struct {
		const struct shape *table;
		const char *in, *out;
	} rows[] = {
		{ shape_inventory, "{}",
		  "{\"disks\":null,\"gpus\":null,\"interfaces\":null,\"routes\":null}" },
		{ shape_inventory, "{\"hostname\":\"\",\"disks\":[],\"cpu\":{\"count\":0}}",
		  "{\"disks\":[],\"gpus\":null,\"interfaces\":null,\"routes\":null,\"cpu\":{\"flags\":null}}" },
		{ shape_inventory,
		  "{\"interfaces\":[{\"name\":\"lo\",\"has_carrier\":false,\"mtu\":0}],\"truncation\":{}}",
		  "{\"disks\":null,\"gpus\":null,\"routes\":null,\"truncation\":{\"type\":\"\",\"reasons\":null},"
		  "\"interfaces\":[{\"name\":\"lo\",\"flags\":null,\"ipv4_addresses\":null,\"ipv6_addresses\":null}]}" },
		{ shape_connectivity, "{}", "{\"remote_hosts\":null}" },
		{ shape_api_vip, "{\"is_success\":false,\"url\":\"u\"}", "{\"url\":\"u\"}" },
		{ shape_tang, "{}", "{\"tang_server_response\":null}" },
		{ shape_ntp, "{\"ntp_sources\":[{}]}", "{\"ntp_sources\":[{}]}" },
		{ shape_domains, "{\"resolutions\":[{}]}",
		  "{\"resolutions\":[{\"cnames\":null,\"domain_name\":\"\",\"ipv4_addresses\":null,\"ipv6_addresses\":null}]}" },
		{ shape_upgrade, "{}", "{}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect(rows[i].table, rows[i].in, rows[i].out);
}

/* The measured numbers of a connectivity report stay what they are: integers or not. */
static void test_numbers(void **state)
{
	static const char report[] =
		"{\"remote_hosts\":[{\"host_id\":\"h\",\"l2_connectivity\":[{\"outgoing_nic\":\"e\",\"outgoing_ip_address\":\"a\","
		"\"remote_ip_address\":\"b\",\"remote_mac\":\"m\",\"successful\":true}],"
		"\"l3_connectivity\":[{\"average_rtt_ms\":0.41,\"packet_loss_percentage\":100,\"outgoing_nic\":\"e\",\"successful\":true,"
		"\"remote_ip_address\":\"b\"}],"
		"\"mtu_report\":[{\"outgoing_nic\":\"e\",\"remote_ip_address\":\"b\",\"mtu_successful\":true}]}]}";

	expect(shape_connectivity, report, report);
	AUTO(json_decrefp) json_t *bad = json_loads("{\"cpu\":{\"count\":1.5}}", 0, NULL);
	struct fault err = FAULT_INIT;
	json_t *out;
	assert_int_equal(shape_apply(shape_inventory, bad, &out, &err), -EINVAL);
	assert_string_equal(fault_text(&err), "count must be of type integer");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_survives),     cmocka_unit_test(test_wrong_types),
		cmocka_unit_test(test_inventory_fields), cmocka_unit_test(test_empty),
		cmocka_unit_test(test_numbers),
	};
	return cmocka_run_group_tests_name("shape_tables", tests, NULL, NULL);
}
