#pragma once
/*
 * Who is calling. Mode none: everybody is the administrator. Mode local: users by Basic or Bearer, agents by X-Secret-Key (an ES256 JWT
 * bound to one infra-env, perhaps to one host), downloads by a short opaque handle.
 */
#include <stdbool.h>
#include <stdint.h>
#include "common/fault.h"
#include "common/str.h"
#include "service/config.h"
#include "service/state.h"

/* What a route accepts; any one is enough (assisted-v2 §2.1). */
enum auth_scheme {
	AUTH_OPEN = 1 << 0,  /* no credentials in any mode */
	AUTH_USER = 1 << 1,  /* Authorization: Basic | Bearer */
	AUTH_AGENT = 1 << 2, /* X-Secret-Key: an infra-env's token */
	AUTH_URL = 1 << 3,   /* query api_key: a download handle */
};

enum user_role { USER_ADMIN, USER_PLAIN, USER_READ_ONLY };

/* The result of a check. */
struct caller {
	enum auth_scheme scheme;
	char user[65]; /* AUTH_USER: the name; "admin" in mode none */
	enum user_role role;
	char infra_env_id[UUID_LEN + 1]; /* AUTH_AGENT, AUTH_URL: the scope; "" = all */
	char host_id[UUID_LEN + 1];      /* AUTH_AGENT: "" = every host of the infra-env */
	char install_id[UUID_LEN +
			1]; /* AUTH_AGENT: the installation that left the token; "" = none */
};

struct auth;
/* @key_pem: the service's signing key (P-256). @state is borrowed. */
int auth_new(enum auth_mode mode, const char *key_pem, struct state *state, struct auth **ret,
	     struct fault *err);
void auth_free(struct auth *a);
enum auth_mode auth_mode(const struct auth *a);

/* The credentials of one request; every string may be NULL. */
struct credentials {
	const char *authorization; /* header Authorization */
	const char *secret_key;    /* header X-Secret-Key */
	const char *api_key;       /* query api_key */
};
/*
 * Checks @c against the @schemes of a route. 0; -EACCES (401) no or bad credentials, -EPERM (403) good ones of a class that the route does
 * not take.
 */
int auth_check(struct auth *a, unsigned schemes, const struct credentials *c, int64_t now_us,
	       struct caller *ret, struct fault *err);
/*
 * May the caller see this host (NULL = the infra-env itself)? Otherwise the answer is 404. A token bound to a host sees nothing of its
 * infra-env: from there it would get to the token of all hosts.
 */
bool auth_in_scope(const struct caller *c, const char *infra_env_id, const char *host_id);

/*
 * A token for agents of @ie: claims infra_env_id, iat, jti, and exp (@ttl_s > 0), host_id (@host_id not NULL). *ret is owned by the
 * caller. In mode none: "" (assisted-v2 §2.2).
 */
int auth_agent_token(struct auth *a, const struct infra_env *ie, const char *host_id,
		     int64_t now_us, int64_t ttl_s, char **ret, struct fault *err);
/*
 * The token of the system that installation @install_id of @host_id leaves on its disk: good for that host, and for what this
 * installation has to report.
 */
int auth_installed_token(struct auth *a, const struct infra_env *ie, const char *host_id,
			 const char *install_id, int64_t now_us, char **ret, struct fault *err);
/*
 * The token that a discovery medium of @ie carries: as auth_agent_token(), but the same text for the same infra-env and moment, so that the
 * medium is the same bytes at every request. @moment_us: when it begins to be valid.
 */
int auth_medium_token(struct auth *a, const struct infra_env *ie, int64_t moment_us, int64_t ttl_s,
		      char **ret, struct fault *err);
/* Revokes one token (by its text); revoking all of an infra-env is: token_epoch = now. */
int auth_token_revoke(struct auth *a, const char *token, struct fault *err);
/* A Bearer token of a user. *ret is owned by the caller. */
int auth_user_token(struct auth *a, const char *user, int64_t now_us, int64_t ttl_s, char **ret,
		    struct fault *err);

/* The infra-env of a download handle (path /byapikey/HANDLE/…, query api_key), or NULL. The handle is infra_env.image_token_key. */
struct infra_env *auth_handle_find(struct auth *a, const char *handle);
/* A new handle (22 characters of 128 random bits); owned by the caller; NULL = no memory. */
char *auth_handle_new(void);

/* "pbkdf2-sha256$ITERATIONS$SALT$HASH"; owned by the caller; NULL = failure. */
char *auth_password_hash(const char *password);
bool auth_password_matches(const char *hash, const char *password);
