#include "unit.h"
#include "service/auth.h"

static void test_password_hash(void **state)
{
	static const char *const bad[] = { "",
					   "x",
					   "pbkdf2-sha256",
					   "pbkdf2-sha256$0$AA$AA",
					   "pbkdf2-sha256$1$AA$AA",
					   "md5$1$AA$AA",
					   "pbkdf2-sha256$99999999999$AA$AA",
					   "pbkdf2-sha256$1$!!$AA" };
	AUTO(freep) char *a = auth_password_hash("p");
	AUTO(freep) char *b = auth_password_hash("p");

	assert_string_not_equal(a, b);
	assert_true(auth_password_matches(a, "p"));
	assert_false(auth_password_matches(a, "q"));
	assert_false(auth_password_matches(a, ""));
	assert_false(auth_password_matches(NULL, "p"));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(auth_password_matches(bad[i], "p"));
}

/* What is stored: scheme, number of iterations, 16 bytes of salt, 32 of hash, and no password in it. */
static void test_form(void **state)
{
	AUTO(freep) char *hash = auth_password_hash("geheim");
	char salt[64], digest[64];
	unsigned iterations;

	assert_int_equal(sscanf(hash, "pbkdf2-sha256$%u$%63[^$]$%63s", &iterations, salt, digest),
			 3);
	assert_true(iterations >= 30000);
	assert_int_equal(strlen(salt), 22); /* base64url without padding */
	assert_int_equal(strlen(digest), 43);
	assert_null(strstr(hash, "geheim"));
}

/* Hashes made elsewhere (the first is in RFC 7914 §11): the number and salt in the text count. */
static void test_known(void **state)
{
	static const struct {
		const char *hash, *password;
		bool want;
	} cases[] = {
		/* "passwd", "salt", 1: 55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc */
		{ "pbkdf2-sha256$1$c2FsdA$VawEblbjCJ_sFpHCJUS2BflBhSFt3gRl5oudV8INrLw", "passwd",
		  true },
		/* "password", "salt", 1 */
		{ "pbkdf2-sha256$1$c2FsdA$Eg-2z_z4syxD5yJSVsT4N6hlSMkszDVICAWYfLcL4Xs", "password",
		  true },
		/* "password", "salt", 4096 */
		{ "pbkdf2-sha256$4096$c2FsdA$xeR41ZKIyEGqUw22hFxMjZYok6ABzk4RpJY4c6qYE0o",
		  "password", true },
		/* one iteration more, another salt, another letter */
		{ "pbkdf2-sha256$2$c2FsdA$VawEblbjCJ_sFpHCJUS2BflBhSFt3gRl5oudV8INrLw", "passwd",
		  false },
		{ "pbkdf2-sha256$1$c2FsdB$VawEblbjCJ_sFpHCJUS2BflBhSFt3gRl5oudV8INrLw", "passwd",
		  false },
		{ "pbkdf2-sha256$1$c2FsdA$VawEblbjCJ_sFpHCJUS2BflBhSFt3gRl5oudV8INrLw", "Passwd",
		  false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (auth_password_matches(cases[i].hash, cases[i].password) != cases[i].want)
			fail_msg("case %zu", i);
	}
}

/* Any text is a password, and only the whole text is it. */
static void test_texts(void **state)
{
	static const char *const texts[] = { "",        " ",  "p\xc3\xa4ssw\xc3\xb6rt",
					     "a$b$c$d", "\n", "a:b" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		AUTO(freep) char *hash = auth_password_hash(texts[i]);
		AUTO(freep) char *longer = str_printf("%s ", texts[i]);
		assert_true(auth_password_matches(hash, texts[i]));
		assert_false(auth_password_matches(hash, longer));
	}
	AUTO(freep) char *long_one = malloc(5001);
	memset(long_one, 'p', 5000);
	long_one[5000] = '\0';
	AUTO(freep) char *hash = auth_password_hash(long_one);
	assert_true(auth_password_matches(hash, long_one));
	long_one[4999] = 'q';
	assert_false(auth_password_matches(hash, long_one));
}

/* A row that was damaged or made by somebody else lets nobody in, and costs no endless count. */
static void test_damaged(void **state)
{
	static const char *const bad[] = {
		"$1$c2FsdA$VawEblbjCJ_sFpHCJUS2BflBhSFt3gRl5oudV8INrLw",
		"PBKDF2-SHA256$1$c2FsdA$VawEblbjCJ_sFpHCJUS2BflBhSFt3gRl5oudV8INrLw",
		"pbkdf2-sha256$-1$c2FsdA$VawEblbjCJ_sFpHCJUS2BflBhSFt3gRl5oudV8INrLw",
		"pbkdf2-sha256$1x$c2FsdA$VawEblbjCJ_sFpHCJUS2BflBhSFt3gRl5oudV8INrLw",
		"pbkdf2-sha256$10000001$c2FsdA$VawEblbjCJ_sFpHCJUS2BflBhSFt3gRl5oudV8INrLw",
		"pbkdf2-sha256$4294967297$c2FsdA$VawEblbjCJ_sFpHCJUS2BflBhSFt3gRl5oudV8INrLw",
		"pbkdf2-sha256$18446744073709551617$c2FsdA$VawEblbjCJ_sFpHCJUS2BflBhSFt3gRl5oudV8INrLw",
		"pbkdf2-sha256$1$c2FsdA$VawEblbjCJ_sFpHCJUS2BflBhSFt3gRl5oudV8INrA",
		"pbkdf2-sha256$1$c2FsdA$VawEblbjCJ_sFpHCJUS2BflBhSFt3gRl5oudV8INrLwAAAA",
		"pbkdf2-sha256$1$c2FsdA$",
		"pbkdf2-sha256$1$c2FsdA",
		"pbkdf2-sha256$$$",
		"$$$$",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (auth_password_matches(bad[i], "passwd") || auth_password_matches(bad[i], ""))
			fail_msg("%s", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_password_hash), cmocka_unit_test(test_form),
		cmocka_unit_test(test_known),         cmocka_unit_test(test_texts),
		cmocka_unit_test(test_damaged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
