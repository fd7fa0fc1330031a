#include "http_testlib.h"

#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>

#include "common/http_client.h"
#include "common/mbedtls_compat.h"
#include "common/pki.h"

#define IDLE_MS 700
#define PATIENT_MS \
	20000 /* on loopback (segments of 64 KiB) a small window opens only when it has been read empty */
#define SLOW_READERS 20
#define IDLE_CONNECTIONS 100
#ifdef __SANITIZE_ADDRESS__
#define SLOW_KIB_MAX (150 << 10) /* red zones and the quarantine count too */
#define IDLE_KIB_MAX 4096
#else
#define SLOW_KIB_MAX (16 << 10)
#define IDLE_KIB_MAX 30 /* 39 without giving anything back */
#endif

static struct test_server server, expired, patient;
static char *ca, *other_ca;

static char *new_cert(const char *ca_key, unsigned days, char **ret_key)
{
	static const char *const names[] = { "localhost", NULL };
	struct fault err = FAULT_INIT;
	char *cert = NULL;
	if (pki_key_new(ret_key, &err) ||
	    pki_server_cert_new(ca, ca_key, *ret_key, names, days, &cert, &err))
		fail_msg("%s", err.text);
	return cert;
}

static int setup(void **state)
{
	static const char *const proxies[] = { "http_proxy",  "https_proxy", "all_proxy",
					       "HTTPS_PROXY", "ALL_PROXY",   "no_proxy",
					       "NO_PROXY" };
	for (size_t i = 0; i < ARRAY_SIZE(proxies); i++)
		unsetenv(proxies[i]);
	AUTO(freep) char *ca_key = NULL, *other_key = NULL, *key = NULL, *old_key = NULL;
	assert_int_equal(pki_key_new(&ca_key, NULL), 0);
	assert_int_equal(pki_key_new(&other_key, NULL), 0);
	assert_int_equal(pki_ca_new(ca_key, "Test CA", 10, &ca, NULL), 0);
	assert_int_equal(pki_ca_new(other_key, "Test CA", 10, &other_ca, NULL), 0);
	AUTO(freep) char *cert = new_cert(ca_key, 5, &key);
	AUTO(freep) char *old = new_cert(ca_key, 0, &old_key);
	struct http_limits limits = { .idle_timeout_ms = IDLE_MS };
	expired = server_begin(&limits, old, old_key);
	server = server_begin(&limits, cert, key);
	limits.idle_timeout_ms = PATIENT_MS;
	patient = server_begin(&limits, cert, key);
	return 0;
}

static int teardown(void **state)
{
	server_end(&patient); /* the later one first: it holds the earlier ones' stop descriptors */
	server_end(&server);
	server_end(&expired);
	free(ca);
	free(other_ca);
	return 0;
}

/* --- libcurl against us ----------------------------------------------------------------------------------- */

static int fetch(const char *base, const char *path, const char *ca_pem, bool insecure,
		 struct http_answer *a, struct fault *err)
{
	AUTO(freep) char *url = str_printf("%s%s", base, path);
	struct http_client_options opt = { .ca_pem = ca_pem,
					   .insecure = insecure,
					   .stall_timeout_ms = 3000 };
	struct http_request_spec spec = { .url = url, .max_body = FILE_SIZE };
	return http_fetch(&opt, &spec, a, err);
}

static void test_certificates(void **state)
{
	AUTO(freep) char *by_address = str_printf("https://127.0.0.1:%u", server.port);
	sleep(2); /* the certificate for zero days is over */
	const struct {
		const char *base, *ca;
		bool insecure;
		int want;
	} cases[] = {
		{ server.url, ca, false, 0 },
		{ server.url, other_ca, false, -EKEYREJECTED },
		{ server.url, NULL, false, -EKEYREJECTED },
		{ server.url, NULL, true, 0 },
		{ by_address, ca, false, -EKEYREJECTED },
		{ by_address, ca, true, 0 },
		{ expired.url, ca, false, -EKEYREJECTED },
		{ expired.url, ca, true, 0 },
		{ server.url, "nonsense", false, -EBADMSG },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_answer a;
		struct fault err = FAULT_INIT;
		int r = fetch(cases[i].base, "/a", cases[i].ca, cases[i].insecure, &a, &err);
		if (r != cases[i].want)
			fail_msg("case %zu: %d %s", i, r, err.text);
		if (r)
			continue;
		assert_non_null(strstr(a.body, "tls=1"));
		http_answer_done(&a);
	}
}

static void test_large(void **state)
{
	static const char *const paths[] = { "/file", "/big?size=67108864" };
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct http_answer a;
		struct fault err = FAULT_INIT;
		if (fetch(server.url, paths[i], ca, false, &a, &err))
			fail_msg("%s", err.text);
		assert_int_equal(a.body_len, FILE_SIZE);
		for (uint32_t k = 0; k < FILE_SIZE; k++) {
			if ((uint8_t)a.body[k] != file_byte(k))
				fail_msg("byte %u differs", k);
		}
		http_answer_done(&a);
	}
}

/* --- mbedTLS against us -------------------------------------------------------------------------------------- */

struct tls {
	mbedtls_ssl_context ssl;
	mbedtls_ssl_config config;
	mbedtls_x509_crt ca;
	mbedtls_net_context net;
};

/* Connects; @authority: PEM; @session: to be resumed, or NULL. The handshake's result. */
static int tls_open_at(const struct test_server *at, struct tls *t, const char *authority,
		       const mbedtls_ssl_session *session, bool is_old, int rcvbuf)
{
	mbedtls_ssl_init(&t->ssl);
	mbedtls_ssl_config_init(&t->config);
	mbedtls_x509_crt_init(&t->ca);
	assert_int_equal(mbedtls_ssl_config_defaults(&t->config, MBEDTLS_SSL_IS_CLIENT,
						     MBEDTLS_SSL_TRANSPORT_STREAM,
						     MBEDTLS_SSL_PRESET_DEFAULT),
			 0);
	mbedtls_ssl_conf_rng(&t->config, mbed_random, NULL);
	assert_int_equal(mbedtls_x509_crt_parse(&t->ca, (const unsigned char *)authority,
						strlen(authority) + 1),
			 0);
	mbedtls_ssl_conf_ca_chain(&t->config, &t->ca, NULL);
#if MBEDTLS_VERSION_NUMBER < 0x03000000
	if (is_old)
		mbedtls_ssl_conf_max_version(&t->config, MBEDTLS_SSL_MAJOR_VERSION_3,
					     MBEDTLS_SSL_MINOR_VERSION_2);
#endif
	assert_int_equal(mbedtls_ssl_setup(&t->ssl, &t->config), 0);
	assert_int_equal(mbedtls_ssl_set_hostname(&t->ssl, "localhost"), 0);
	if (session)
		assert_int_equal(mbedtls_ssl_set_session(&t->ssl, session), 0);
	t->net.fd = dial_rcvbuf(at, rcvbuf);
	mbedtls_ssl_set_bio(&t->ssl, &t->net, mbedtls_net_send, mbedtls_net_recv, NULL);
	int r = mbedtls_ssl_handshake(&t->ssl);
	return r;
}

static int tls_open(struct tls *t, const char *authority, const mbedtls_ssl_session *session)
{
	return tls_open_at(&server, t, authority, session, false, 0);
}

static void tls_close(struct tls *t)
{
	mbedtls_net_free(&t->net);
	mbedtls_ssl_free(&t->ssl);
	mbedtls_ssl_config_free(&t->config);
	mbedtls_x509_crt_free(&t->ca);
}

static void tls_say(struct tls *t, const char *text)
{
	assert_int_equal(mbedtls_ssl_write(&t->ssl, (const unsigned char *)text, strlen(text)),
			 (int)strlen(text));
}

/* Everything until the end, NUL behind it. */
static char *tls_hear_all(struct tls *t, size_t *ret_len)
{
	size_t size = 1 << 20;
	char *data = malloc(size);
	*ret_len = 0;
	for (;;) {
		if (*ret_len + 20000 > size)
			data = realloc(data, size *= 2);
		int n = mbedtls_ssl_read(&t->ssl, (unsigned char *)data + *ret_len, 16384);
		if (n <= 0)
			break;
		*ret_len += (size_t)n;
	}
	data[*ret_len] = '\0';
	return data;
}

/* The second handshake trusts a CA that has not signed the server: it can only pass without a certificate, that is resumed. */
static void test_resumption(void **state)
{
	struct tls t;
	mbedtls_ssl_session session;
	mbedtls_ssl_session_init(&session);
	assert_int_equal(tls_open(&t, ca, NULL), 0);
	tls_say(&t, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
	size_t len;
	free(tls_hear_all(&t, &len));
	assert_int_equal(mbedtls_ssl_get_session(&t.ssl, &session), 0);
	tls_close(&t);

	assert_int_not_equal(tls_open(&t, other_ca, NULL), 0);
	tls_close(&t);
	assert_int_equal(tls_open(&t, other_ca, &session), 0);
	tls_say(&t, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
	AUTO(freep) char *reply = tls_hear_all(&t, &len);
	assert_int_equal(status_of(reply), 200);
	tls_close(&t);
	mbedtls_ssl_session_free(&session);
}

static void test_old_version(void **state)
{
#if MBEDTLS_VERSION_NUMBER < 0x03000000
	struct tls t;
	assert_int_not_equal(tls_open_at(&server, &t, ca, NULL, true, 0), 0);
	tls_close(&t);
#else
	skip();
#endif
}

/* Something else than TLS: the end comes at once and in order, not as a reset; the server goes on. */
static void test_not_tls(void **state)
{
	static const char *const texts[] = { "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
					     "\x16\x03\x01\xff\xff garbage garbage garbage garbage",
					     "\x15\x03\x01\x00\x02\x02\x28" };
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		int fd = dial(&server);
		assert_true(send(fd, texts[i], i == 2 ? 7 : strlen(texts[i]), MSG_NOSIGNAL) > 0);
		int64_t start = time_mono_ms();
		ssize_t len;
		AUTO(freep) char *reply = hear_all(fd, &len);
		assert_true(len >= 0);
		assert_true(time_mono_ms() - start < IDLE_MS * 3);
		close(fd);
	}
	struct http_answer a;
	assert_int_equal(fetch(server.url, "/a", ca, false, &a, NULL), 0);
	http_answer_done(&a);
}

/* The server is as good as before. */
static void still_serves(void)
{
	struct http_answer a;
	assert_int_equal(fetch(server.url, "/a", ca, false, &a, NULL), 0);
	assert_int_equal(a.status, 200);
	http_answer_done(&a);
}

/* Records that are none, before a handshake: cut, with lengths that cannot be, of other protocols; sent and left, or sent and kept. */
static void test_garbage_before_handshake(void **state)
{
	static const struct {
		const char *data;
		size_t len;
	} cases[] = {
		{ "\x16", 1 },
		{ "\x16\x03\x01\x00", 4 },
		{ "\x16\x03\x01\x00\x00", 5 }, /* an empty record */
		{ "\x16\x03\x01\x40\x01", 5 }, /* a byte too long, RFC 5246 §6.2.1 */
		{ "\x16\x03\x01\x00\x04\x01\xff\xff\xff", 9 }, /* a hello of 16 MiB */
		{ "\x16\x03\x01\x00\x04\x02\x00\x00\x00", 9 }, /* a server's hello */
		{ "\x17\x03\x03\x00\x05hello", 10 },           /* data before any key */
		{ "\x14\x03\x03\x00\x01\x01", 6 },             /* change cipher spec first */
		{ "\x15\x03\x03\x00\x02\x01\x00", 7 },         /* close_notify first */
		{ "\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10\x01\x00\x80", 14 }, /* SSL 2 */
		{ "SSH-2.0-x\r\n", 11 },
		{ "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24 },
		{ "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16 },
	};
	int kept[ARRAY_SIZE(cases)];
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int gone = dial(&server);
		kept[i] = dial(&server);
		assert_true(send(gone, cases[i].data, cases[i].len, MSG_NOSIGNAL) > 0);
		assert_true(send(kept[i], cases[i].data, cases[i].len, MSG_NOSIGNAL) > 0);
		close(gone);
	}
	still_serves();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t start = time_mono_ms();
		ssize_t len;
		AUTO(freep) char *reply = hear_all(kept[i], &len);
		/* at most an alert: never a page in clear text */
		if (len > 16 || (len > 0 && strstr(reply, "HTTP")))
			fail_msg("case %zu: %zd bytes", i, len);
		assert_true(time_mono_ms() - start < IDLE_MS * 5);
		close(kept[i]);
	}
	still_serves();
}

/* Bytes that were not encrypted by the peer, behind a handshake or in the middle of a request: the end of that connection alone. */
static void test_garbage_after_handshake(void **state)
{
	static const struct {
		const char *request; /* said properly before */
		const char *data;
		size_t len;
	} cases[] = {
		{ NULL, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", 27 },
		{ NULL,
		  "\x17\x03\x03\x00\x20"
		  "0123456789abcdef0123456789abcdef",
		  37 },
		{ NULL, "\x17\x03\x03\xff\xff", 5 },
		{ NULL, "\x15\x03\x03\x00\x02\x02\x28", 7 },
		{ "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 50\r\n\r\nabc",
		  "\x17\x03\x03\x00\x20"
		  "0123456789abcdef0123456789abcdef",
		  37 },
		{ "GET /later?ms=200 HTTP/1.1\r\nHost: h\r\n\r\n", "garbage", 7 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tls t;
		assert_int_equal(tls_open(&t, ca, NULL), 0);
		if (cases[i].request)
			tls_say(&t, cases[i].request);
		assert_int_equal(send(t.net.fd, cases[i].data, cases[i].len, MSG_NOSIGNAL),
				 (ssize_t)cases[i].len);
		int64_t start = time_mono_ms();
		size_t len;
		AUTO(freep) char *reply = tls_hear_all(&t, &len);
		assert_null(strstr(reply, "body=abc"));
		assert_true(time_mono_ms() - start < IDLE_MS * 5);
		tls_close(&t);
	}
	still_serves();
}

static void test_silent_handshake(void **state)
{
	int fd = dial(&server);
	int64_t start = time_mono_ms();
	free(hear_all(fd, NULL));
	assert_in_range(time_mono_ms() - start, IDLE_MS / 2, IDLE_MS * 3);
	close(fd);
}

static void test_limits_and_end(void **state)
{
	static const struct {
		const char *request;
		int status;
	} cases[] = {
		{ "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1048577\r\n\r\n", 413 },
		{ "GET /a%00 HTTP/1.1\r\nHost: h\r\n\r\n", 400 },
		{ "BREW / HTTP/1.1\r\nHost: h\r\n\r\n", 501 },
		{ "GET /later?ms=1200 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 200 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tls t;
		size_t len;
		assert_int_equal(tls_open(&t, ca, NULL), 0);
		tls_say(&t, cases[i].request);
		AUTO(freep) char *reply = tls_hear_all(&t, &len);
		if (status_of(reply) != cases[i].status)
			fail_msg("%s: %s", cases[i].request, reply);
		tls_close(&t);
	}
	/* Request and close_notify together: the reply still comes. */
	struct tls t;
	size_t len;
	assert_int_equal(tls_open(&t, ca, NULL), 0);
	tls_say(&t, "GET /big?size=300000 HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_int_equal(mbedtls_ssl_close_notify(&t.ssl), 0);
	AUTO(freep) char *reply = tls_hear_all(&t, &len);
	assert_int_equal(status_of(reply), 200);
	assert_true(len > 300000);
	tls_close(&t);
}

/* Readers that take next to nothing of a large source cost a bounded piece each; one that goes on gets it all. */
static void test_slow_readers(void **state)
{
	static struct tls readers[SLOW_READERS];
	struct http_answer warm;
	assert_int_equal(fetch(patient.url, "/file?size=3000000", ca, false, &warm, NULL), 0);
	http_answer_done(&warm);
	long before = server_rss(&patient);
	/* All of them read a little, while the next ones come. */
	long most = 0;
	for (size_t round = 0; round < SLOW_READERS + 40; round++) {
		unsigned char some[16384];
		if (round < SLOW_READERS) {
			assert_int_equal(
				tls_open_at(&patient, &readers[round], ca, NULL, false, 65536), 0);
			tls_say(&readers[round],
				"GET /file HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
		}
		usleep(40000);
		for (size_t i = 0; i < SLOW_READERS && i <= round; i++)
			assert_true(mbedtls_ssl_read(&readers[i].ssl, some, sizeof(some)) > 0);
		most = MAX_OF(most, server_rss(&patient) - before);
	}
	print_message("# %d slow readers: %ld KiB\n", SLOW_READERS, most);
	assert_true(most < SLOW_KIB_MAX);
	size_t len;
	free(tls_hear_all(&readers[0], &len));
	assert_true(len > FILE_SIZE - (SLOW_READERS + 40) * 16384);
	for (size_t i = 0; i < SLOW_READERS; i++)
		tls_close(&readers[i]);
}

/* Idle keep-alive connections give the record buffers back (tls_conn_rest()). */
static void test_idle_memory(void **state)
{
	static struct tls idle[IDLE_CONNECTIONS];
	long before = server_rss(&patient);
	for (size_t i = 0; i < IDLE_CONNECTIONS; i++) {
		char reply[1000];
		assert_int_equal(tls_open_at(&patient, &idle[i], ca, NULL, false, 0), 0);
		tls_say(&idle[i], "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
		assert_true(mbedtls_ssl_read(&idle[i].ssl, (unsigned char *)reply, sizeof(reply)) >
			    0);
	}
	long each = (server_rss(&patient) - before) / IDLE_CONNECTIONS;
	print_message("# an idle TLS connection: %ld KiB\n", each);
	assert_true(each <= IDLE_KIB_MAX);
	/* And they still work. */
	for (size_t i = 0; i < IDLE_CONNECTIONS; i++) {
		size_t len;
		tls_say(&idle[i],
			"GET /big?size=40000 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
		AUTO(freep) char *reply = tls_hear_all(&idle[i], &len);
		assert_int_equal(status_of(reply), 200);
		for (size_t k = 0; k < 40000; k++)
			assert_int_equal((uint8_t)body_of(reply)[k], file_byte(k));
		tls_close(&idle[i]);
	}
}

static void test_bad_material(void **state)
{
	AUTO(freep) char *key = NULL;
	assert_int_equal(pki_key_new(&key, NULL), 0);
	struct event_base *base = event_base_new();
	struct http_server *s;
	assert_int_equal(http_server_new(base, NULL, serve, NULL, &s, NULL), 0);
	assert_int_equal(http_server_listen(s, "127.0.0.1:0", ca, key, NULL, NULL), -EBADMSG);
	assert_int_equal(http_server_listen(s, "127.0.0.1:0", "x", key, NULL, NULL), -EBADMSG);
	assert_int_equal(http_server_listen(s, "127.0.0.1:0", ca, "x", NULL, NULL), -EBADMSG);
	http_server_free(s);
	event_base_free(base);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_certificates),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_resumption),
		cmocka_unit_test(test_old_version),
		cmocka_unit_test(test_not_tls),
		cmocka_unit_test(test_garbage_before_handshake),
		cmocka_unit_test(test_garbage_after_handshake),
		cmocka_unit_test(test_silent_handshake),
		cmocka_unit_test(test_limits_and_end),
		cmocka_unit_test(test_idle_memory),
		cmocka_unit_test(test_slow_readers),
		cmocka_unit_test(test_bad_material),
	};
	signal(SIGPIPE, SIG_IGN);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
