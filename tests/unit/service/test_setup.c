#include "unit.h"
#include <sys/stat.h>
#include "common/pki.h"
#include "service/setup.h"

static void test_host_of(void **state)
{
	static const struct {
		const char *url, *host;
	} cases[] = {
		{ "https://a.example:9543", "a.example" },
		{ "http://192.0.2.1", "192.0.2.1" },
		{ "https://[::1]:9543", "::1" },
		{ "127.0.0.1:0", "127.0.0.1" },
		{ "[::]:9543", "::" },
		{ "localhost", "localhost" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(freep) char *host = setup_host_of(cases[i].url);
		assert_string_equal(host, cases[i].host);
	}
}

static void test_resolve(void **state)
{
	static const struct {
		const char *url, *address, *resolved;
	} cases[] = {
		{ "https://10.0.2.2:0", "127.0.0.1:4711", "https://10.0.2.2:4711" },
		{ "https://10.0.2.2:0", "[::]:4711", "https://10.0.2.2:4711" },
		{ "https://10.0.2.2:9543", "127.0.0.1:4711", "https://10.0.2.2:9543" },
		{ "https://10.0.2.2", "127.0.0.1:4711", "https://10.0.2.2" },
		{ "https://10.0.2.2:10", "127.0.0.1:4711", "https://10.0.2.2:10" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(freep) char *url = setup_resolve_url(cases[i].url, cases[i].address);
		assert_string_equal(url, cases[i].resolved);
	}
}

static bool has(char *const *names, const char *name)
{
	for (; *names; names++) {
		if (!strcmp(*names, name))
			return true;
	}
	return false;
}

static void test_names(void **state)
{
	struct service_config c = { .https = (char *)"[::]:9543",
				    .service_base_url = (char *)"https://pool.example.com:9543",
				    .image_base_url = (char *)"https://10.0.2.2:0",
				    .names = (char *)"other.example.com, pool.example.com" };
	char **names;

	assert_int_equal(setup_names(&c, &names, NULL), 0);
	assert_true(has(names, "pool.example.com"));
	assert_true(has(names, "10.0.2.2"));
	assert_true(has(names, "other.example.com"));
	assert_true(has(names, "localhost"));
	assert_true(has(names, "127.0.0.1"));
	assert_true(has(names, "::1"));
	assert_false(has(names, "::"));
	for (size_t i = 0; names[i]; i++) {
		for (size_t k = i + 1; names[k]; k++)
			assert_string_not_equal(names[i], names[k]);
	}
	setup_names_free(names);
}

static void test_tls(void **state)
{
	static const char *const first[] = { "a.example.com", NULL }, *const more[] = {
		"a.example.com", "b.example.com", NULL
	};
	struct setup_tls one, two, three;
	struct stat st;
	char path[64];
	int fd = unit_tmp_open(path);

	assert_int_equal(setup_tls(fd, first, &one, NULL), 0);
	assert_int_equal(fstatat(fd, FILE_CA_KEY, &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(fstatat(fd, FILE_SERVER_KEY, &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(pki_cert_covers(one.cert_pem, first, 30, NULL), 1);
	/* the same names: the same certificate; a new one: another certificate of the same authority and key */
	assert_int_equal(setup_tls(fd, first, &two, NULL), 0);
	assert_string_equal(one.cert_pem, two.cert_pem);
	assert_int_equal(setup_tls(fd, more, &three, NULL), 0);
	assert_string_not_equal(one.cert_pem, three.cert_pem);
	assert_string_equal(one.ca_pem, three.ca_pem);
	assert_string_equal(one.key_pem, three.key_pem);
	assert_int_equal(pki_cert_covers(three.cert_pem, more, 30, NULL), 1);
	setup_tls_done(&one);
	setup_tls_done(&two);
	setup_tls_done(&three);
	unit_tmp_close(fd, path);
}

static void write_file(int fd, const char *name, const char *text)
{
	assert_int_equal(file_replace_at(fd, name, text, strlen(text), 0600, NULL), 0);
}

/* What every medium trusts is never replaced in passing. */
static void test_damaged_ca(void **state)
{
	static const char *const names[] = { "a.example.com", NULL };
	struct setup_tls one, two;
	char path[64];
	int fd = unit_tmp_open(path);
	AUTO(freep) char *other_key = NULL;
	AUTO(freep) char *other_ca = NULL;
	AUTO(freep) char *ca_key = NULL;
	size_t len;

	assert_int_equal(pki_key_new(&other_key, NULL), 0);
	assert_int_equal(pki_ca_new(other_key, "Other", 10, &other_ca, NULL), 0);
	assert_int_equal(setup_tls(fd, names, &one, NULL), 0);
	assert_int_equal(file_read_at(fd, FILE_CA_KEY, 65536, &ca_key, &len, NULL), 0);

	write_file(fd, FILE_CA, "garbage");
	assert_int_equal(setup_tls(fd, names, &two, NULL), -EBADMSG);
	write_file(fd, FILE_CA, other_ca);
	assert_int_equal(setup_tls(fd, names, &two, NULL), -EBADMSG);
	unlinkat(fd, FILE_CA, 0);
	assert_int_equal(setup_tls(fd, names, &two, NULL), -ENOENT);
	write_file(fd, FILE_CA, one.ca_pem);
	unlinkat(fd, FILE_CA_KEY, 0);
	assert_int_equal(setup_tls(fd, names, &two, NULL), -EBADMSG);

	/* another CA with its key: its server certificate is made anew */
	write_file(fd, FILE_CA, other_ca);
	write_file(fd, FILE_CA_KEY, other_key);
	assert_int_equal(setup_tls(fd, names, &two, NULL), 0);
	assert_int_equal(pki_cert_is_signed(two.cert_pem, other_ca, NULL), 1);
	assert_int_equal(pki_cert_is_signed(one.cert_pem, other_ca, NULL), 0);
	setup_tls_done(&two);

	/* everything as it was */
	write_file(fd, FILE_CA, one.ca_pem);
	write_file(fd, FILE_CA_KEY, ca_key);
	write_file(fd, FILE_SERVER_CERT, one.cert_pem);
	assert_int_equal(setup_tls(fd, names, &two, NULL), 0);
	assert_string_equal(one.cert_pem, two.cert_pem);
	setup_tls_done(&one);
	setup_tls_done(&two);
	unit_tmp_close(fd, path);
}

static void test_lock(void **state)
{
	char path[64];
	int fd = unit_tmp_open(path), one, two;

	assert_int_equal(setup_lock(fd, &one, NULL), 0);
	assert_int_equal(setup_lock(fd, &two, NULL), -EBUSY);
	close(one);
	assert_int_equal(setup_lock(fd, &two, NULL), 0);
	close(two);
	unit_tmp_close(fd, path);
}

static void test_state_dir(void **state)
{
	char path[64], deep[96];
	int fd = unit_tmp_open(path), dir;
	struct stat st;

	snprintf(deep, sizeof(deep), "%s/a/b", path);
	assert_int_equal(setup_state_dir(deep, &dir, NULL), 0);
	assert_int_equal(fstat(dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	close(dir);
	/* one that others could read is closed */
	assert_int_equal(chmod(deep, 0755), 0);
	assert_int_equal(setup_state_dir(deep, &dir, NULL), 0);
	assert_int_equal(fstat(dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	close(dir);
	unit_tmp_close(fd, path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_host_of),    cmocka_unit_test(test_resolve),
		cmocka_unit_test(test_names),      cmocka_unit_test(test_tls),
		cmocka_unit_test(test_damaged_ca), cmocka_unit_test(test_lock),
		cmocka_unit_test(test_state_dir),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
