#include "rules_fixture.h"
#include "service/ignition_look.h"

static json_t *discovery(struct fixture *f, const char *token, const char *ca)
{
	AUTO(freep) char *text = NULL;
	struct fault err = FAULT_INIT;
	if (ignition_discovery(&f->ie, &f->config, "https://s.example.com:9543", token, ca, true,
			       &text, &err) != 0)
		fail_msg("%s", fault_text(&err));
	assert_int_equal(ignition_check(text, NULL), 0);
	return json_loads(text, 0, NULL);
}

static json_t *named(json_t *list, const char *key, const char *name)
{
	size_t i;
	json_t *item;
	json_array_foreach(list, i, item) {
		if (strcmp(json_str(item, key), name) == 0)
			return item;
	}
	return NULL;
}

static json_t *file_of(json_t *doc, const char *path)
{
	return named(json_object_get(json_object_get(doc, "storage"), "files"), "path", path);
}

static json_t *unit_of(json_t *doc, const char *name)
{
	return named(json_object_get(json_object_get(doc, "systemd"), "units"), "name", name);
}

static char *content_of(json_t *doc, const char *path)
{
	json_t *file = file_of(doc, path);
	char *text = NULL;
	size_t len;
	assert_non_null(file);
	assert_int_equal(
		data_url_decode(json_str(json_object_get(file, "contents"), "source"), &text, &len),
		0);
	return text;
}

static void test_smallest(void **state)
{
	struct fixture f;
	fix_init(&f, false);
	AUTO(json_decrefp) json_t *doc = discovery(&f, NULL, NULL);
	const char *unit = json_str(unit_of(doc, "agent.service"), "contents");
	assert_non_null(strstr(
		unit,
		"ExecStart=/usr/local/bin/agent --url https://s.example.com:9543 --infra-env-id " FIX_IE_ID
		" --agent-version registry.example.com/agent:1\n"));
	assert_null(strstr(unit, "--cacert"));
	assert_null(strstr(unit, "PROXY"));
	assert_null(file_of(doc, "/etc/slipway/agent.env"));
	assert_null(file_of(doc, "/root/.docker/config.json"));
	assert_int_equal(json_array_size(json_object_get(json_object_get(doc, "passwd"), "users")),
			 0);
	assert_null(json_object_get(json_object_get(doc, "ignition"), "proxy"));
	fix_done(&f);
}

static void test_rich(void **state)
{
	struct fixture f;
	fix_init(&f, false);
	str_set(&f.ie.ssh_authorized_key, "ssh-ed25519 A one\n\n ssh-rsa B two \n");
	str_set(&f.ie.http_proxy, "http://u:p%40@proxy.example.com:3128");
	str_set(&f.ie.no_proxy, "a, b");
	str_set(&f.ie.ntp_sources, "ntp.example.com,bad;rm");
	str_set(&f.ie.additional_trust_bundle, "BUNDLE\n");
	str_set(&f.ie.ignition_config_override,
		"{\"ignition\":{\"version\":\"3.2.0\"},\"storage\":{\"files\":[{\"path\":\"/etc/motd\",\"contents\":{\"source\":\"data:,mine\"}}]}}");
	secret_set(&f.ie.pull_secret, "{\"auths\":{}}");
	AUTO(json_decrefp) json_t *doc = discovery(&f, "a.b.c", "CA\n");

	const char *unit = json_str(unit_of(doc, "agent.service"), "contents");
	assert_non_null(strstr(unit, "\"HTTP_PROXY=http://u:p%%40@proxy.example.com:3128\""));
	assert_non_null(strstr(unit, "--cacert /etc/assisted-service/service-ca-cert.crt"));
	assert_null(strstr(unit, "a.b.c"));
	AUTO(freep) char *env = content_of(doc, "/etc/slipway/agent.env");
	assert_string_equal(env, "PULL_SECRET_TOKEN=a.b.c\n");
	assert_int_equal(json_i64(file_of(doc, "/etc/slipway/agent.env"), "mode"), 0600);
	assert_int_equal(json_i64(file_of(doc, "/root/.docker/config.json"), "mode"), 0600);
	AUTO(freep) char *ca = content_of(doc, "/etc/assisted-service/service-ca-cert.crt");
	assert_string_equal(ca, "CA\n");

	json_t *user = json_array_get(json_object_get(json_object_get(doc, "passwd"), "users"), 0);
	assert_int_equal(json_array_size(json_object_get(user, "sshAuthorizedKeys")), 2);
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(user, "sshAuthorizedKeys"), 1)),
		"ssh-rsa B two");
	json_t *proxy = json_object_get(json_object_get(doc, "ignition"), "proxy");
	assert_int_equal(json_array_size(json_object_get(proxy, "noProxy")), 2);

	AUTO(freep) char *ntp = content_of(doc, "/usr/local/bin/add-ntp-sources.sh");
	assert_non_null(strstr(ntp, "server ntp.example.com iburst"));
	assert_null(strstr(ntp, "rm"));
	AUTO(freep) char *motd = content_of(doc, "/etc/motd");
	assert_string_equal(motd, "mine"); /* the user's word is the last */
	assert_string_equal(json_str(json_object_get(doc, "ignition"), "version"), "3.2.0");
	fix_done(&f);
}

static void test_refusals(void **state)
{
	struct fixture f;
	char *text;
	struct fault err = FAULT_INIT;
	fix_init(&f, false);
	str_set(&f.ie.ignition_config_override, "{\"ignition\":{\"version\":\"2.0.0\"}}");
	assert_int_equal(
		ignition_discovery(&f.ie, &f.config, "https://s", NULL, NULL, true, &text, &err),
		-EINVAL);
	assert_true(err.text[0]);
	str_set(&f.ie.ignition_config_override, NULL);
	str_set(&f.ie.static_network_config, "[{}]");
	assert_int_equal(
		ignition_discovery(&f.ie, &f.config, "https://s", NULL, NULL, true, &text, &err),
		-EINVAL);
	fix_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_smallest),
		cmocka_unit_test(test_rich),
		cmocka_unit_test(test_refusals),
	};
	return FIX_RUN(tests, 0);
}
