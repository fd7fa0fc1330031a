#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/json_map.h"
#include "common/jwt.h"
#include "common/pki.h"
#include "common/str.h"

#define NOW 1790000000

struct keys {
	char *pem, *public_pem;
	struct jwt_key *private_key, *public_key, *other;
};

static int setup(void **state)
{
	struct keys *k = calloc(1, sizeof(*k));
	assert_non_null(k);
	AUTO(freep) char *other = NULL;
	assert_int_equal(pki_key_new(&k->pem, NULL), 0);
	assert_int_equal(pki_key_new(&other, NULL), 0);
	assert_int_equal(pki_key_public(k->pem, &k->public_pem, NULL), 0);
	assert_int_equal(jwt_key_load(k->pem, &k->private_key, NULL), 0);
	assert_int_equal(jwt_key_load(k->public_pem, &k->public_key, NULL), 0);
	assert_int_equal(jwt_key_load(other, &k->other, NULL), 0);
	*state = k;
	return 0;
}

static int teardown(void **state)
{
	struct keys *k = *state;
	jwt_key_free(k->private_key);
	jwt_key_free(k->public_key);
	jwt_key_free(k->other);
	free(k->pem);
	free(k->public_pem);
	free(k);
	return 0;
}

/* A token from raw texts, properly signed: for headers and payloads that jwt_sign() would never make. */
static char *forge(const struct keys *k, const char *header, const char *payload)
{
	AUTO(freep) char *h = base64url_encode(header, strlen(header));
	AUTO(freep) char *p = base64url_encode(payload, strlen(payload));
	AUTO(freep) char *head = str_printf("%s.%s", h, p);
	uint8_t digest[32], sig[64];
	sha256(head, strlen(head), digest);
	assert_int_equal(pki_sign_raw(k->pem, digest, sig, NULL), 0);
	AUTO(freep) char *s = base64url_encode(sig, 64);
	return str_printf("%s.%s", head, s);
}

static void test_round_trip(void **state)
{
	struct keys *k = *state;
	AUTO(json_decrefp)
	json_t *claims = json_pack("{s:s,s:I,s:s}", "sub", "host-7", "exp", (json_int_t)NOW + 10,
				   "x", "\xc3\xa4");
	AUTO(freep) char *token = NULL;
	assert_int_equal(jwt_sign(k->private_key, claims, &token, NULL), 0);

	AUTO(json_decrefp) json_t *got = NULL;
	assert_int_equal(jwt_verify(k->public_key, token, NOW, &got, NULL), 0);
	assert_true(json_equal(got, claims));
	AUTO(json_decrefp) json_t *peeked = NULL;
	assert_int_equal(jwt_peek(token, &peeked, NULL), 0);
	assert_true(json_equal(peeked, claims));

	json_t *none = NULL;
	assert_int_equal(jwt_verify(k->other, token, NOW, &none, NULL), -EBADMSG);
	assert_int_equal(jwt_verify(k->public_key, token, NOW + 10, &none, NULL), -EKEYEXPIRED);
	assert_int_equal(jwt_sign(k->public_key, claims, &token, NULL), -EINVAL);
	assert_null(none);
}

/* Every single changed character must be noticed. */
static void test_tamper(void **state)
{
	struct keys *k = *state;
	AUTO(json_decrefp) json_t *claims = json_pack("{s:s}", "sub", "a");
	AUTO(freep) char *token = NULL;
	assert_int_equal(jwt_sign(k->private_key, claims, &token, NULL), 0);
	for (size_t i = 0; token[i]; i++) {
		char old = token[i];
		token[i] = old == 'A' ? 'B' : 'A';
		json_t *none = NULL;
		assert_int_equal(jwt_verify(k->public_key, token, NOW, &none, NULL), -EBADMSG);
		token[i] = old;
	}
	/* The last character carries two bits: its other fifteen spellings of the same signature are refused. */
	size_t last = strlen(token) - 1;
	char old = token[last];
	token[last] = (char)(old + 1);
	json_t *none = NULL;
	assert_int_equal(jwt_verify(k->public_key, token, NOW, &none, NULL), -EBADMSG);
}

static void test_headers_and_times(void **state)
{
	struct keys *k = *state;
	static const struct {
		const char *header, *payload;
		int want;
	} cases[] = {
		{ "{\"alg\":\"ES256\",\"typ\":\"JWT\"}", "{}", 0 },
		{ "{\"typ\":\"jwt\",\"alg\":\"ES256\",\"kid\":\"1\"}", "{}", 0 },
		{ "{\"alg\":\"ES256\"}", "{\"exp\":1790000001}", 0 },
		{ "{\"alg\":\"ES256\"}", "{\"exp\":1790000000.5}", -EKEYEXPIRED },
		{ "{\"alg\":\"ES256\"}", "{\"exp\":1789999999}", -EKEYEXPIRED },
		{ "{\"alg\":\"ES256\"}", "{\"exp\":\"1890000000\"}", -EBADMSG },
		{ "{\"alg\":\"ES256\"}", "{\"exp\":null}", -EBADMSG },
		{ "{\"alg\":\"ES256\"}", "{\"exp\":1e300}", -EBADMSG },
		{ "{\"alg\":\"ES256\"}", "{\"nbf\":1790000000}", 0 },
		{ "{\"alg\":\"ES256\"}", "{\"nbf\":1790000001}", -EBADMSG },
		{ "{\"alg\":\"none\"}", "{}", -EBADMSG },
		{ "{\"alg\":\"HS256\"}", "{}", -EBADMSG },
		{ "{\"alg\":\"es256\"}", "{}", -EBADMSG },
		{ "{\"alg\":[\"ES256\"]}", "{}", -EBADMSG },
		{ "{}", "{}", -EBADMSG },
		{ "{\"alg\":\"ES256\",\"alg\":\"ES256\"}", "{}", -EBADMSG },
		{ "{\"alg\":\"ES256\",\"crit\":[\"b64\"]}", "{}", -EBADMSG },
		{ "{\"alg\":\"ES256\",\"typ\":\"JWS\"}", "{}", -EBADMSG },
		{ "{\"alg\":\"ES256\",\"typ\":1}", "{}", -EBADMSG },
		{ "{\"alg\":\"ES256\"} x", "{}", -EBADMSG },
		{ "{\"alg\":\"ES256\"}", "[]", -EBADMSG },
		{ "{\"alg\":\"ES256\"}", "{\"a\":1,\"a\":2}", -EBADMSG },
		{ "{\"alg\":\"ES256\"}", "{", -EBADMSG },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(freep) char *token = forge(k, cases[i].header, cases[i].payload);
		AUTO(json_decrefp) json_t *claims = NULL;
		int r = jwt_verify(k->public_key, token, NOW, &claims, NULL);
		if (r != cases[i].want)
			fail_msg("%s %s: %d", cases[i].header, cases[i].payload, r);
		assert_int_equal(claims != NULL, r == 0);
	}
}

static void test_forms(void **state)
{
	struct keys *k = *state;
	AUTO(freep) char *good = forge(k, "{\"alg\":\"ES256\"}", "{}");
	AUTO(freep) char *long_tail = str_printf("%sA", good);
	AUTO(freep) char *four = str_printf("%s.x", good);
	AUTO(freep) char *padded = str_printf("%s=", good);
	AUTO(freep) char *space = str_printf(" %s", good);
	AUTO(freep) char *unsigned_ = str_printf("%.*s.", (int)(strrchr(good, '.') - good), good);
	const char *bad[] = { NULL,      "",   ".",    "..",  "a.b.c",
			      long_tail, four, padded, space, unsigned_ };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		json_t *none = NULL;
		assert_int_equal(jwt_verify(k->public_key, bad[i], NOW, &none, NULL), -EBADMSG);
		assert_null(none);
	}
}

/* At the limit, and one above. */
static void test_limit(void **state)
{
	struct keys *k = *state;
	char pad[JWT_MAX];
	size_t longest = 0;
	for (size_t n = 2900; n < 3100; n++) {
		memset(pad, 'x', n);
		pad[n] = '\0';
		AUTO(json_decrefp) json_t *claims = json_pack("{s:s}", "p", pad);
		AUTO(freep) char *token = NULL;
		int r = jwt_sign(k->private_key, claims, &token, NULL);
		if (r) {
			assert_int_equal(r, -EMSGSIZE);
			break;
		}
		longest = strlen(token);
		AUTO(json_decrefp) json_t *got = NULL;
		assert_int_equal(jwt_verify(k->public_key, token, NOW, &got, NULL), 0);
	}
	assert_in_range(longest, JWT_MAX - 2, JWT_MAX);
	char *huge = malloc(JWT_MAX + 2);
	memset(huge, 'A', JWT_MAX + 1);
	huge[JWT_MAX + 1] = '\0';
	json_t *none = NULL;
	assert_int_equal(jwt_peek(huge, &none, NULL), -EBADMSG);
	free(huge);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_tamper),
		cmocka_unit_test(test_headers_and_times),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_limit),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
