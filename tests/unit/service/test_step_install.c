#include "rules_fixture.h"
#include "service/step_args.h"

struct install_case {
	const char *what;
	const char *path, *json; /* change of the inventory; NULL = none */
	void (*prepare)(struct fixture *f);
	const char *installer_args; /* NULL = absent */
	const char *to_format;
};

static void user_args(struct fixture *f)
{
	str_set(&f->host.installer_args, "[\"--append-karg\",\"a=b\"]");
}

static void with_image(struct fixture *f)
{
	f->config.os_image_url = "http://s:8090/os-images/x/image.raw.zst";
}

static void for_this_host(struct fixture *f)
{
	with_image(f);
	f->ctx.os_image_url = "http://s:8090/os-images/y/image.raw.zst";
}

static void with_both(struct fixture *f)
{
	user_args(f);
	with_image(f);
}

static void own_image(struct fixture *f)
{
	with_image(f);
	str_set(&f->host.installer_args, "[\"--image-url\",\"http://mine\"]");
}

static void static_network(struct fixture *f)
{
	str_set(&f->ie.static_network_config, "[{\"network_yaml\":\"x\"}]");
}

static void machine_network(struct fixture *f)
{
	str_set(&f->cluster.extra,
		"{\"machine_networks\":[{\"cidr\":\"192.0.2.0/24\"},{\"cidr\":\"198.51.100.0/24\"}]}");
}

static void keeps_partitions(struct fixture *f)
{
	str_set(&f->host.installer_args, "[\"--save-partlabel\",\"data\"]");
}

static const struct install_case cases[] = {
	{ "plain", NULL, NULL, NULL, NULL, "[]" },
	{ "the user's", NULL, NULL, user_args, "[\"--append-karg\",\"a=b\"]", "[]" },
	{ "the service's image", NULL, NULL, with_image,
	  "[\"--image-url\",\"http://s:8090/os-images/x/image.raw.zst\"]", "[]" },
	{ "another image for this host", NULL, NULL, for_this_host,
	  "[\"--image-url\",\"http://s:8090/os-images/y/image.raw.zst\"]", "[]" },
	{ "both", NULL, NULL, with_both,
	  "[\"--append-karg\",\"a=b\",\"--image-url\",\"http://s:8090/os-images/x/image.raw.zst\"]",
	  "[]" },
	{ "the user's image wins", NULL, NULL, own_image, "[\"--image-url\",\"http://mine\"]",
	  "[]" },
	{ "static network", NULL, NULL, static_network, "[\"--copy-network\"]", "[]" },
	{ "machine network", NULL, NULL, machine_network,
	  "[\"--append-karg\",\"ip=52-54-00-00-00-01:dhcp\"]", "[]" },
	{ "multipath", "disks.0.drive_type", "\"Multipath\"", NULL,
	  "[\"--append-karg\",\"rw\",\"--append-karg\",\"rd.multipath=default\"]", "[]" },
	{ "RAID", "disks.0.drive_type", "\"RAID\"", NULL,
	  "[\"--append-karg\",\"rd.md=1\",\"--append-karg\",\"rd.auto=1\"]", "[]" },
	{ "bootable", "disks.0.bootable", "true", NULL, NULL, "[\"/dev/disk/by-id/d1\"]" },
	{ "bootable, but to be kept", "disks.0.bootable", "true", keeps_partitions,
	  "[\"--save-partlabel\",\"data\"]", "[]" },
	{ "s390x", "cpu", "{\"count\":2,\"architecture\":\"s390x\"}", NULL, NULL, "[]" },
};

static json_t *request_of(struct fixture *f)
{
	json_t *args = NULL;
	struct fault err = FAULT_INIT;
	assert_int_equal(step_args_install(&f->ctx, &f->host, &args, &err), 0);
	assert_int_equal(json_array_size(args), 1);
	json_t *request = json_loads(json_string_value(json_array_get(args, 0)), 0, NULL);
	json_decref(args);
	return request;
}

static void test_table(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture f;
		print_message("%s\n", cases[i].what);
		fix_init(&f, true);
		AUTO(freep)
		char *text = cases[i].path ? fix_changed(cases[i].path, cases[i].json)
					   : str_dup(fix_inventory);
		fix_post(&f, text);
		if (cases[i].prepare)
			cases[i].prepare(&f);
		AUTO(json_decrefp) json_t *request = request_of(&f);
		AUTO(freep)
		char *format = json_text(json_object_get(request, "disks_to_format"), false);
		assert_true(str_eq(json_str(request, "installer_args"), cases[i].installer_args));
		assert_string_equal(format, cases[i].to_format);
		assert_string_equal(json_str(request, "boot_device"), "/dev/disk/by-id/d1");
		assert_string_equal(json_str(request, "role"), "worker");
		assert_int_equal(json_flag(request, "skip_installation_disk_cleanup"),
				 cases[i].prepare == keeps_partitions);
		fix_done(&f);
	}
}

/* What somebody has named is told apart from what is only listed, to the agent that asks. */
static void test_named_disks(void **state)
{
	static const struct {
		const char *named;
		bool is_slipway, keeps;
		const char *want;
	} rows[] = {
		{ NULL, true, false, "[]" },
		{ "/dev/disk/by-id/d1,/dev/disk/by-id/d7", true, false,
		  "[\"/dev/disk/by-id/d1\",\"/dev/disk/by-id/d7\"]" },
		{ "/dev/disk/by-id/d1,/dev/disk/by-id/d7", true, true, "[\"/dev/disk/by-id/d7\"]" },
		{ "/dev/disk/by-id/d1", false, false, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fixture f;

		fix_init(&f, true);
		AUTO(freep) char *text = fix_changed("disks.0.bootable", "true");
		fix_post(&f, text);
		if (rows[i].keeps)
			keeps_partitions(&f);
		f.host.slipway_agent = rows[i].is_slipway;
		str_set(&f.host.formatting_disks, rows[i].named);
		AUTO(json_decrefp) json_t *request = request_of(&f);
		json_t *named = json_object_get(request, "disks_named");
		AUTO(freep) char *got = named ? json_text(named, false) : NULL;
		if (!str_eq(got, rows[i].want))
			fail_msg("row %zu: %s", i, got);
		assert_int_equal(json_array_size(json_object_get(request, "disks_to_format")),
				 !rows[i].keeps);
		fix_done(&f);
	}
}

/* iSCSI: the nic that reaches the disk must be configured before the root file system is there. */
static void test_iscsi(void **state)
{
	struct fixture f;
	fix_init(&f, true);
	AUTO(freep)
	char *text = fix_changed(
		"disks",
		"[{\"name\":\"sda\",\"path\":\"/dev/sda\",\"id\":\"i\",\"drive_type\":\"iSCSI\","
		"\"size_bytes\":100000000000,\"iscsi\":{\"host_ip_address\":\"192.0.2.5\"}}]");
	fix_post(&f, text);
	str_set(&f.host.installation_disk_id,
		"i"); /* on the default nic it is not eligible, but a user may insist */
	AUTO(json_decrefp) json_t *request = request_of(&f);
	assert_string_equal(
		json_str(request, "installer_args"),
		"[\"--append-karg\",\"rd.iscsi.firmware=1\",\"--append-karg\",\"ip=52-54-00-00-00-01:dhcp\"]");
	fix_done(&f);
}

static void test_s390x_arguments(void **state)
{
	struct fixture f;
	fix_init(&f, true);
	AUTO(json_decrefp) json_t *root = json_loads(fix_inventory, 0, NULL);
	json_object_set_new(json_object_get(root, "cpu"), "architecture", json_string("s390x"));
	json_object_set_new(json_object_get(root, "boot"), "command_line",
			    json_string("quiet rd.znet=qeth ip=1.2.3.4::x rd.dasd=0.0.1\n"));
	AUTO(freep) char *text = json_text(root, false);
	fix_post(&f, text);
	AUTO(json_decrefp) json_t *request = request_of(&f);
	assert_string_equal(
		json_str(request, "installer_args"),
		"[\"--append-karg\",\"rd.znet=qeth\",\"--append-karg\",\"ip=1.2.3.4::x\","
		"\"--append-karg\",\"rd.dasd=0.0.1\"]");
	fix_done(&f);
}

static void test_proxy(void **state)
{
	static const struct {
		const char *no_proxy, *want;
	} rows[] = {
		{ NULL, "127.0.0.1,localhost,.svc,.cluster.local,api-int.prod.example.com" },
		{ "a,b", "a,b,127.0.0.1,localhost,.svc,.cluster.local,api-int.prod.example.com" },
		{ "*", "*" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fixture f;
		fix_init(&f, true);
		fix_post(&f, fix_inventory);
		str_set(&f.cluster.http_proxy, "http://p:1");
		str_set(&f.cluster.no_proxy, rows[i].no_proxy);
		AUTO(json_decrefp) json_t *request = request_of(&f);
		json_t *proxy = json_object_get(request, "proxy");
		assert_string_equal(json_str(proxy, "http_proxy"), "http://p:1");
		assert_null(json_str(proxy, "https_proxy"));
		assert_string_equal(json_str(proxy, "no_proxy"), rows[i].want);
		fix_done(&f);
	}
}

static void test_nothing_to_install_on(void **state)
{
	struct fixture f;
	json_t *args = NULL;
	fix_init(&f, true);
	assert_int_equal(step_args_install(&f.ctx, &f.host, &args, NULL), 0);
	assert_null(args);
	fix_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table), cmocka_unit_test(test_named_disks),
		cmocka_unit_test(test_iscsi), cmocka_unit_test(test_s390x_arguments),
		cmocka_unit_test(test_proxy), cmocka_unit_test(test_nothing_to_install_on),
	};
	return FIX_RUN(tests, 0);
}
