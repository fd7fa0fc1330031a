#include "common/jwt.h"

#include <errno.h>
#include <mbedtls/pk.h>
#include <stdbool.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/json_map.h"
#include "common/pki_internal.h"
#include "common/str.h"

#define SIGNATURE_CHARS 86 /* base64url of 64 bytes */
/* base64url of {"alg":"ES256","typ":"JWT"} */
#define OUR_HEADER "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9"

struct jwt_key {
	mbedtls_pk_context pk;
	bool is_private;
};

/* The three parts of a compact token (RFC 7515 §3.1), not decoded. */
struct jwt_parts {
	const char *header, *payload, *signature;
	size_t header_len, payload_len, signed_len;
};

int jwt_key_load(const char *key_or_public_pem, struct jwt_key **ret, struct fault *err)
{
	AUTO(freep) struct jwt_key *k = calloc(1, sizeof(*k));
	if (!k)
		return fault_oom(err);
	int r = pki_pk_load(&k->pk, key_or_public_pem, &k->is_private, err);
	if (r)
		return r;
	*ret = TAKE(k);
	return 0;
}

void jwt_key_free(struct jwt_key *k)
{
	if (!k)
		return;
	mbedtls_pk_free(&k->pk);
	free(k);
}

static int bad_form(struct fault *err)
{
	return fault_set(err, -EBADMSG, "the token is malformed");
}

static int split(const char *token, struct jwt_parts *ret, struct fault *err)
{
	size_t len = token ? strnlen(token, JWT_MAX + 1) : 0;
	if (!len || len > JWT_MAX)
		return bad_form(err);
	const char *dot1 = strchr(token, '.');
	const char *dot2 = dot1 ? strchr(dot1 + 1, '.') : NULL;
	if (!dot2 || strlen(dot2 + 1) != SIGNATURE_CHARS || dot1 == token || dot2 == dot1 + 1)
		return bad_form(err);
	*ret = (struct jwt_parts){
		.header = token,
		.payload = dot1 + 1,
		.signature = dot2 + 1,
		.header_len = (size_t)(dot1 - token),
		.payload_len = (size_t)(dot2 - dot1 - 1),
		.signed_len = (size_t)(dot2 - token),
	};
	return 0;
}

/* A part that must be a JSON object: duplicate keys, depth and text behind it are refused by json_parse(). */
static int decode_object(const char *part, size_t len, json_t **ret, struct fault *err)
{
	AUTO(freep) void *text = NULL;
	size_t text_len;
	if (base64url_decode(part, len, &text, &text_len))
		return bad_form(err);
	AUTO(json_decrefp) json_t *object = json_parse(text, text_len, JWT_MAX, false, NULL);
	if (!json_is_object(object))
		return bad_form(err);
	*ret = TAKE(object);
	return 0;
}

/* Only ES256 (no "none", no HMAC with the public key), and no extension that we would have to understand (RFC 7515 §4.1.11). */
static int check_header(const struct jwt_parts *p, struct fault *err)
{
	if (p->header_len == strlen(OUR_HEADER) && !memcmp(p->header, OUR_HEADER, p->header_len))
		return 0;

	AUTO(json_decrefp) json_t *header = NULL;
	int r = decode_object(p->header, p->header_len, &header, err);
	if (r)
		return r;
	const char *alg = json_str(header, "alg"), *type = json_str(header, "typ");
	if (!str_eq(alg, "ES256") || json_object_get(header, "crit"))
		return fault_set(err, -EBADMSG, "the token is not signed with ES256");
	if (json_object_get(header, "typ") && (!type || strcasecmp(type, "JWT")))
		return bad_form(err);
	return 0;
}

static int check_signature(const struct jwt_key *k, const char *token, const struct jwt_parts *p,
			   struct fault *err)
{
	AUTO(freep) void *sig = NULL;
	size_t sig_len;
	if (base64url_decode(p->signature, SIGNATURE_CHARS, &sig, &sig_len) || sig_len != 64)
		return bad_form(err);
	/* The last character has four unused bits: only zeros are accepted there, so a token has one text. */
	if (!strchr("AQgw", p->signature[SIGNATURE_CHARS - 1]))
		return bad_form(err);

	uint8_t digest[SHA256_LEN];
	sha256(token, p->signed_len, digest);
	/* Verification does not change the key; mbedTLS' prototype only lacks the const. */
	if (pki_pk_verify_raw((mbedtls_pk_context *)&k->pk, digest, sig))
		return fault_set(err, -EBADMSG, "the token's signature is wrong");
	return 0;
}

/* NumericDate (RFC 7519 §2) may have a fraction. 1 = there, 0 = absent, -EBADMSG. */
static int numeric_date(const json_t *claims, const char *name, int64_t *ret)
{
	const json_t *v = json_object_get(claims, name);
	if (!v)
		return 0;
	if (json_is_integer(v)) {
		*ret = json_integer_value(v);
		return 1;
	}
	double d = json_real_value(v);
	if (!json_is_real(v) || !(d > -1e15 && d < 1e15))
		return -EBADMSG;
	*ret = (int64_t)d;
	return 1;
}

static int check_times(const json_t *claims, int64_t now_s, struct fault *err)
{
	int64_t at = 0;
	int r = numeric_date(claims, "exp", &at);
	if (r < 0)
		return bad_form(err);
	if (r && now_s >= at)
		return fault_set(err, -EKEYEXPIRED, "the token has expired");
	r = numeric_date(claims, "nbf", &at);
	if (r < 0)
		return bad_form(err);
	if (r && now_s < at)
		return fault_set(err, -EBADMSG, "the token is not valid yet");
	return 0;
}

int jwt_sign(const struct jwt_key *k, const json_t *claims, char **ret_token, struct fault *err)
{
	if (!k->is_private || !json_is_object(claims))
		return fault_set(err, -EINVAL,
				 "a token needs a private key and an object of claims");
	AUTO(freep) char *text = json_text(claims, false);
	if (!text)
		return fault_oom(err);
	AUTO(freep) char *payload = base64url_encode(text, strlen(text));
	if (!payload)
		return fault_oom(err);
	AUTO(freep) char *head = str_printf("%s.%s", OUR_HEADER, payload);
	if (!head)
		return fault_oom(err);
	if (strlen(head) + 1 + SIGNATURE_CHARS > JWT_MAX)
		return fault_set(err, -EMSGSIZE, "the claims are too long for a token");

	uint8_t digest[SHA256_LEN], sig[64];
	sha256(head, strlen(head), digest);
	int r = pki_pk_sign_raw((mbedtls_pk_context *)&k->pk, digest, sig, err);
	if (r)
		return r;
	AUTO(freep) char *sig_text = base64url_encode(sig, sizeof(sig));
	char *token = sig_text ? str_printf("%s.%s", head, sig_text) : NULL;
	if (!token)
		return fault_oom(err);
	*ret_token = token;
	return 0;
}

int jwt_verify(const struct jwt_key *k, const char *token, int64_t now_s, json_t **ret_claims,
	       struct fault *err)
{
	struct jwt_parts p;
	int r = split(token, &p, err);
	if (!r)
		r = check_header(&p, err);
	if (!r)
		r = check_signature(k, token, &p, err);
	if (r)
		return r;

	AUTO(json_decrefp) json_t *claims = NULL;
	r = decode_object(p.payload, p.payload_len, &claims, err);
	if (!r)
		r = check_times(claims, now_s, err);
	if (r)
		return r;
	*ret_claims = TAKE(claims);
	return 0;
}

int jwt_peek(const char *token, json_t **ret_claims, struct fault *err)
{
	struct jwt_parts p;
	int r = split(token, &p, err);
	return r ? r : decode_object(p.payload, p.payload_len, ret_claims, err);
}
