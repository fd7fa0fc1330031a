#include "service/auth.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/json_map.h"
#include "common/jwt.h"
#include "common/pki.h"
#include "common/secret.h"
#include "service/table.h"

#define CACHE_MAX 65536 /* tokens and passwords that were found good; emptied when full */
/* Password checks of all callers together: each costs the only thread 10 to 40 ms, and anybody may ask for them. */
#define SLOW_CHECKS_PER_SECOND 5
#define CREDENTIAL_MAX 8192 /* bytes of a header with credentials */

/* What a good token or password stands for. */
struct verified {
	char fingerprint[SHA256_HEX_LEN + 1]; /* key */
	bool is_agent;
	char user[65];
	char infra_env_id[UUID_LEN + 1], host_id[UUID_LEN + 1], install_id[UUID_LEN + 1];
	char jti[UUID_LEN + 1];
	int64_t iat, exp;    /* s; exp 0 = never */
	char *password_hash; /* of Basic credentials: what it was checked against */
};

struct auth {
	enum auth_mode mode;
	struct jwt_key *key;
	struct state *state;
	struct table cache;
	uint8_t cache_salt[16];
	int64_t slow_second; /* second in which slow_checks were counted */
	unsigned slow_checks;
};

int auth_new(enum auth_mode mode, const char *key_pem, struct state *state, struct auth **ret,
	     struct fault *err)
{
	struct auth *a = calloc(1, sizeof(*a));
	if (!a)
		return fault_oom(err);
	a->mode = mode;
	a->state = state;
	random_bytes(a->cache_salt, sizeof(a->cache_salt));
	int r = jwt_key_load(key_pem, &a->key, err);
	if (r < 0) {
		free(a);
		return r;
	}
	*ret = a;
	return 0;
}

static void verified_free(struct verified *v)
{
	if (!v)
		return;
	free(v->password_hash);
	free(v);
}

static void cache_empty(struct auth *a)
{
	for (size_t i = 0; i < a->cache.size; i++)
		verified_free(a->cache.slots[i].value);
	table_done(&a->cache);
}

void auth_free(struct auth *a)
{
	if (!a)
		return;
	cache_empty(a);
	jwt_key_free(a->key);
	secret_wipe(a->cache_salt, sizeof(a->cache_salt));
	free(a);
}

enum auth_mode auth_mode(const struct auth *a)
{
	return a->mode;
}

/* --- the cache: a signature check costs 1 ms and more, a password check 10 ms --- */

static void fingerprint(const struct auth *a, const char *kind, const char *text,
			char ret[SHA256_HEX_LEN + 1])
{
	struct sha256 s;
	uint8_t digest[SHA256_LEN];

	sha256_init(&s);
	sha256_update(&s, a->cache_salt, sizeof(a->cache_salt));
	sha256_update(&s, kind, strlen(kind) + 1);
	sha256_update(&s, text, strlen(text));
	sha256_final(&s, digest);
	hex_encode(digest, sizeof(digest), ret);
}

/* Takes @v. The cache is only a shortcut: failing to add is no error. */
static void cache_add(struct auth *a, struct verified *v)
{
	if (a->cache.n >= CACHE_MAX)
		cache_empty(a);
	if (table_add(&a->cache, v->fingerprint, v) < 0)
		verified_free(v);
}

static void cache_drop(struct auth *a, struct verified *v)
{
	if (table_remove(&a->cache, v->fingerprint))
		verified_free(v);
}

/* --- tokens --- */

static int refuse(struct fault *err)
{
	return fault_set(err, -EACCES, "unauthenticated for invalid credentials");
}

static int claims_read(const json_t *claims, struct verified *v, struct fault *err)
{
	const char *infra_env = json_str(claims, "infra_env_id"), *user = json_str(claims, "sub"),
		   *host = json_str(claims, "host_id");
	const char *jti = json_str(claims, "jti"), *install = json_str(claims, "install_id");

	v->is_agent = infra_env != NULL;
	v->iat = json_i64(claims, "iat");
	v->exp = json_i64(claims, "exp");
	if ((infra_env != NULL) == (user != NULL) || !jti)
		return fault_set(err, -EACCES, "the token is of no kind that is known here");
	if (!str_copy(v->jti, sizeof(v->jti), jti) ||
	    !str_copy(v->user, sizeof(v->user), user ? user : "") ||
	    !str_copy(v->infra_env_id, sizeof(v->infra_env_id), infra_env ? infra_env : "") ||
	    !str_copy(v->host_id, sizeof(v->host_id), host ? host : "") ||
	    !str_copy(v->install_id, sizeof(v->install_id), install ? install : ""))
		return fault_set(err, -EACCES, "a claim of the token is too long");
	return 0;
}

/* Finds the token in the cache or checks its signature. *ret is borrowed from the cache. */
static int token_verify(struct auth *a, const char *token, int64_t now_us, struct verified **ret,
			struct fault *err)
{
	char print[SHA256_HEX_LEN + 1];
	struct fault why = FAULT_INIT;
	AUTO(json_decrefp) json_t *claims = NULL;

	if (strlen(token) > JWT_MAX)
		return refuse(err);
	fingerprint(a, "token", token, print);
	*ret = table_get(&a->cache, print);
	if (*ret)
		return 0;

	int r = jwt_verify(a->key, token, now_us / 1000000, &claims, &why);
	if (r < 0)
		return fault_set(err, -EACCES, "Failed to parse token: %s", fault_text(&why));
	struct verified *v = calloc(1, sizeof(*v));
	if (!v)
		return fault_oom(err);
	memcpy(v->fingerprint, print, sizeof(print));
	r = claims_read(claims, v, err);
	if (r < 0) {
		free(v);
		return r;
	}
	cache_add(a, v);
	*ret = table_get(&a->cache, print);
	return *ret ? 0 : fault_oom(err);
}

/* What can change after the signature was found good: time, revocation, the objects. */
static int token_is_current(struct auth *a, const struct verified *v, int64_t now_us,
			    struct fault *err)
{
	int64_t epoch = 0;

	if (v->exp && now_us / 1000000 >= v->exp)
		return fault_set(err, -EACCES, "the token has expired");
	if (state_token_is_revoked(a->state, v->jti))
		return fault_set(err, -EACCES, "the token was revoked");
	if (v->is_agent) {
		const struct infra_env *ie = state_infra_env(a->state, v->infra_env_id);
		if (!ie)
			return fault_set(err, -EACCES, "the token's infra-env does not exist");
		epoch = ie->token_epoch;
	} else {
		const struct user *u = state_user(a->state, v->user);
		if (!u)
			return fault_set(err, -EACCES, "the token's user does not exist");
		epoch = u->token_epoch;
	}
	return v->iat < epoch ? fault_set(err, -EACCES, "the token was revoked") : 0;
}

static int caller_from_user(struct auth *a, const char *name, struct caller *ret)
{
	const struct user *u = state_user(a->state, name);

	if (!u)
		return -EACCES;
	*ret = (struct caller){ .scheme = AUTH_USER, .role = (enum user_role)u->role };
	str_copy(ret->user, sizeof(ret->user), u->name);
	return 0;
}

static int check_token(struct auth *a, const char *token, bool want_agent, int64_t now_us,
		       struct caller *ret, struct fault *err)
{
	struct verified *v;

	int r = token_verify(a, token, now_us, &v, err);
	if (r == 0)
		r = token_is_current(a, v, now_us, err);
	if (r < 0)
		return r;
	if (v->is_agent != want_agent)
		return fault_set(err, -EPERM, "a token of a%s is not accepted here",
				 v->is_agent ? "n agent" : " user");
	if (!v->is_agent)
		return caller_from_user(a, v->user, ret);
	*ret = (struct caller){ .scheme = AUTH_AGENT };
	str_copy(ret->infra_env_id, sizeof(ret->infra_env_id), v->infra_env_id);
	str_copy(ret->host_id, sizeof(ret->host_id), v->host_id);
	str_copy(ret->install_id, sizeof(ret->install_id), v->install_id);
	return 0;
}

/* --- Basic --- */

static int slow_check_allowed(struct auth *a, int64_t now_us, struct fault *err)
{
	int64_t second = now_us / 1000000;

	if (a->slow_second != second) {
		a->slow_second = second;
		a->slow_checks = 0;
	}
	if (++a->slow_checks > SLOW_CHECKS_PER_SECOND)
		return fault_set(err, -EAGAIN, "too many sign-ins at once, try again in a second");
	return 0;
}

static void password_remember(struct auth *a, const char *print, const struct user *u)
{
	struct verified *v = calloc(1, sizeof(*v));

	if (!v)
		return;
	memcpy(v->fingerprint, print, SHA256_HEX_LEN + 1);
	str_copy(v->user, sizeof(v->user), u->name);
	v->password_hash = str_dup(u->password_hash);
	if (v->password_hash)
		cache_add(a, v);
	else
		verified_free(v);
}

/* @pair: "name:password", decoded. */
static int check_pair(struct auth *a, char *pair, int64_t now_us, struct caller *ret,
		      struct fault *err)
{
	char print[SHA256_HEX_LEN + 1];
	char *colon = strchr(pair, ':');

	if (!colon)
		return refuse(err);
	fingerprint(a, "basic", pair, print);
	*colon = '\0';

	struct user *u = state_user(a->state, pair);
	struct verified *v = table_get(&a->cache, print);
	if (v && u && str_eq(v->password_hash, u->password_hash))
		return caller_from_user(a, u->name, ret);
	if (v)
		cache_drop(a, v);
	int r = slow_check_allowed(a, now_us, err);
	if (r < 0)
		return r;
	/* An unknown name costs the same time as a wrong password: the answer must not tell them apart. */
	static const char nobody[] =
		"pbkdf2-sha256$30000$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	bool good = auth_password_matches(u ? u->password_hash : nobody, colon + 1);
	if (!u || !good)
		return refuse(err);
	password_remember(a, print, u);
	return caller_from_user(a, u->name, ret);
}

static int check_basic(struct auth *a, const char *text, int64_t now_us, struct caller *ret,
		       struct fault *err)
{
	void *pair;
	size_t len;

	if (base64_decode(text, strlen(text), &pair, &len) < 0)
		return refuse(err);
	int r = strlen(pair) == len ? check_pair(a, pair, now_us, ret, err) : refuse(err);
	secret_wipe(pair, len);
	free(pair);
	return r;
}

static int check_authorization(struct auth *a, const char *value, int64_t now_us,
			       struct caller *ret, struct fault *err)
{
	if (strlen(value) > CREDENTIAL_MAX)
		return refuse(err);
	if (!strncasecmp(value, "Basic ", 6))
		return check_basic(a, value + 6 + strspn(value + 6, " "), now_us, ret, err);
	if (!strncasecmp(value, "Bearer ", 7))
		return check_token(a, value + 7 + strspn(value + 7, " "), false, now_us, ret, err);
	return refuse(err);
}

/* --- the check --- */

struct infra_env *auth_handle_find(struct auth *a, const char *handle)
{
	return handle && *handle && strlen(handle) < 64
		       ? state_infra_env_by_handle(a->state, handle)
		       : NULL;
}

static int check_handle(struct auth *a, const char *handle, struct caller *ret, struct fault *err)
{
	const struct infra_env *ie = auth_handle_find(a, handle);

	if (!ie)
		return refuse(err);
	*ret = (struct caller){ .scheme = AUTH_URL };
	str_copy(ret->infra_env_id, sizeof(ret->infra_env_id), ie->id);
	return 0;
}

int auth_check(struct auth *a, unsigned schemes, const struct credentials *c, int64_t now_us,
	       struct caller *ret, struct fault *err)
{
	int r;

	*ret = (struct caller){ .scheme = AUTH_OPEN };
	if (a->mode == AUTH_MODE_NONE) {
		*ret = (struct caller){ .scheme = AUTH_USER, .user = "admin", .role = USER_ADMIN };
		return 0;
	}
	if (schemes & AUTH_OPEN)
		return 0;
	if (!str_empty(c->authorization))
		r = check_authorization(a, c->authorization, now_us, ret, err);
	else if (!str_empty(c->secret_key))
		r = check_token(a, c->secret_key, true, now_us, ret, err);
	else if (!str_empty(c->api_key))
		r = check_handle(a, c->api_key, ret, err);
	else
		return refuse(err);
	if (r < 0)
		return r;
	if (!(ret->scheme & schemes))
		return fault_set(err, -EPERM, "credentials of this kind are not accepted here");
	return 0;
}

bool auth_in_scope(const struct caller *c, const char *infra_env_id, const char *host_id)
{
	if (c->infra_env_id[0] && strcmp(c->infra_env_id, infra_env_id) != 0)
		return false;
	return !c->host_id[0] || (host_id && !strcmp(c->host_id, host_id));
}

/* --- making --- */

static int sign_named(struct auth *a, json_t *claims, const char *jti, int64_t now_us,
		      int64_t ttl_s, char **ret, struct fault *err)
{
	AUTO(json_decrefp) json_t *owned = claims;
	int64_t now_s = now_us / 1000000;

	if (!owned || json_object_set_new(owned, "iat", json_integer(now_s)) < 0 ||
	    json_object_set_new(owned, "jti", json_string(jti)) < 0 ||
	    (ttl_s > 0 && json_object_set_new(owned, "exp", json_integer(now_s + ttl_s)) < 0))
		return fault_oom(err);
	return jwt_sign(a->key, owned, ret, err);
}

static int sign(struct auth *a, json_t *claims, int64_t now_us, int64_t ttl_s, char **ret,
		struct fault *err)
{
	char jti[UUID_LEN + 1];

	uuid_random(jti);
	return sign_named(a, claims, jti, now_us, ttl_s, ret, err);
}

int auth_agent_token(struct auth *a, const struct infra_env *ie, const char *host_id,
		     int64_t now_us, int64_t ttl_s, char **ret, struct fault *err)
{
	if (a->mode == AUTH_MODE_NONE) {
		*ret = strdup("");
		return *ret ? 0 : fault_oom(err);
	}
	json_t *claims = json_pack("{ss}", "infra_env_id", ie->id);
	if (claims && host_id && json_object_set_new(claims, "host_id", json_string(host_id)) < 0) {
		json_decref(claims);
		return fault_oom(err);
	}
	return sign(a, claims, now_us, ttl_s, ret, err);
}

int auth_installed_token(struct auth *a, const struct infra_env *ie, const char *host_id,
			 const char *install_id, int64_t now_us, char **ret, struct fault *err)
{
	if (a->mode == AUTH_MODE_NONE) {
		*ret = strdup("");
		return *ret ? 0 : fault_oom(err);
	}
	return sign(a,
		    json_pack("{s:s, s:s, s:s}", "infra_env_id", ie->id, "host_id", host_id,
			      "install_id", install_id),
		    now_us, 0, ret, err);
}

/* Signatures are deterministic (RFC 6979): with a name made from what is signed, so is the token. */
int auth_medium_token(struct auth *a, const struct infra_env *ie, int64_t moment_us, int64_t ttl_s,
		      char **ret, struct fault *err)
{
	uint8_t digest[SHA256_LEN];
	char text[UUID_LEN + 64], jti[UUID_LEN + 1];

	if (a->mode == AUTH_MODE_NONE) {
		*ret = strdup("");
		return *ret ? 0 : fault_oom(err);
	}
	int n = snprintf(text, sizeof(text), "medium %s %" PRId64, ie->id, moment_us);
	sha256(text, (size_t)n, digest);
	uuid_format(digest, jti);
	return sign_named(a, json_pack("{ss}", "infra_env_id", ie->id), jti, moment_us, ttl_s, ret,
			  err);
}

int auth_user_token(struct auth *a, const char *user, int64_t now_us, int64_t ttl_s, char **ret,
		    struct fault *err)
{
	if (!state_user(a->state, user))
		return fault_set(err, -ENOENT, "there is no user %s", user);
	return sign(a, json_pack("{ss}", "sub", user), now_us, ttl_s, ret, err);
}

int auth_token_revoke(struct auth *a, const char *token, struct fault *err)
{
	AUTO(json_decrefp) json_t *claims = NULL;

	int r = jwt_verify(a->key, token, 0, &claims, err);
	if (r < 0)
		return r;
	const char *jti = json_str(claims, "jti");
	if (!jti || strlen(jti) > UUID_LEN)
		return fault_set(err, -EINVAL, "the token has no id by which it could be revoked");
	return state_token_revoke(a->state, jti);
}

char *auth_handle_new(void)
{
	uint8_t bytes[16];

	random_bytes(bytes, sizeof(bytes));
	return base64url_encode(bytes, sizeof(bytes));
}
