#include "validate_fixture.h"
#include "service/connection.h"

#define SECONDS 1000000ll

static void test_rules(void **state)
{
	static const struct fix_rule rows[] = {
		{ "connected", 1, 1, 0, 1, 0, 0 },
		{ "media-connected", 1, 1, 0, 1, 0, 1 },
		{ "machine-cidr-defined", 0, 1, 0, 1, 0, 0 },
		{ "belongs-to-machine-cidr", 0, 1, 0, 1, 0, 1 },
		{ "ignition-downloadable", 0, 1, 0, 1, 0, 1 },
		{ "belongs-to-majority-group", 0, 1, 0, 1, 0, 1 },
		{ "mtu-valid", 0, 1, 0, 0, 0, 1 },
		{ "valid-platform-network-settings", 1, 1, 0, 1, 0, 1 },
		{ "ntp-synced", 1, 1, 0, 0, 0, 1 },
		{ "time-synced-between-host-and-service", 1, 1, 0, 1, 0, 1 },
		{ "container-images-available", 1, 1, 0, 1, 0, 1 },
		{ "sufficient-network-latency-requirement-for-role", 0, 1, 0, 1, 0, 1 },
		{ "sufficient-packet-loss-requirement-for-role", 0, 1, 0, 1, 0, 1 },
		{ "has-default-route", 1, 1, 0, 1, 0, 1 },
		{ "api-domain-name-resolved-correctly", 0, 1, 0, 1, 0, 1 },
		{ "api-int-domain-name-resolved-correctly", 0, 1, 0, 1, 0, 1 },
		{ "apps-domain-name-resolved-correctly", 0, 1, 0, 1, 0, 1 },
		{ "dns-wildcard-not-configured", 0, 1, 0, 1, 0, 1 },
		{ "non-overlapping-subnets", 0, 1, 0, 1, 0, 1 },
		{ "no-ip-collisions-in-network", 1, 1, 0, 1, 0, 1 },
	};

	fix_check_rules(validation_network, rows, ARRAY_SIZE(rows));
}

/* Three minutes of silence are allowed, not a microsecond more; from the reboot on silence is expected (assisted-v2 §7.3). */
static void test_connected(void **state)
{
	static const struct {
		int64_t silent_us;
		enum stage stage;
		enum validation_status want;
	} rows[] = {
		{ 0, STAGE_NONE, OK },
		{ 180 * SECONDS, STAGE_NONE, OK },
		{ 180 * SECONDS + 1, STAGE_NONE, NO },
		{ 180 * SECONDS + 1, STAGE_WAITING_FOR_CONTROL_PLANE, NO },
		{ 3600 * SECONDS, STAGE_REBOOTING, OK },
		{ 3600 * SECONDS, STAGE_CONFIGURING, OK },
		{ 3600 * SECONDS, STAGE_DONE, OK },
		/* its last visit is in our future: the clock was set back */
		{ -3600 * SECONDS, STAGE_NONE, OK },
	};
	struct fixture f;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fix_host(&f, true, NULL, NULL);
		f.ctx.silence_from_us = FIX_NOW_US - 7200 * SECONDS;
		f.host.stage = rows[i].stage;
		f.host.checked_in_at = FIX_NOW_US - rows[i].silent_us;
		if (rows[i].silent_us < 0)
			f.ctx.silence_from_us = FIX_NOW_US;
		fix_expect(&f, "connected", rows[i].want, NULL);
		fix_done(&f);
	}
	fix_host(&f, false, NULL, NULL);
	f.host.checked_in_at = 0;
	fix_expect(&f, "connected", OK, NULL); /* it never was here */
	f.host.checked_in_at = FIX_NOW_US - 181 * SECONDS;
	fix_expect(&f, "connected", NO, "does not talk to the service");
	f.config.max_disconnection_ms = 181 * 1000;
	fix_expect(&f, "connected", OK, NULL);
	fix_done(&f);
}

static void test_media(void **state)
{
	static const struct {
		int media;
		enum validation_status want;
	} rows[] = {
		{ HOST_MEDIA_UNKNOWN, OK },
		{ HOST_MEDIA_CONNECTED, OK },
		{ HOST_MEDIA_DISCONNECTED, NO },
	};
	struct fixture f;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fix_host(&f, i % 2, NULL, NULL);
		f.host.media_disconnected = rows[i].media;
		fix_expect(&f, "media-connected", rows[i].want, NULL);
		fix_done(&f);
	}
}

static void test_download(void **state)
{
	static const struct {
		const char *reply;
		enum validation_status want;
		const char *text;
	} rows[] = {
		{ NULL, WAIT, "Waiting for the host to try" },
		{ "", WAIT, NULL },
		{ "{\"is_success\":true}", OK, NULL },
		{ "{\"is_success\":false,\"url\":\"http://a\",\"download_error\":\"e\"}", NO,
		  "from http://a (e)" },
		{ "{\"url\":\"http://a\"}", NO, "from http://a (no reason given)" },
		{ "{}", NO, "from the cluster (no reason given)" },
		{ "no JSON", WAIT, NULL },
	};
	struct fixture f;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fix_host(&f, true, NULL, NULL);
		str_set(&f.host.api_vip_connectivity, rows[i].reply);
		fix_expect(&f, "ignition-downloadable", rows[i].want, rows[i].text);
		fix_done(&f);
	}
	fix_host(&f, false, NULL, NULL);
	fix_expect(&f, "ignition-downloadable", ABSENT, NULL);
	fix_done(&f);
}

static void test_platform(void **state)
{
	static const struct {
		const char *product;
		enum validation_status want;
	} rows[] = {
		{ "\"OpenStack Compute\"", NO },
		{ "\"OpenStack Computer\"", OK },
		{ "\"openstack compute\"", OK },
		{ "\"KVM\"", OK },
		{ "\"\"", OK },
		{ NULL, OK },
	};
	struct fixture f;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fix_host(&f, true, "system_vendor.product_name", rows[i].product);
		fix_expect(&f, "valid-platform-network-settings", rows[i].want, NULL);
		fix_done(&f);
	}
}

static void test_ntp(void **state)
{
	static const struct {
		const char *sources;
		enum validation_status pool, bound;
	} rows[] = {
		{ NULL, ABSENT, NO },
		{ "[]", ABSENT, NO },
		{ "null", ABSENT, NO },
		{ "no JSON", ABSENT, NO },
		{ "[{\"source_name\":\"a\",\"source_state\":\"combined\"}]", ABSENT, NO },
		{ "[{\"source_name\":\"a\"}]", ABSENT, NO },
		{ "[{\"source_name\":\"a\",\"source_state\":\"unreachable\"},"
		  "{\"source_name\":\"b\",\"source_state\":\"synced\"}]",
		  OK, OK },
	};
	struct fixture f;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (int bound = 0; bound < 2; bound++) {
			fix_host(&f, bound, NULL, NULL);
			str_set(&f.host.ntp_sources, rows[i].sources);
			fix_expect(&f, "ntp-synced", bound ? rows[i].bound : rows[i].pool, NULL);
			fix_done(&f);
		}
	}
}

/* The host's clock is held against ours of the moment when it told it, not of now. */
static void test_clocks(void **state)
{
	static const struct {
		int64_t ahead_s;
		enum validation_status want;
		const char *text;
	} rows[] = {
		{ 0, OK, NULL },
		{ -20 * 60, OK, NULL },
		{ -20 * 60 - 1, NO, "more than 20 minutes slow" },
		{ 60 * 60, OK, NULL },
		{ 60 * 60 + 1, NO, "more than 60 minutes fast" },
		{ -253402300799ll, NO, "slow" },
		{ 253402300799ll, NO, "fast" },
	};
	struct fixture f;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fix_host(&f, true, NULL, NULL);
		f.host.checked_in_at = FIX_NOW_US - 7200 * SECONDS;
		f.host.timestamp = f.host.checked_in_at / SECONDS + rows[i].ahead_s;
		fix_expect(&f, "time-synced-between-host-and-service", rows[i].want, rows[i].text);
		fix_done(&f);
	}
	fix_host(&f, true, NULL, NULL);
	f.host.timestamp = 0;
	fix_expect(&f, "time-synced-between-host-and-service", WAIT, "has not told its time");
	fix_done(&f);
}

static void test_default_route(void **state)
{
	static const struct {
		const char *routes;
		enum validation_status want;
	} rows[] = {
		{ "[{\"destination\":\"0.0.0.0\",\"gateway\":\"192.0.2.1\"}]", OK },
		{ "[{\"destination\":\"::\",\"gateway\":\"fe80::1\"}]", OK },
		{ "[{\"destination\":\"0.0.0.0\"}]", NO },
		{ "[{\"destination\":\"0.0.0.0\",\"gateway\":\"\"}]", NO },
		{ "[{\"destination\":\"10.0.0.0\",\"gateway\":\"192.0.2.1\"}]", NO },
		{ "[{\"gateway\":\"192.0.2.1\"}]", NO },
		{ "[{\"destination\":\"10.0.0.0\",\"gateway\":\"192.0.2.1\"},"
		  "{\"destination\":\"::\",\"gateway\":\"fe80::1\"}]",
		  OK },
		{ "[]", NO },
		{ "null", NO },
	};
	struct fixture f;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fix_host(&f, true, "routes", rows[i].routes);
		fix_expect(&f, "has-default-route", rows[i].want, NULL);
		fix_done(&f);
	}
}

/* What only a new cluster needs passes for a host that joins, and is not shown for a pool host (assisted-v2 §7.4). */
static void test_not_for_joining(void **state)
{
	static const char *const ids[] = {
		"machine-cidr-defined",
		"belongs-to-machine-cidr",
		"belongs-to-majority-group",
		"mtu-valid",
		"sufficient-network-latency-requirement-for-role",
		"sufficient-packet-loss-requirement-for-role",
		"dns-wildcard-not-configured",
	};
	struct fixture bound, pool;

	fix_init(&bound, true);
	fix_init(&pool, false);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		fix_expect(&bound, ids[i], OK, "Not needed for a host that joins");
		fix_expect(&pool, ids[i], ABSENT, NULL);
	}
	fix_expect(&bound, "container-images-available", OK, NULL);
	fix_expect(&pool, "container-images-available", OK, NULL);
	fix_expect(&bound, "no-ip-collisions-in-network", OK, NULL);
	fix_expect(&pool, "no-ip-collisions-in-network", OK, NULL);
	fix_done(&bound);
	fix_done(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),           cmocka_unit_test(test_connected),
		cmocka_unit_test(test_media),           cmocka_unit_test(test_download),
		cmocka_unit_test(test_platform),        cmocka_unit_test(test_ntp),
		cmocka_unit_test(test_clocks),          cmocka_unit_test(test_default_route),
		cmocka_unit_test(test_not_for_joining),
	};
	return cmocka_run_group_tests_name("validate_network", tests, NULL, NULL);
}
