#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "agent/ignition_filter.h"
#include "common/cleanup.h"

static void test_filters(void **state)
{
	const struct {
		const char *what, *in, *out;
	} rows[] = {
		{ "kept whole", "{\"ignition\":{\"version\":\"3.2.0\"},\"passwd\":{\"users\":[]}}",
		  "{\"ignition\":{\"version\":\"3.2.0\"},\"passwd\":{\"users\":[]}}" },
		{ "only the three files",
		  "{\"ignition\":{\"version\":\"3.2.0\"},\"storage\":{\"files\":["
		  "{\"path\":\"/etc/kubernetes/manifests/coredns.yaml\",\"mode\":420},{\"path\":\"/etc/shadow\"},"
		  "{\"path\":\"/etc/kubernetes/manifests/keepalived.yaml\"},{\"path\":\"/etc/kubernetes/kubeconfig\"},{}]}}",
		  "{\"ignition\":{\"version\":\"3.2.0\"},\"storage\":{\"files\":["
		  "{\"path\":\"/etc/kubernetes/manifests/coredns.yaml\",\"mode\":420},"
		  "{\"path\":\"/etc/kubernetes/manifests/keepalived.yaml\"},{\"path\":\"/etc/kubernetes/kubeconfig\"}]}}" },
		{ "LUKS stays, units go",
		  "{\"ignition\":{\"version\":\"3.2.0\"},\"storage\":{\"luks\":[{\"name\":\"root\"}],\"files\":[{\"path\":\"/x\"}]},"
		  "\"systemd\":{\"units\":[{\"name\":\"kubelet.service\"}]}}",
		  "{\"ignition\":{\"version\":\"3.2.0\"},\"storage\":{\"luks\":[{\"name\":\"root\"}]},\"systemd\":{}}" },
		{ "odd types are left alone",
		  "{\"ignition\":{\"version\":\"3.2.0\"},\"storage\":[1],\"systemd\":7}",
		  "{\"ignition\":{\"version\":\"3.2.0\"},\"storage\":[1],\"systemd\":7}" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(freep) char *out = NULL;
		assert_int_equal(ignition_filter(rows[i].in, strlen(rows[i].in), &out, NULL), 0);
		if (strcmp(out, rows[i].out))
			fail_msg("%s: %s", rows[i].what, out);
	}
}

static void test_refuses(void **state)
{
	static const char *const rows[] = {
		"",
		"no JSON",
		"[]",
		"{}",
		"{\"ignition\":{}}",
		"{\"ignition\":{\"version\":3}}",
		"\"ignition\"",
		"<html><body>Sign in to the hotel network</body></html>",
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *out = NULL;
		struct fault err = FAULT_INIT;
		assert_int_equal(ignition_filter(rows[i], strlen(rows[i]), &out, &err), -EINVAL);
		assert_null(out);
		assert_non_null(strstr(err.text, "Ignition config"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_filters),
					    cmocka_unit_test(test_refuses) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
