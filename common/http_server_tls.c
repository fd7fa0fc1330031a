#include <errno.h>
#include <mbedtls/error.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/x509_crt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/http_server_priv.h"
#include "common/mbedtls_compat.h"
#include "common/pki_internal.h"

#define TICKET_LIFETIME_S 86400
#define TLS_RECORD 16384 /* bytes of clear text in one record, RFC 5246 §6.2.1 */
#define RECORD_BUFFER \
	(8 + 5 +      \
	 TLS_RECORD) /* bytes that mbedTLS' record buffers have at least: counter, header, text */
#define RECORD_START \
	64 /* bytes of a buffer that hold more than one record's content: the counter, the place of the header */

struct tls_server {
	mbedtls_ssl_config config;
	mbedtls_x509_crt chain;
	mbedtls_pk_context key;
	mbedtls_ssl_ticket_context tickets;
};

struct tls_conn {
	mbedtls_ssl_context ssl;
	struct evbuffer *src, *out; /* borrowed during a call */
	bool is_up;
};

/* Forward secrecy and authenticated encryption only; AES first, since mbedTLS has AES-NI code and only portable ChaCha20. */
static const int suites[] = {
#ifdef MBEDTLS_TLS1_3_AES_128_GCM_SHA256
	MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
	MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
	MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
#endif
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	0,
};

static int tls_configure(struct tls_server *t)
{
	int r = mbedtls_ssl_config_defaults(&t->config, MBEDTLS_SSL_IS_SERVER,
					    MBEDTLS_SSL_TRANSPORT_STREAM,
					    MBEDTLS_SSL_PRESET_DEFAULT);
	if (r)
		return r;
	mbedtls_ssl_conf_rng(&t->config, mbed_random, NULL);
	mbedtls_ssl_conf_ciphersuites(&t->config, suites);
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	mbedtls_ssl_conf_min_tls_version(&t->config, MBEDTLS_SSL_VERSION_TLS1_2);
#else
	mbedtls_ssl_conf_min_version(&t->config, MBEDTLS_SSL_MAJOR_VERSION_3,
				     MBEDTLS_SSL_MINOR_VERSION_3);
#endif
	/* Resumption by tickets: nothing is kept per client. */
	r = mbedtls_ssl_ticket_setup(&t->tickets, mbed_random, NULL, MBEDTLS_CIPHER_AES_256_GCM,
				     TICKET_LIFETIME_S);
	if (r)
		return r;
	mbedtls_ssl_conf_session_tickets_cb(&t->config, mbedtls_ssl_ticket_write,
					    mbedtls_ssl_ticket_parse, &t->tickets);
	return mbedtls_ssl_conf_own_cert(&t->config, &t->chain, &t->key);
}

static void tls_server_freep(struct tls_server **t)
{
	tls_server_free(*t);
}

int tls_server_new(const char *cert_pem, const char *key_pem, struct tls_server **ret,
		   struct fault *err)
{
	AUTO(tls_server_freep) struct tls_server *t = calloc(1, sizeof(*t));
	if (!t)
		return fault_oom(err);
	mbedtls_ssl_config_init(&t->config);
	mbedtls_x509_crt_init(&t->chain);
	mbedtls_pk_init(&t->key);
	mbedtls_ssl_ticket_init(&t->tickets);

	int r = mbedtls_x509_crt_parse(&t->chain, (const unsigned char *)cert_pem,
				       strlen(cert_pem) + 1);
	if (r)
		return r > 0 ? fault_set(err, -EBADMSG, "a certificate of the chain cannot be read")
			     : pki_mbed_fault(err, r, "cannot read the server's certificate");
	r = mbed_pk_parse_key(&t->key, (const unsigned char *)key_pem, strlen(key_pem) + 1);
	if (r)
		return pki_mbed_fault(err, r, "cannot read the server's key");
	if (mbed_pk_check_pair(&t->chain.pk, &t->key))
		return fault_set(err, -EBADMSG,
				 "the server's key does not belong to its certificate");
	r = tls_configure(t);
	if (r)
		return pki_mbed_fault(err, r, "cannot set up TLS");
	*ret = TAKE(t);
	return 0;
}

void tls_server_free(struct tls_server *t)
{
	if (!t)
		return;
	mbedtls_ssl_config_free(&t->config);
	mbedtls_x509_crt_free(&t->chain);
	mbedtls_pk_free(&t->key);
	mbedtls_ssl_ticket_free(&t->tickets);
	free(t);
}

static int bio_send(void *ctx, const unsigned char *data, size_t len)
{
	struct tls_conn *t = ctx;
	/* mbedTLS never gives more than one record, so the length fits an int. */
	return evbuffer_add(t->out, data, len) ? MBEDTLS_ERR_SSL_ALLOC_FAILED : (int)len;
}

static int bio_recv(void *ctx, unsigned char *data, size_t len)
{
	struct tls_conn *t = ctx;
	int n = t->src ? evbuffer_remove(t->src, data, len) : 0;
	return n > 0 ? n : MBEDTLS_ERR_SSL_WANT_READ;
}

struct tls_conn *tls_conn_new(struct tls_server *server)
{
	struct tls_conn *t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	mbedtls_ssl_init(&t->ssl);
	if (mbedtls_ssl_setup(&t->ssl, &server->config)) {
		tls_conn_free(t);
		return NULL;
	}
	mbedtls_ssl_set_bio(&t->ssl, t, bio_send, bio_recv, NULL);
	return t;
}

void tls_conn_free(struct tls_conn *t)
{
	if (!t)
		return;
	mbedtls_ssl_free(&t->ssl);
	free(t);
}

/* Gives the whole pages of @size bytes at @p back to the kernel, but for the first bytes. They read as zeros when used again. */
static void pages_release(unsigned char *p, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uintptr_t first = ((uintptr_t)p + RECORD_START + page - 1) / page * page,
		  end = ((uintptr_t)p + size) / page * page;
	if (p && first < end)
		(void)madvise((void *)first, end - first, MADV_DONTNEED);
}

/*
 * An idle connection keeps 33 KiB of record buffers, which distributions build at their full size (no
 * MBEDTLS_SSL_VARIABLE_BUFFER_LENGTH). Between records only the counters at their start mean anything, and a short request touches no
 * more, so the rest need not stay in memory.
 */
void tls_conn_rest(struct tls_conn *t)
{
	if (mbedtls_ssl_check_pending(&t->ssl) || t->ssl.MBED_FIELD(in_left) ||
	    t->ssl.MBED_FIELD(out_left))
		return;
	pages_release(t->ssl.MBED_FIELD(in_buf), RECORD_BUFFER);
	pages_release(t->ssl.MBED_FIELD(out_buf), RECORD_BUFFER);
}

bool tls_conn_is_up(const struct tls_conn *t)
{
	return t->is_up;
}

static int tls_handshake(struct tls_conn *t)
{
	int r = mbedtls_ssl_handshake(&t->ssl);
	if (r == MBEDTLS_ERR_SSL_WANT_READ || r == MBEDTLS_ERR_SSL_WANT_WRITE)
		return -EAGAIN;
	if (r)
		return -EPROTO;
	t->is_up = true;
	return 0;
}

/* All whole records that are there. A buffer of a record's size: nothing stays inside mbedTLS, where no event would announce it. */
static int tls_read_all(struct tls_conn *t, struct evbuffer *dst)
{
	unsigned char clear[TLS_RECORD];
	for (;;) {
		int r = mbedtls_ssl_read(&t->ssl, clear, sizeof(clear));
		if (r == MBEDTLS_ERR_SSL_WANT_READ || r == MBEDTLS_ERR_SSL_WANT_WRITE)
			return 0;
		if (r == 0 || r == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
			return 1;
		if (r < 0 || evbuffer_add(dst, clear, (size_t)r))
			return -EPROTO;
	}
}

int tls_conn_input(struct tls_conn *t, struct evbuffer *src, struct evbuffer *dst,
		   struct evbuffer *out)
{
	t->src = src;
	t->out = out;
	int r = t->is_up ? 0 : tls_handshake(t);
	if (!r)
		r = tls_read_all(t, dst);
	t->src = t->out = NULL;
	return r == -EAGAIN ? 0 : r;
}

int tls_conn_output(struct tls_conn *t, const void *data, size_t len, struct evbuffer *out)
{
	const unsigned char *p = data;
	t->out = out;
	while (len) {
		int r = mbedtls_ssl_write(&t->ssl, p, len);
		if (r <= 0)
			break;
		p += r;
		len -= (size_t)r;
	}
	t->out = NULL;
	return len ? -EPROTO : 0;
}

void tls_conn_close_notify(struct tls_conn *t, struct evbuffer *out)
{
	t->out = out;
	(void)mbedtls_ssl_close_notify(&t->ssl);
	t->out = NULL;
}
