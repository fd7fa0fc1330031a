#pragma once
/*
 * P-256 keys and X.509 certificates over mbedTLS (2.28 and 3.x). All material is PEM text, NUL-terminated, owned by the caller.
 */
#include <stddef.h>
#include <stdint.h>
#include "common/fault.h"

/* A new P-256 private key (SEC1 or PKCS#8 PEM). */
int pki_key_new(char **ret_key_pem, struct fault *err);
int pki_key_public(const char *key_pem, char **ret_public_pem, struct fault *err);
/* SHA-256 of the DER SubjectPublicKeyInfo: the key's id. */
int pki_key_id(const char *key_or_public_pem, uint8_t ret[32], struct fault *err);

/* Self-signed CA (v3, CA:TRUE, keyCertSign), valid from one day before now for @days. */
int pki_ca_new(const char *key_pem, const char *common_name, unsigned days, char **ret_cert_pem,
	       struct fault *err);
/*
 * Server certificate signed by the CA; @names: DNS names and IP addresses (text), NULL-terminated, all as subjectAltName (RFC 5280 §4.2.1.6).
 * Valid from one day before now: a host with a slightly wrong clock accepts it.
 */
int pki_server_cert_new(const char *ca_cert_pem, const char *ca_key_pem, const char *key_pem,
			const char *const *names, unsigned days, char **ret_cert_pem,
			struct fault *err);
/* Seconds since the epoch. */
int pki_cert_validity(const char *cert_pem, int64_t *ret_not_before, int64_t *ret_not_after,
		      struct fault *err);
/* 1 = every name of @names is in the certificate's subjectAltName and it is valid for @days more, 0 = not, or -errno. */
int pki_cert_covers(const char *cert_pem, const char *const *names, unsigned days,
		    struct fault *err);

/* 1 = @ca_cert_pem signed the certificate, 0 = not, or -errno. */
int pki_cert_is_signed(const char *cert_pem, const char *ca_cert_pem, struct fault *err);
/* 0 = the certificate is that of @key_pem, -EBADMSG = of another key or unreadable. */
int pki_cert_check_key(const char *cert_pem, const char *key_pem, struct fault *err);

/* ECDSA P-256 over a SHA-256 digest. Raw = r||s, 64 bytes (JOSE). */
int pki_sign_raw(const char *key_pem, const uint8_t digest[32], uint8_t ret_sig[64],
		 struct fault *err);
/* 0 = good, -EBADMSG = bad signature, other -errno. Key may be public or private PEM. */
int pki_verify_raw(const char *key_pem, const uint8_t digest[32], const uint8_t sig[64],
		   struct fault *err);
/* len bytes from the kernel. */
void random_bytes(void *out, size_t len);
