#include "rules_fixture.h"

#include <archive.h>
#include <archive_entry.h>

#include "common/buf.h"
#include "imagebuilder/cpio.h"
#include "service/ignition_look.h"
#include "service/static_network.h"

#define ENTRY(mac, name)                                                                         \
	"{\"network_yaml\":\"interfaces:\\n- name: " name                                        \
	"\\n\",\"mac_interface_map\":[{\"mac_address\":\"" mac "\",\"logical_nic_name\":\"" name \
	"\"},{\"mac_address\":\"52:54:00:00:00:01\",\"logical_nic_name\":\"other\"}]}"
#define TWO_HOSTS "[" ENTRY("52:54:00:00:00:0a", "eth0") "," ENTRY("52:54:00:00:00:0b", "eth1") "]"

#define MAP0 "52:54:00:00:00:01=other\n52:54:00:00:00:0a=eth0"
#define POLICY0                                                       \
	"capture:\n"                                                  \
	"  iface0: interfaces.mac-address == \"52:54:00:00:00:01\"\n" \
	"  iface1: interfaces.mac-address == \"52:54:00:00:00:0A\"\n" \
	"desiredState:\n"                                             \
	"  interfaces:\n"                                             \
	"  - name: \"{{ capture.iface1.interfaces.0.name }}\"\n"

static void test_check(void **state)
{
	static const struct {
		const char *entry, *text; /* NULL: good */
	} cases[] = {
		{ ENTRY("52:54:00:00:00:0a", "eth0"), NULL },
		{ "{}", "static_network_config.3 has no network_yaml" },
		{ "{\"network_yaml\":\"interfaces:\\n- name: a\"}", "needs at least one entry" },
		{ "{\"network_yaml\":\"x\",\"mac_interface_map\":[{\"mac_address\":\"52:54\",\"logical_nic_name\":\"a\"}]}",
		  "mac_interface_map.0.mac_address in body should be a MAC address" },
		{ "{\"network_yaml\":\"x\",\"mac_interface_map\":[{\"mac_address\":\"52:54:00:00:00:0a\"}]}",
		  "mac_interface_map.0 needs a logical_nic_name" },
		{ "{\"network_yaml\":\"x\",\"mac_interface_map\":[{\"mac_address\":\"52:54:00:00:00:0a\",\"logical_nic_name\":\"a\\nb\"}]}",
		  "needs a logical_nic_name" },
		{ "{\"network_yaml\":\"x\",\"mac_interface_map\":[{\"mac_address\":\"52:54:00:00:00:0a\",\"logical_nic_name\":\"a=b\"}]}",
		  "needs a logical_nic_name" },
		{ ENTRY("52:54:00:00:00:01", "eth0"), "twice" },
		{ ENTRY("52:54:00:00:00:0a", "other"), "twice" },
		{ "{\"network_yaml\":\"x\",\"mac_interface_map\":[{\"mac_address\":\"52:54:00:00:00:0a\",\"logical_nic_name\":\"a\"},"
		  "{\"mac_address\":\"52:54:00:00:00:0A\",\"logical_nic_name\":\"b\"}]}",
		  "twice" },
		{ "{\"network_yaml\":\"x\",\"mac_interface_map\":[{\"mac_address\":\"52:54:00:00:00:0a\",\"logical_nic_name\":\"a\"}]}",
		  "static_network_config.3.network_yaml, line 1" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(json_decrefp) json_t *v = json_loads(cases[i].entry, 0, NULL);
		struct fault err = FAULT_INIT;
		assert_non_null(v);
		int r = static_network_check(3, v, &err);
		if ((r == 0) != !cases[i].text ||
		    (cases[i].text && !strstr(err.text, cases[i].text)))
			fail_msg("%s -> %d %s", cases[i].entry, r, err.text);
	}
}

/* What is stored must be possible to serve: "- a" becomes twelve times as long. */
static void test_check_size(void **state)
{
	enum { LINES = 3990 };
	AUTO(buf_done) struct buf yaml;
	AUTO(json_decrefp) json_t *list = json_array();
	struct fault err = FAULT_INIT;

	buf_init(&yaml, 1u << 20);
	assert_int_equal(buf_append_str(&yaml, "interfaces:\n- name: a\nports:\n"), 0);
	for (int i = 0; i < LINES; i++)
		assert_int_equal(buf_append_str(&yaml, "- a\n"), 0);
	json_t *entry = json_pack("{s:s, s:[{s:s, s:s}]}", "network_yaml", yaml.data,
				  "mac_interface_map", "mac_address", "52:54:00:00:00:0a",
				  "logical_nic_name", "a");
	for (int i = 0; i < 150; i++)
		assert_int_equal(json_array_append(list, entry), 0);
	assert_int_equal(static_network_check_list(list, &err), 0);
	for (int i = 0; i < 50; i++)
		assert_int_equal(json_array_append(list, entry), 0);
	json_decref(entry);
	assert_int_equal(static_network_check_list(list, &err), -EINVAL);
	assert_string_equal(err.text, "static_network_config makes more than 32 MiB of files");
}

static void test_none(void **state)
{
	struct infra_env ie = { 0 };
	AUTO(buf_done) struct buf out;
	AUTO(json_decrefp) json_t *files = json_array(), *units = json_array();

	buf_init(&out, 1 << 20);
	for (int i = 0; i < 2; i++) {
		ie.static_network_config = i ? (char *)"[]" : NULL;
		assert_int_equal(static_network_tar(&ie, &out, NULL), 0);
		assert_int_equal(static_network_initrd(&ie, &out, NULL), 0);
		assert_int_equal(static_network_ignition(&ie, files, units, NULL), 0);
		assert_int_equal(out.len + json_array_size(files) + json_array_size(units), 0);
	}
	/* what the checks would have refused is not turned over */
	ie.static_network_config = (char *)"[{}]";
	assert_int_equal(static_network_tar(&ie, &out, NULL), -EINVAL);
	assert_int_equal(static_network_initrd(&ie, &out, NULL), -EINVAL);
	ie.static_network_config = (char *)"{";
	assert_int_equal(static_network_tar(&ie, &out, NULL), -EINVAL);
}

static void test_tar(void **state)
{
	struct infra_env ie = { .static_network_config = (char *)TWO_HOSTS };
	static const char *const names[] = {
		"/etc/assisted/network/host0/mac_interface.ini",
		"/etc/assisted/network/host0/ymlFile0.yml",
		"/etc/assisted/network/host1/mac_interface.ini",
		"/etc/assisted/network/host1/ymlFile1.yml",
	};
	AUTO(buf_done) struct buf out;
	struct archive *a = archive_read_new();
	struct archive_entry *e;
	size_t n = 0;

	buf_init(&out, 1 << 20);
	assert_int_equal(static_network_tar(&ie, &out, NULL), 0);
	archive_read_support_format_tar(a);
	assert_int_equal(archive_read_open_memory(a, out.data, out.len), ARCHIVE_OK);
	while (archive_read_next_header(a, &e) == ARCHIVE_OK) {
		char text[1024] = "";
		assert_true(n < ARRAY_SIZE(names));
		assert_string_equal(archive_entry_pathname(e), names[n]);
		assert_int_equal(archive_entry_perm(e), 0600);
		assert_true(archive_read_data(a, text, sizeof(text) - 1) > 0);
		if (n < 2)
			assert_string_equal(text, n ? POLICY0 : MAP0);
		n++;
	}
	assert_int_equal(n, ARRAY_SIZE(names));
	archive_read_free(a);
}

static const char *find_content(const json_t *files, const char *path, int mode)
{
	json_t *f;
	size_t i;

	json_array_foreach(files, i, f) {
		if (!strcmp(json_str(f, "path"), path)) {
			assert_int_equal(json_i64(f, "mode"), mode);
			return json_str(json_child(f, "contents"), "source");
		}
	}
	fail_msg("%s is not there", path);
	return NULL;
}

static void test_ignition(void **state)
{
	struct infra_env ie = { .static_network_config = (char *)TWO_HOSTS,
				.network_discovery_delay_seconds = 7 };
	AUTO(json_decrefp) json_t *files = json_array();
	AUTO(json_decrefp) json_t *units = json_array();
	AUTO(freep) char *text = NULL;
	size_t len;

	assert_int_equal(static_network_ignition(&ie, files, units, NULL), 0);
	assert_int_equal(json_array_size(files), 5);
	const char *source = find_content(files, "/etc/assisted/network/host0/ymlFile0.yml", 0600);
	assert_int_equal(data_url_decode(source, &text, &len), 0);
	assert_string_equal(text, POLICY0);
	find_content(files, "/usr/local/bin/pre-network-manager-config.sh", 0755);
	assert_int_equal(json_array_size(units), 1);
	const json_t *unit = json_array_get(units, 0);
	assert_string_equal(json_str(unit, "name"), "pre-network-manager-config.service");
	assert_non_null(
		strstr(json_str(unit, "contents"), "\nEnvironment=DISCOVERY_DELAY_SECONDS=7\n"));
	assert_non_null(strstr(json_str(unit, "contents"), "\nWantedBy=multi-user.target\n"));
}

/* The delay may be any number, but no medium waits longer than a day for it. */
static void test_delay(void **state)
{
	static const struct {
		int64_t delay;
		const char *text;
	} cases[] = {
		{ 0, "\nTimeoutSec=60\nEnvironment=DISCOVERY_DELAY_SECONDS=0\n" },
		{ 86400, "\nTimeoutSec=86460\nEnvironment=DISCOVERY_DELAY_SECONDS=86400\n" },
		{ INT64_MAX, "\nTimeoutSec=86460\nEnvironment=DISCOVERY_DELAY_SECONDS=86400\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct infra_env ie = { .static_network_config = (char *)TWO_HOSTS,
					.network_discovery_delay_seconds = cases[i].delay };
		AUTO(json_decrefp) json_t *files = json_array();
		AUTO(json_decrefp) json_t *units = json_array();
		assert_int_equal(static_network_ignition(&ie, files, units, NULL), 0);
		const char *text = json_str(json_array_get(units, 0), "contents");
		if (!strstr(text, cases[i].text))
			fail_msg("%lld: %s", (long long)cases[i].delay, text);
	}
}

static void gunzip(const struct buf *in, struct buf *out)
{
	struct archive *a = archive_read_new();
	struct archive_entry *e;
	char piece[4096];
	la_ssize_t n;

	archive_read_support_filter_gzip(a);
	archive_read_support_format_raw(a);
	assert_int_equal(archive_read_open_memory(a, in->data, in->len), ARCHIVE_OK);
	assert_int_equal(archive_read_next_header(a, &e), ARCHIVE_OK);
	while ((n = archive_read_data(a, piece, sizeof(piece))) > 0)
		assert_int_equal(buf_append(out, piece, (size_t)n), 0);
	assert_int_equal(n, 0);
	archive_read_free(a);
}

/* The members that are no folders: "NAME MODE\n". A folder must come before what is in it. */
static char *list_members(const struct buf *plain, const char *name, char *content, size_t size)
{
	struct cpio_reader r;
	struct cpio_member m;
	struct buf list, dirs;
	int e;

	buf_init(&list, 1 << 16);
	buf_init(&dirs, 1 << 16);
	buf_append_str(&dirs, "\n");
	cpio_reader_init(&r, plain->data, plain->len);
	while ((e = cpio_next(&r, &m, NULL)) > 0) {
		AUTO(freep) char *parent = str_dup(m.name);
		char *slash = strrchr(parent, '/');
		if (slash) {
			*slash = '\0';
			AUTO(freep) char *line = str_printf("\n%s\n", parent);
			if (!strstr(dirs.data, line))
				fail_msg("%s comes before its folder", m.name);
		}
		if ((m.mode & 0170000) == 0040000)
			buf_printf(&dirs, "%s\n", m.name);
		else
			buf_printf(&list, "%s %o\n", m.name, m.mode);
		if (!strcmp(m.name, name))
			snprintf(content, size, "%.*s", (int)m.len, (const char *)m.data);
	}
	assert_int_equal(e, 0);
	buf_done(&dirs);
	return buf_take(&list);
}

static void test_initrd(void **state)
{
	static const struct {
		const char *networks, *proxy, *members, *name, *content;
	} cases[] = {
		{ "[" ENTRY("52:54:00:00:00:0a", "eth0") "]", NULL,
		  "etc/assisted/network/host0/mac_interface.ini 100600\n"
		  "etc/assisted/network/host0/ymlFile0.yml 100600\n"
		  "usr/local/bin/pre-network-manager-config.sh 100755\n"
		  "etc/systemd/system/pre-network-manager-config.service 100644\n"
		  "etc/systemd/system/initrd.target.wants/pre-network-manager-config.service 120777\n",
		  "etc/assisted/network/host0/mac_interface.ini", MAP0 },
		{ NULL, "http://u:50%25@p:3128",
		  "etc/systemd/system/coreos-livepxe-rootfs.service.d/10-proxy.conf 100644\n",
		  "etc/systemd/system/coreos-livepxe-rootfs.service.d/10-proxy.conf",
		  "[Service]\nEnvironment=\"HTTP_PROXY=http://u:50%%25@p:3128\"\n"
		  "Environment=\"http_proxy=http://u:50%%25@p:3128\"\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct infra_env ie = { .static_network_config = (char *)cases[i].networks,
					.http_proxy = (char *)cases[i].proxy };
		AUTO(buf_done) struct buf out;
		AUTO(buf_done) struct buf again;
		AUTO(buf_done) struct buf plain;
		char content[1024] = "";
		buf_init(&out, 1 << 20);
		buf_init(&again, 1 << 20);
		buf_init(&plain, 1 << 20);
		assert_int_equal(static_network_initrd(&ie, &out, NULL), 0);
		assert_int_equal(static_network_initrd(&ie, &again, NULL), 0);
		assert_int_equal(out.len, again.len);
		assert_memory_equal(out.data, again.data, out.len);
		gunzip(&out, &plain);
		AUTO(freep)
		char *list = list_members(&plain, cases[i].name, content, sizeof(content));
		assert_string_equal(list, cases[i].members);
		assert_string_equal(content, cases[i].content);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),    cmocka_unit_test(test_check_size),
		cmocka_unit_test(test_none),     cmocka_unit_test(test_tar),
		cmocka_unit_test(test_ignition), cmocka_unit_test(test_delay),
		cmocka_unit_test(test_initrd),
	};
	return FIX_RUN(tests, 0);
}
