#pragma once
/*
 * ES256 JSON Web Tokens (RFC 7515, 7518 §3.4, 7519). Only alg ES256 is ever accepted.
 */
#include <jansson.h>
#include <stdint.h>
#include "common/fault.h"

#define JWT_MAX 4096 /* bytes of a token */

struct jwt_key; /* a parsed key, so that a check costs no PEM parsing */
int jwt_key_load(const char *key_or_public_pem, struct jwt_key **ret, struct fault *err);
void jwt_key_free(struct jwt_key *k);

/* @claims: object, borrowed. *ret_token is owned by the caller. Needs a private key. */
int jwt_sign(const struct jwt_key *k, const json_t *claims, char **ret_token, struct fault *err);
/*
 * Checks form, alg, signature, and exp/nbf against @now_s where present. *ret_claims: new reference.
 * -EBADMSG bad form or signature, -EKEYEXPIRED expired.
 */
int jwt_verify(const struct jwt_key *k, const char *token, int64_t now_s, json_t **ret_claims,
	       struct fault *err);
/* Claims without any check of the signature: only for reading our own token (iat as clock floor). */
int jwt_peek(const char *token, json_t **ret_claims, struct fault *err);
