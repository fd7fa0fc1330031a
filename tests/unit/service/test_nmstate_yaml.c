#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/str.h"
#include "service/nmstate_yaml.h"

static const struct nmstate_nic nics[] = {
	{ "52:54:00:00:00:0a", "eth0" },
	{ "52:54:00:00:00:02", "eth1" },
};

#define CAPTURE                                                       \
	"capture:\n"                                                  \
	"  iface0: interfaces.mac-address == \"52:54:00:00:00:0A\"\n" \
	"  iface1: interfaces.mac-address == \"52:54:00:00:00:02\"\n" \
	"desiredState:\n"
#define ETH0 "\"{{ capture.iface0.interfaces.0.name }}\""
#define ETH1 "\"{{ capture.iface1.interfaces.0.name }}\""

static void test_policy(void **state)
{
	static const struct {
		const char *yaml, *policy; /* policy: below CAPTURE */
	} cases[] = {
		{ "interfaces:\n- name: eth0\n", "  interfaces:\n  - name: " ETH0 "\n" },
		{ "---\ninterfaces:\n  - name: 'eth0' # the first\n    type: \"ethernet\"",
		  "  interfaces:\n    - name: " ETH0 " # the first\n      type: \"ethernet\"\n" },
		{ "interfaces:\r\n- type: ethernet\r\n  name: eth1\r\n",
		  "  interfaces:\r\n  - type: ethernet\r\n    name: " ETH1 "\r\n" },
		/* what is not an address by itself does not become one by DHCP */
		{ "interfaces:\n"
		  "- name: eth0\n"
		  "  ipv4:\n"
		  "    enabled: true\n"
		  "    address:\n"
		  "    - ip: 192.0.2.5\n"
		  "      prefix-length: 24\n"
		  "  ipv6:\n"
		  "      enabled: false\n"
		  "  mtu: 1500\n",
		  "  interfaces:\n"
		  "  - name: " ETH0 "\n"
		  "    ipv4:\n"
		  "      dhcp: false\n"
		  "      enabled: true\n"
		  "      address:\n"
		  "      - ip: 192.0.2.5\n"
		  "        prefix-length: 24\n"
		  "    ipv6:\n"
		  "        dhcp: false\n"
		  "        autoconf: false\n"
		  "        enabled: false\n"
		  "    mtu: 1500\n" },
		{ "interfaces:\n- name: eth0\n  ipv4:\n    enabled: true\n    dhcp: true\n  ipv6:\n    autoconf: true\n    dhcp: true\n",
		  "  interfaces:\n  - name: " ETH0
		  "\n    ipv4:\n      enabled: true\n      dhcp: true\n    ipv6:\n      autoconf: true\n      dhcp: true\n" },
		{ "interfaces:\n- name: eth0\n  ipv4: {enabled: true, dhcp: true}\n  ipv6:\n",
		  "  interfaces:\n  - name: " ETH0
		  "\n    ipv4: {enabled: true, dhcp: true}\n    ipv6:\n" },
		/* every place that names an interface, and none that does not */
		{ "interfaces:\n"
		  "- name: bond0\n"
		  "  type: bond\n"
		  "  description: eth0\n"
		  "  link-aggregation:\n"
		  "    mode: eth1\n"
		  "    port:\n"
		  "    - eth0\n"
		  "    - \"eth1\"\n"
		  "    - eth2\n"
		  "- name: eth0.100\n"
		  "  type: vlan\n"
		  "  vlan:\n"
		  "    base-iface: eth0\n"
		  "    id: 100\n"
		  "- name: br0\n"
		  "  type: linux-bridge\n"
		  "  bridge:\n"
		  "    port:\n"
		  "    - name: eth1\n"
		  "routes:\n"
		  "  config:\n"
		  "  - destination: 0.0.0.0/0\n"
		  "    next-hop-interface: eth0\n"
		  "dns-resolver:\n"
		  "  config:\n"
		  "    server:\n"
		  "    - eth0\n",
		  "  interfaces:\n"
		  "  - name: bond0\n"
		  "    type: bond\n"
		  "    description: eth0\n"
		  "    link-aggregation:\n"
		  "      mode: eth1\n"
		  "      port:\n"
		  "      - " ETH0 "\n"
		  "      - " ETH1 "\n"
		  "      - eth2\n"
		  "  - name: eth0.100\n"
		  "    type: vlan\n"
		  "    vlan:\n"
		  "      base-iface: " ETH0 "\n"
		  "      id: 100\n"
		  "  - name: br0\n"
		  "    type: linux-bridge\n"
		  "    bridge:\n"
		  "      port:\n"
		  "      - name: " ETH1 "\n"
		  "  routes:\n"
		  "    config:\n"
		  "    - destination: 0.0.0.0/0\n"
		  "      next-hop-interface: " ETH0 "\n"
		  "  dns-resolver:\n"
		  "    config:\n"
		  "      server:\n"
		  "      - eth0\n" },
		/* text that only looks like settings */
		{ "interfaces:\n- name: eth0\n  description: |\n    name: eth1\n      - x: {\n  # name: eth1 \"\n\n  state: up\n",
		  "  interfaces:\n  - name: " ETH0
		  "\n    description: |\n      name: eth1\n        - x: {\n    # name: eth1 \"\n\n    state: up\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(buf_done) struct buf out;
		struct fault err = FAULT_INIT;
		buf_init(&out, 1 << 16);
		assert_int_equal(nmstate_check("w", cases[i].yaml, nics, ARRAY_SIZE(nics), &err),
				 0);
		assert_int_equal(nmstate_policy(cases[i].yaml, nics, ARRAY_SIZE(nics), &out, &err),
				 0);
		assert_memory_equal(out.data, CAPTURE, strlen(CAPTURE));
		assert_string_equal(out.data + strlen(CAPTURE), cases[i].policy);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *yaml, *text; /* in the sentence */
	} cases[] = {
		{ "", "no list \"interfaces\"" },
		{ "# nothing\n", "no list \"interfaces\"" },
		{ "routes:\n  config: []\n", "no list \"interfaces\"" },
		{ "interfaces: []\n", "no list \"interfaces\"" },
		{ "interfaces:\n  name: eth0\n", "no list \"interfaces\"" },
		{ "a", "line 1: a list of keys" },
		{ "- interfaces\n", "line 1: a list of keys" },
		{ " interfaces:\n", "line 1: a list of keys" },
		{ "{\"interfaces\": [{\"name\": \"eth0\"}]}", "line 1: a list of keys" },
		{ "interfaces:\n- name: eth7\n  type: ethernet\n- name: eth0\n",
		  "line 2: interface eth7 is not in mac_interface_map" },
		{ "interfaces:\n- name: eth0\n- type: ethernet\n",
		  "line 3: an interface has no name" },
		{ "interfaces:\n- {name: eth0}\n", "line 2: names of interfaces" },
		{ "interfaces:\n- name: br0\n  bridge:\n    port: [eth1, x]\n",
		  "line 4: names of interfaces" },
		{ "interfaces:\n-\tname: eth0\n", "line 2: tabs" },
		{ "interfaces:\n- name: eth0\n\tmtu: 1\n", "line 3: tabs" },
		{ "interfaces:\n- name: \"eth0\n", "line 2: quoted text" },
		{ "interfaces:\n- name: &a eth0\n", "line 2: anchors" },
		{ "interfaces:\n- name: eth0\n- *a\n", "line 3: anchors" },
		{ "interfaces:\n- name: !!str eth0\n", "line 2: anchors" },
		{ "interfaces:\n- name: eth0\n  ipv4: {enabled: true,\n    dhcp: false}\n",
		  "line 3: [ ] and { }" },
		{ "interfaces:\n- name: eth0\n---\ninterfaces:\n",
		  "line 3: there must be one document" },
		{ "interfaces:\n- name: eth0\n...\n", "line 3: there must be one document" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fault err = FAULT_INIT;
		AUTO(buf_done) struct buf out;
		buf_init(&out, 1 << 16);
		int r = nmstate_check("w", cases[i].yaml, nics, ARRAY_SIZE(nics), &err);
		if (r != -EINVAL || !strstr(err.text, cases[i].text) || !str_starts(err.text, "w."))
			fail_msg("%s -> %d %s", cases[i].yaml, r, err.text);
		assert_int_equal(nmstate_policy(cases[i].yaml, nics, ARRAY_SIZE(nics), &out, NULL),
				 -EINVAL);
	}
}

/* @n lines of @line behind a good start. */
static char *lines(const char *line, size_t n)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	assert_int_equal(buf_append_str(&b, "interfaces:\n- name: eth0\n"), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(buf_append_str(&b, line), 0);
	return buf_take(&b);
}

static void test_limits(void **state)
{
	for (int above = 0; above < 2; above++) {
		int want = above ? -EINVAL : 0;
		AUTO(freep) char *many = lines("\n", (size_t)(NMSTATE_LINES_MAX - 2 + above));
		assert_int_equal(nmstate_check("w", many, nics, 2, NULL), want);

		AUTO(freep) char *large = lines("#", NMSTATE_YAML_MAX - 25 + (size_t)above);
		assert_int_equal(strlen(large), NMSTATE_YAML_MAX + (size_t)above);
		assert_int_equal(nmstate_check("w", large, nics, 2, NULL), want);

		AUTO(buf_done) struct buf deep;
		buf_init(&deep, 10000);
		buf_append_str(&deep, "interfaces:\n- name: eth0\n");
		for (int i = 2; i < NMSTATE_DEPTH_MAX + 1 + above; i++)
			buf_printf(&deep, "%*sa:\n", i, "");
		assert_int_equal(nmstate_check("w", deep.data, nics, 2, NULL), want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
