#include "common/pki.h"

#include <errno.h>
#include <mbedtls/ecp.h>
#include <mbedtls/error.h>
#include <string.h>
#include <sys/random.h>

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/mbedtls_compat.h"
#include "common/pki_internal.h"

#define SCALAR 32 /* bytes of r and of s */

void random_bytes(void *out, size_t len)
{
	uint8_t *p = out;
	while (len) {
		ssize_t n = getrandom(p, len, 0);
		if (n < 0) {
			if (errno == EINTR)
				continue;
			/* Only a kernel without the call (before 3.17) or a filter that forbids it gets here: no key may be made. */
			abort();
		}
		p += n;
		len -= (size_t)n;
	}
}

int mbed_random(void *unused, unsigned char *out, size_t len)
{
	random_bytes(out, len);
	return 0;
}

int pki_mbed_fault(struct fault *err, int mbed, const char *what)
{
	char text[160];
	mbedtls_strerror(mbed, text, sizeof(text));
	int code = mbed == MBEDTLS_ERR_PK_ALLOC_FAILED ? -ENOMEM : -EBADMSG;
	return fault_set(err, code, "%s: %s (-0x%04x)", what, text, (unsigned)-mbed);
}

int pki_pk_load(mbedtls_pk_context *ret, const char *pem, bool *ret_is_private, struct fault *err)
{
	size_t len = pem ? strnlen(pem, PKI_PEM_MAX) : 0;
	if (!len || len == PKI_PEM_MAX)
		return fault_set(err, -EBADMSG, "a key must be PEM text of at most %d bytes",
				 PKI_PEM_MAX - 1);

	AUTO(pk_donep) mbedtls_pk_context pk;
	mbedtls_pk_init(&pk);
	bool is_private = strstr(pem, "PRIVATE KEY-----");
	int r = is_private ? mbed_pk_parse_key(&pk, (const unsigned char *)pem, len + 1)
			   : mbedtls_pk_parse_public_key(&pk, (const unsigned char *)pem, len + 1);
	if (r)
		return pki_mbed_fault(err, r, "cannot read the key");
	if (!mbedtls_pk_can_do(&pk, MBEDTLS_PK_ECKEY) ||
	    mbedtls_pk_ec(pk)->MBED_FIELD(grp).id != MBEDTLS_ECP_DP_SECP256R1)
		return fault_set(err, -EBADMSG, "the key is not an EC key on P-256");

	*ret = pk;
	mbedtls_pk_init(&pk);
	*ret_is_private = is_private;
	return 0;
}

int pki_key_new(char **ret_key_pem, struct fault *err)
{
	AUTO(pk_donep) mbedtls_pk_context pk;
	mbedtls_pk_init(&pk);
	int r = mbedtls_pk_setup(&pk, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
	if (!r)
		r = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(pk), mbed_random,
					NULL);
	if (r)
		return pki_mbed_fault(err, r, "cannot make a key");

	unsigned char pem[PKI_DER_MAX];
	r = mbedtls_pk_write_key_pem(&pk, pem, sizeof(pem));
	if (r)
		return pki_mbed_fault(err, r, "cannot write the key");
	char *copy = strdup((char *)pem);
	explicit_bzero(pem, sizeof(pem));
	if (!copy)
		return fault_oom(err);
	*ret_key_pem = copy;
	return 0;
}

int pki_key_public(const char *key_pem, char **ret_public_pem, struct fault *err)
{
	AUTO(pk_donep) mbedtls_pk_context pk;
	mbedtls_pk_init(&pk);
	bool is_private;
	int r = pki_pk_load(&pk, key_pem, &is_private, err);
	if (r)
		return r;

	unsigned char pem[PKI_DER_MAX];
	r = mbedtls_pk_write_pubkey_pem(&pk, pem, sizeof(pem));
	if (r)
		return pki_mbed_fault(err, r, "cannot write the public key");
	char *copy = strdup((char *)pem);
	if (!copy)
		return fault_oom(err);
	*ret_public_pem = copy;
	return 0;
}

int pki_key_id(const char *key_or_public_pem, uint8_t ret[32], struct fault *err)
{
	AUTO(pk_donep) mbedtls_pk_context pk;
	mbedtls_pk_init(&pk);
	bool is_private;
	int r = pki_pk_load(&pk, key_or_public_pem, &is_private, err);
	if (r)
		return r;

	/* mbedTLS writes DER at the end of the buffer. */
	unsigned char der[PKI_DER_MAX];
	r = mbedtls_pk_write_pubkey_der(&pk, der, sizeof(der));
	if (r < 0)
		return pki_mbed_fault(err, r, "cannot write the public key");
	sha256(der + sizeof(der) - r, (size_t)r, ret);
	return 0;
}

/* One INTEGER of an ECDSA-Sig-Value (RFC 3279 §2.2.3) as 32 bytes, big endian. Returns what follows it, or NULL. */
static const uint8_t *der_to_scalar(const uint8_t *p, const uint8_t *end, uint8_t ret[SCALAR])
{
	if (end - p < 2 || p[0] != 0x02 || p[1] == 0 || p[1] > SCALAR + 1 || end - p - 2 < p[1])
		return NULL;
	size_t n = p[1];
	p += 2;
	const uint8_t *next = p + n;
	if (n == SCALAR + 1) {
		if (*p)
			return NULL;
		p++;
		n--;
	}
	memset(ret, 0, SCALAR - n);
	memcpy(ret + SCALAR - n, p, n);
	return next;
}

static size_t scalar_to_der(const uint8_t scalar[SCALAR], uint8_t *out)
{
	size_t skip = 0;
	while (skip < SCALAR - 1 && !scalar[skip])
		skip++;
	bool is_padded = scalar[skip] & 0x80; /* would be negative */
	size_t n = SCALAR - skip + is_padded;
	out[0] = 0x02;
	out[1] = (uint8_t)n;
	out[2] = 0;
	memcpy(out + 2 + is_padded, scalar + skip, SCALAR - skip);
	return n + 2;
}

int pki_pk_sign_raw(mbedtls_pk_context *pk, const uint8_t digest[32], uint8_t ret_sig[64],
		    struct fault *err)
{
	unsigned char der[MBEDTLS_ECDSA_MAX_LEN];
	size_t len;
	int r = mbed_pk_sign(pk, digest, der, sizeof(der), &len);
	if (r)
		return pki_mbed_fault(err, r, "cannot sign");

	/* At most 72 bytes for P-256: the length of the SEQUENCE is one byte. */
	uint8_t raw[2 * SCALAR];
	const uint8_t *end = der + len, *p = NULL;
	if (len > 2 && der[0] == 0x30 && der[1] == len - 2)
		p = der_to_scalar(der + 2, end, raw);
	if (p)
		p = der_to_scalar(p, end, raw + SCALAR);
	if (p != end)
		return fault_set(err, -EBADMSG,
				 "cannot sign: the library's signature has an unknown form");
	memcpy(ret_sig, raw, sizeof(raw));
	return 0;
}

int pki_pk_verify_raw(mbedtls_pk_context *pk, const uint8_t digest[32], const uint8_t sig[64])
{
	uint8_t der[2 + 2 * (SCALAR + 3)];
	size_t len = 2;
	len += scalar_to_der(sig, der + len);
	len += scalar_to_der(sig + SCALAR, der + len);
	der[0] = 0x30;
	der[1] = (uint8_t)(len - 2);
	return mbedtls_pk_verify(pk, MBEDTLS_MD_SHA256, digest, 32, der, len) ? -EBADMSG : 0;
}

int pki_sign_raw(const char *key_pem, const uint8_t digest[32], uint8_t ret_sig[64],
		 struct fault *err)
{
	AUTO(pk_donep) mbedtls_pk_context pk;
	mbedtls_pk_init(&pk);
	bool is_private;
	int r = pki_pk_load(&pk, key_pem, &is_private, err);
	if (r)
		return r;
	if (!is_private)
		return fault_set(err, -EBADMSG, "cannot sign with a public key");
	return pki_pk_sign_raw(&pk, digest, ret_sig, err);
}

int pki_verify_raw(const char *key_pem, const uint8_t digest[32], const uint8_t sig[64],
		   struct fault *err)
{
	AUTO(pk_donep) mbedtls_pk_context pk;
	mbedtls_pk_init(&pk);
	bool is_private;
	int r = pki_pk_load(&pk, key_pem, &is_private, err);
	if (r == -EBADMSG)
		return fault_set(err, -EINVAL, "the key for the check cannot be read");
	if (r)
		return r;
	if (pki_pk_verify_raw(&pk, digest, sig))
		return fault_set(err, -EBADMSG, "the signature does not fit");
	return 0;
}
