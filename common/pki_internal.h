#pragma once
/* Parsed keys, shared by pki and jwt; private to the two. */
#include <mbedtls/pk.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/fault.h"

#define PKI_PEM_MAX 16384 /* bytes of one PEM text */
#define PKI_DER_MAX 4096  /* bytes of one key, certificate or extension that we write */

/* @ret is initialised by this function; mbedtls_pk_free() it when 0 comes back. Only P-256 is accepted. */
int pki_pk_load(mbedtls_pk_context *ret, const char *pem, bool *ret_is_private, struct fault *err);
int pki_pk_sign_raw(mbedtls_pk_context *pk, const uint8_t digest[32], uint8_t ret_sig[64],
		    struct fault *err);
/* 0, or -EBADMSG. */
int pki_pk_verify_raw(mbedtls_pk_context *pk, const uint8_t digest[32], const uint8_t sig[64]);
/* Puts "<what>: <mbedTLS' words>" into @err; returns -ENOMEM or -EBADMSG. */
int pki_mbed_fault(struct fault *err, int mbed, const char *what);

static inline void pk_donep(mbedtls_pk_context *pk)
{
	mbedtls_pk_free(pk);
}
