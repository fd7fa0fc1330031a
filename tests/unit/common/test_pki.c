#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <mbedtls/x509_crt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/pki.h"

struct material {
	char *ca_key, *ca, *key, *cert;
};

static const char *const names[] = { "node.example.org", "localhost", "127.0.0.1", "::1",
				     "192.0.2.7",        NULL };

static int setup(void **state)
{
	struct fault err = FAULT_INIT;
	struct material *m = calloc(1, sizeof(*m));
	assert_non_null(m);
	if (pki_key_new(&m->ca_key, &err) ||
	    pki_ca_new(m->ca_key, "Slipway test CA", 100, &m->ca, &err) ||
	    pki_key_new(&m->key, &err) ||
	    pki_server_cert_new(m->ca, m->ca_key, m->key, names, 30, &m->cert, &err))
		fail_msg("%s", err.text);
	*state = m;
	return 0;
}

static int teardown(void **state)
{
	struct material *m = *state;
	free(m->ca_key);
	free(m->ca);
	free(m->key);
	free(m->cert);
	free(m);
	return 0;
}

/* The chain that we write must pass a verifier, for each name and for no other. */
static void test_chain(void **state)
{
	struct material *m = *state;
	static const struct {
		const char *name;
		bool is_good;
	} cases[] = { { "node.example.org", true },
		      { "localhost", true },
		      { "other.example.org", false } };

	mbedtls_x509_crt ca, cert;
	mbedtls_x509_crt_init(&ca);
	mbedtls_x509_crt_init(&cert);
	assert_int_equal(mbedtls_x509_crt_parse(&ca, (unsigned char *)m->ca, strlen(m->ca) + 1), 0);
	assert_int_equal(
		mbedtls_x509_crt_parse(&cert, (unsigned char *)m->cert, strlen(m->cert) + 1), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t flags = 0;
		int r = mbedtls_x509_crt_verify(&cert, &ca, NULL, cases[i].name, &flags, NULL,
						NULL);
		assert_int_equal(r == 0, cases[i].is_good);
	}
	assert_int_equal(mbedtls_x509_crt_check_extended_key_usage(
				 &cert, "\x2b\x06\x01\x05\x05\x07\x03\x01", 8),
			 0);
	mbedtls_x509_crt_free(&ca);
	mbedtls_x509_crt_free(&cert);
}

static void test_covers(void **state)
{
	struct material *m = *state;
	static const struct {
		const char *names[4];
		unsigned days;
		int want;
	} cases[] = {
		{ { "localhost", "127.0.0.1", "::1", NULL }, 29, 1 },
		{ { "NODE.example.ORG", "0:0:0:0:0:0:0:1", NULL }, 0, 1 },
		{ { "localhost", NULL }, 31, 0 },
		{ { "127.0.0.2", NULL }, 0, 0 },
		{ { "node.example.or", NULL }, 0, 0 },
		{ { "node.example.orgx", NULL }, 0, 0 },
		{ { "192.0.2.7", "elsewhere", NULL }, 0, 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(pki_cert_covers(m->cert, cases[i].names, cases[i].days, NULL),
				 cases[i].want);
	assert_int_equal(pki_cert_covers("nonsense", names, 0, NULL), -EBADMSG);
}

static void test_validity(void **state)
{
	struct material *m = *state;
	int64_t from, to, now = time(NULL);
	assert_int_equal(pki_cert_validity(m->cert, &from, &to, NULL), 0);
	assert_in_range(now - from, 86400 - 5, 86400 + 60);
	assert_in_range(to - now, 30 * 86400 - 60, 30 * 86400 + 5);
}

static void test_bad_names(void **state)
{
	struct material *m = *state;
	static const char *const bad[][2] = {
		{ "", NULL }, { "a b", NULL }, { "a\nb", NULL }, { "x/y", NULL }, { NULL, NULL }
	};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char *cert = NULL;
		assert_int_equal(
			pki_server_cert_new(m->ca, m->ca_key, m->key, bad[i], 1, &cert, NULL),
			-EINVAL);
		assert_null(cert);
	}
	/* Enough names for each length form of the DER sequence. */
	static char text[65][24];
	const char *many[66] = { NULL };
	for (size_t n = 1; n <= 65; n++) {
		struct fault err = FAULT_INIT;
		snprintf(text[n - 1], sizeof(text[0]), "host-%zu.example.org", n);
		many[n - 1] = text[n - 1];
		char *cert = NULL;
		int r = pki_server_cert_new(m->ca, m->ca_key, m->key, many, 1, &cert, &err);
		assert_int_equal(r, n <= 64 ? 0 : -E2BIG);
		if (!r)
			assert_int_equal(pki_cert_covers(cert, many, 0, NULL), 1);
		free(cert);
	}
}

static void test_foreign_ca_key(void **state)
{
	struct material *m = *state;
	char *cert = NULL;
	assert_int_equal(pki_server_cert_new(m->ca, m->key, m->key, names, 1, &cert, NULL),
			 -EINVAL);
	assert_int_equal(pki_ca_new(m->ca_key, "a,CN=b", 1, &cert, NULL), -EINVAL);
	assert_null(cert);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chain),          cmocka_unit_test(test_covers),
		cmocka_unit_test(test_validity),       cmocka_unit_test(test_bad_names),
		cmocka_unit_test(test_foreign_ca_key),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
