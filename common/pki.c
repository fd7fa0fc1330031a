#include "common/pki.h"

#include <arpa/inet.h>
#include <errno.h>
#include <mbedtls/oid.h>
#include <mbedtls/x509_crt.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/mbedtls_compat.h"
#include "common/pki_internal.h"

#define DAY_S 86400
#define NAMES_MAX 64

/* Context-specific tags of GeneralName (RFC 5280 §4.2.1.6). */
enum { SAN_DNS = 2, SAN_IP = 7 };

static void crt_donep(mbedtls_x509_crt *crt)
{
	mbedtls_x509_crt_free(crt);
}

static void write_donep(mbedtls_x509write_cert *w)
{
	mbedtls_x509write_crt_free(w);
}

static void mpi_donep(mbedtls_mpi *m)
{
	mbedtls_mpi_free(m);
}

static int crt_load(mbedtls_x509_crt *ret, const char *pem, struct fault *err)
{
	size_t len = pem ? strnlen(pem, PKI_PEM_MAX) : 0;
	if (!len || len == PKI_PEM_MAX)
		return fault_set(err, -EBADMSG,
				 "a certificate must be PEM text of at most %d bytes",
				 PKI_PEM_MAX - 1);
	int r = mbedtls_x509_crt_parse(ret, (const unsigned char *)pem, len + 1);
	if (r > 0)
		return fault_set(err, -EBADMSG, "%d of the certificates cannot be read", r);
	return r ? pki_mbed_fault(err, r, "cannot read the certificate") : 0;
}

/* One entry of a subjectAltName: an address when @name reads as one, a DNS name otherwise. Bytes put, or -EINVAL. */
static int general_name_put(const char *name, uint8_t *out)
{
	uint8_t addr[16];
	size_t n;
	if (inet_pton(AF_INET, name, addr) == 1) {
		n = 4;
		out[0] = 0x80 | SAN_IP;
		memcpy(out + 2, addr, n);
	} else if (inet_pton(AF_INET6, name, addr) == 1) {
		n = 16;
		out[0] = 0x80 | SAN_IP;
		memcpy(out + 2, addr, n);
	} else {
		n = strlen(name);
		if (!n || n > 127 ||
		    strspn(name,
			   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._*") !=
			    n)
			return -EINVAL;
		out[0] = 0x80 | SAN_DNS;
		memcpy(out + 2, name, n);
	}
	out[1] = (uint8_t)n; /* short form: n < 128 */
	return (int)n + 2;
}

/* subjectAltName in DER; mbedTLS 2.28 has no writer for it. */
static int san_set(mbedtls_x509write_cert *w, const char *const *names, struct fault *err)
{
	uint8_t der[4 + NAMES_MAX * 130];
	size_t len = 4, count = 0;
	for (; names[count]; count++) {
		if (count == NAMES_MAX)
			return fault_set(err, -E2BIG, "more than %d names for one certificate",
					 NAMES_MAX);
		int n = general_name_put(names[count], der + len);
		if (n < 0)
			return fault_set(err, -EINVAL,
					 "\"%s\" is neither a host name nor an address",
					 names[count]);
		len += (size_t)n;
	}
	if (!count)
		return fault_set(err, -EINVAL, "a server certificate needs a name");

	/* SEQUENCE with a two-byte length is not minimal below 256 bytes, so the head is as short as DER wants it. */
	size_t body = len - 4, head = body < 128 ? 2 : body < 256 ? 3 : 4;
	uint8_t *start = der + 4 - head;
	start[0] = 0x30;
	if (head == 2) {
		start[1] = (uint8_t)body;
	} else if (head == 3) {
		start[1] = 0x81;
		start[2] = (uint8_t)body;
	} else {
		start[1] = 0x82;
		start[2] = (uint8_t)(body >> 8);
		start[3] = (uint8_t)body;
	}
	int r = mbedtls_x509write_crt_set_extension(w, MBEDTLS_OID_SUBJECT_ALT_NAME,
						    MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME),
						    0, start, body + head);
	return r ? pki_mbed_fault(err, r, "cannot set the names") : 0;
}

/* id-kp-serverAuth, 1.3.6.1.5.5.7.3.1 (RFC 5280 §4.2.1.12). */
static int server_auth_set(mbedtls_x509write_cert *w)
{
	static const uint8_t der[] = { 0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06,
				       0x01, 0x05, 0x05, 0x07, 0x03, 0x01 };
	return mbedtls_x509write_crt_set_extension(w, MBEDTLS_OID_EXTENDED_KEY_USAGE,
						   MBEDTLS_OID_SIZE(MBEDTLS_OID_EXTENDED_KEY_USAGE),
						   0, der, sizeof(der));
}

static int validity_set(mbedtls_x509write_cert *w, unsigned days, struct fault *err)
{
	char from[16], to[16];
	struct tm tm;
	time_t now = time(NULL), until = now + (time_t)days * DAY_S;
	time_t start = now - DAY_S;
	if (!gmtime_r(&start, &tm) || !strftime(from, sizeof(from), "%Y%m%d%H%M%S", &tm))
		return fault_set(err, -EINVAL, "the clock is out of range");
	if (!gmtime_r(&until, &tm) || tm.tm_year > 8099 ||
	    !strftime(to, sizeof(to), "%Y%m%d%H%M%S", &tm))
		return fault_set(err, -EINVAL, "%u days is too long", days);
	int r = mbedtls_x509write_crt_set_validity(w, from, to);
	return r ? pki_mbed_fault(err, r, "cannot set the validity") : 0;
}

/* 16 random bytes, positive and not zero (RFC 5280 §4.1.2.2). */
static int serial_set(mbedtls_x509write_cert *w)
{
	uint8_t bytes[16];
	random_bytes(bytes, sizeof(bytes));
	bytes[0] = (bytes[0] & 0x7f) | 0x40;
#if MBEDTLS_VERSION_NUMBER >= 0x03040000
	return mbedtls_x509write_crt_set_serial_raw(w, bytes, sizeof(bytes));
#else
	AUTO(mpi_donep) mbedtls_mpi serial;
	mbedtls_mpi_init(&serial);
	int r = mbedtls_mpi_read_binary(&serial, bytes, sizeof(bytes));
	return r ? r : mbedtls_x509write_crt_set_serial(w, &serial);
#endif
}

static int subject_set(mbedtls_x509write_cert *w, const char *common_name, struct fault *err)
{
	char dn[3 + 65];
	size_t len = strlen(common_name);
	/* ub-common-name is 64 (RFC 5280 appendix A.1); ',' and '=' would need escapes in mbedTLS' text form. */
	if (!len || len > 64 || strpbrk(common_name, ",=+\\\"<>;#"))
		return fault_set(err, -EINVAL, "\"%s\" cannot be a common name", common_name);
	memcpy(dn, "CN=", 3);
	memcpy(dn + 3, common_name, len + 1);
	int r = mbedtls_x509write_crt_set_subject_name(w, dn);
	return r ? pki_mbed_fault(err, r, "cannot set the name") : 0;
}

static int write_pem(mbedtls_x509write_cert *w, char **ret, struct fault *err)
{
	AUTO(freep) unsigned char *pem = calloc(1, PKI_PEM_MAX);
	if (!pem)
		return fault_oom(err);
	int r = mbedtls_x509write_crt_pem(w, pem, PKI_PEM_MAX, mbed_random, NULL);
	if (r)
		return pki_mbed_fault(err, r, "cannot write the certificate");
	*ret = (char *)TAKE(pem);
	return 0;
}

int pki_ca_new(const char *key_pem, const char *common_name, unsigned days, char **ret_cert_pem,
	       struct fault *err)
{
	AUTO(pk_donep) mbedtls_pk_context pk;
	AUTO(write_donep) mbedtls_x509write_cert w;
	mbedtls_pk_init(&pk);
	mbedtls_x509write_crt_init(&w);

	bool is_private;
	int r = pki_pk_load(&pk, key_pem, &is_private, err);
	if (r)
		return r;
	mbedtls_x509write_crt_set_version(&w, MBEDTLS_X509_CRT_VERSION_3);
	mbedtls_x509write_crt_set_md_alg(&w, MBEDTLS_MD_SHA256);
	mbedtls_x509write_crt_set_subject_key(&w, &pk);
	mbedtls_x509write_crt_set_issuer_key(&w, &pk);
	r = subject_set(&w, common_name, err);
	if (r)
		return r;
	char dn[3 + 65];
	snprintf(dn, sizeof(dn), "CN=%s", common_name);
	r = validity_set(&w, days, err);
	if (r)
		return r;

	r = mbedtls_x509write_crt_set_issuer_name(&w, dn);
	if (!r)
		r = serial_set(&w);
	if (!r)
		r = mbedtls_x509write_crt_set_basic_constraints(&w, 1, 0);
	if (!r)
		r = mbedtls_x509write_crt_set_key_usage(&w, MBEDTLS_X509_KU_KEY_CERT_SIGN |
								    MBEDTLS_X509_KU_CRL_SIGN);
	if (!r)
		r = mbedtls_x509write_crt_set_subject_key_identifier(&w);
	if (!r)
		r = mbedtls_x509write_crt_set_authority_key_identifier(&w);
	if (r)
		return pki_mbed_fault(err, r, "cannot make the certificate");
	return write_pem(&w, ret_cert_pem, err);
}

/* What every server certificate has; the keys are set already. An mbedTLS error, or 0. */
static int server_fields_set(mbedtls_x509write_cert *w, const mbedtls_x509_crt *ca)
{
	char issuer[512];
	int r = mbedtls_x509_dn_gets(issuer, sizeof(issuer), &ca->subject);
	if (r < 0)
		return r;
	mbedtls_x509write_crt_set_version(w, MBEDTLS_X509_CRT_VERSION_3);
	mbedtls_x509write_crt_set_md_alg(w, MBEDTLS_MD_SHA256);
	r = mbedtls_x509write_crt_set_issuer_name(w, issuer);
	if (!r)
		r = serial_set(w);
	if (!r)
		r = mbedtls_x509write_crt_set_basic_constraints(w, 0, -1);
	if (!r)
		r = mbedtls_x509write_crt_set_key_usage(w, MBEDTLS_X509_KU_DIGITAL_SIGNATURE);
	if (!r)
		r = server_auth_set(w);
	if (!r)
		r = mbedtls_x509write_crt_set_subject_key_identifier(w);
	return r ? r : mbedtls_x509write_crt_set_authority_key_identifier(w);
}

int pki_server_cert_new(const char *ca_cert_pem, const char *ca_key_pem, const char *key_pem,
			const char *const *names, unsigned days, char **ret_cert_pem,
			struct fault *err)
{
	AUTO(crt_donep) mbedtls_x509_crt ca;
	AUTO(pk_donep) mbedtls_pk_context ca_key;
	AUTO(pk_donep) mbedtls_pk_context key;
	AUTO(write_donep) mbedtls_x509write_cert w;
	mbedtls_x509_crt_init(&ca);
	mbedtls_pk_init(&ca_key);
	mbedtls_pk_init(&key);
	mbedtls_x509write_crt_init(&w);

	bool is_private;
	int r = crt_load(&ca, ca_cert_pem, err);
	if (!r)
		r = pki_pk_load(&ca_key, ca_key_pem, &is_private, err);
	if (!r && mbed_pk_check_pair(&ca.pk, &ca_key))
		return fault_set(err, -EINVAL, "the CA's key does not belong to its certificate");
	if (!r)
		r = pki_pk_load(&key, key_pem, &is_private, err);
	if (!r)
		r = subject_set(&w, "Slipway server", err);
	if (!r)
		r = validity_set(&w, days, err);
	if (!r)
		r = san_set(&w, names, err);
	if (r)
		return r;

	mbedtls_x509write_crt_set_subject_key(&w, &key);
	mbedtls_x509write_crt_set_issuer_key(&w, &ca_key);
	r = server_fields_set(&w, &ca);
	if (r)
		return pki_mbed_fault(err, r, "cannot make the certificate");
	return write_pem(&w, ret_cert_pem, err);
}

static int64_t to_epoch(const mbedtls_x509_time *t)
{
	struct tm tm = { .tm_year = t->year - 1900,
			 .tm_mon = t->mon - 1,
			 .tm_mday = t->day,
			 .tm_hour = t->hour,
			 .tm_min = t->min,
			 .tm_sec = t->sec };
	return timegm(&tm);
}

int pki_cert_validity(const char *cert_pem, int64_t *ret_not_before, int64_t *ret_not_after,
		      struct fault *err)
{
	AUTO(crt_donep) mbedtls_x509_crt crt;
	mbedtls_x509_crt_init(&crt);
	int r = crt_load(&crt, cert_pem, err);
	if (r)
		return r;
	*ret_not_before = to_epoch(&crt.valid_from);
	*ret_not_after = to_epoch(&crt.valid_to);
	return 0;
}

static bool san_entry_matches(const mbedtls_x509_sequence *s, const char *name)
{
	uint8_t want[2 + 127];
	int n = general_name_put(name, want);
	if (n < 0 || (s->buf.tag & 0x1f) != (want[0] & 0x1f) || s->buf.len != (size_t)n - 2)
		return false;
	if ((want[0] & 0x1f) == SAN_IP)
		return !memcmp(s->buf.p, want + 2, s->buf.len);
	return !strncasecmp((const char *)s->buf.p, name, s->buf.len);
}

static bool san_has(const mbedtls_x509_crt *crt, const char *name)
{
	for (const mbedtls_x509_sequence *s = &crt->subject_alt_names; s && s->buf.p; s = s->next) {
		if (san_entry_matches(s, name))
			return true;
	}
	return false;
}

int pki_cert_covers(const char *cert_pem, const char *const *names, unsigned days,
		    struct fault *err)
{
	AUTO(crt_donep) mbedtls_x509_crt crt;
	mbedtls_x509_crt_init(&crt);
	int r = crt_load(&crt, cert_pem, err);
	if (r)
		return r;
	int64_t now = time(NULL);
	if (to_epoch(&crt.valid_from) > now ||
	    to_epoch(&crt.valid_to) < now + (int64_t)days * DAY_S)
		return 0;
	for (size_t i = 0; names[i]; i++) {
		if (!san_has(&crt, names[i]))
			return 0;
	}
	return 1;
}

int pki_cert_is_signed(const char *cert_pem, const char *ca_cert_pem, struct fault *err)
{
	AUTO(crt_donep) mbedtls_x509_crt crt;
	AUTO(crt_donep) mbedtls_x509_crt ca;
	uint32_t flags = 0;
	mbedtls_x509_crt_init(&crt);
	mbedtls_x509_crt_init(&ca);
	int r = crt_load(&crt, cert_pem, err);
	if (!r)
		r = crt_load(&ca, ca_cert_pem, err);
	if (r)
		return r;
	(void)mbedtls_x509_crt_verify(&crt, &ca, NULL, NULL, &flags, NULL, NULL);
	return !(flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED);
}

int pki_cert_check_key(const char *cert_pem, const char *key_pem, struct fault *err)
{
	AUTO(crt_donep) mbedtls_x509_crt crt;
	AUTO(pk_donep) mbedtls_pk_context key;
	bool is_private;
	mbedtls_x509_crt_init(&crt);
	mbedtls_pk_init(&key);
	int r = crt_load(&crt, cert_pem, err);
	if (!r)
		r = pki_pk_load(&key, key_pem, &is_private, err);
	if (!r && mbed_pk_check_pair(&crt.pk, &key))
		r = fault_set(err, -EBADMSG, "the certificate is of another key");
	return r;
}
