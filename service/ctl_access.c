/*
 * Verbs about who may do what: users, tokens of agents.
 */
#include <errno.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/str.h"
#include "service/ctl_verbs.h"

#define SECONDS_US 1000000
#define PASSWORD_MIN 8
#define PASSWORD_MAX 1024

static const char *const role_names[] = {
	[USER_ADMIN] = "admin", [USER_PLAIN] = "user", [USER_READ_ONLY] = "read-only"
};

/* --- tokens --- */

static struct infra_env *find_infra_env(const struct ctl_call *c, struct fault *err)
{
	const char *id = ctl_arg_needed(c, "infra_env_id", err);
	struct infra_env *ie = id ? state_infra_env(c->service->state, id) : NULL;

	if (id && !ie)
		fault_set(err, -ENOENT, "there is no infra-env %.64s", id);
	return ie;
}

static int tokens_agent(struct ctl_call *c, json_t **ret, struct fault *err)
{
	const struct infra_env *ie = find_infra_env(c, err);
	const char *host_id = ctl_arg(c, "host_id");
	if (!ie)
		return -ENOENT;
	if (host_id && !uuid_is_valid(host_id))
		return fault_set(err, -EINVAL, "%.64s is no host id", host_id);
	AUTO(freep) char *token = NULL;
	/* right after a revocation the new token must not be as old as the revoked ones */
	int64_t moment_us = MAX_OF(service_now_us(c->service), ie->token_epoch * SECONDS_US);
	int r = auth_agent_token(c->service->auth, ie, host_id, moment_us,
				 (int64_t)(c->service->config->agent_token_ttl_ms / 1000), &token,
				 err);
	if (r < 0)
		return r;
	*ret = json_pack("{s:s}", "token", token);
	return *ret ? 0 : fault_oom(err);
}

/* A Bearer token of a user; @ttl_s 0 = good until the password changes. */
static int tokens_user(struct ctl_call *c, json_t **ret, struct fault *err)
{
	const char *name = ctl_arg_needed(c, "name", err), *ttl = ctl_arg(c, "ttl");
	uint64_t ttl_ms = 0;

	if (!name)
		return -EINVAL;
	if (ttl && str_to_ms(ttl, &ttl_ms) < 0)
		return fault_set(err, -EINVAL, "%.64s is no time", ttl);
	const struct user *u = state_user(c->service->state, name);
	if (!u)
		return fault_set(err, -ENOENT, "there is no user %.64s", name);
	AUTO(freep) char *token = NULL;
	int64_t moment_us = MAX_OF(service_now_us(c->service), u->token_epoch * SECONDS_US);
	int r = auth_user_token(c->service->auth, name, moment_us, (int64_t)(ttl_ms / 1000), &token,
				err);
	if (r < 0)
		return r;
	*ret = json_pack("{s:s}", "token", token);
	return *ret ? 0 : fault_oom(err);
}

/* Every token made before now is refused from now on. Media get new ones, so they must be downloaded again. */
static int tokens_revoke(struct ctl_call *c, json_t **ret, struct fault *err)
{
	struct infra_env *ie = find_infra_env(c, err);
	if (!ie)
		return -ENOENT;
	if (state_edit_infra_env(c->service->state, ie) < 0)
		return fault_oom(err);
	/* times in tokens are whole seconds: those of the running second are revoked too */
	ie->token_epoch = service_now_us(c->service) / SECONDS_US + 1;
	return 0;
}

/* --- users --- */

static int check_name(const char *name, struct fault *err)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	if (strlen(name) < sizeof(((struct user *)0)->name) &&
	    strspn(name, allowed) == strlen(name))
		return 0;
	return fault_set(err, -EINVAL,
			 "a user's name is at most 64 letters, digits, '.', '_' and '-'");
}

static struct user *find_user(const struct ctl_call *c, struct fault *err)
{
	const char *name = ctl_arg_needed(c, "name", err);
	struct user *u = name ? state_user(c->service->state, name) : NULL;

	if (name && !u)
		fault_set(err, -ENOENT, "there is no user %.64s", name);
	return u;
}

static int parse_role(const char *name, int64_t *ret, struct fault *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(role_names); i++) {
		if (strcmp(role_names[i], name) == 0) {
			*ret = (int64_t)i;
			return 0;
		}
	}
	return fault_set(err, -EINVAL, "%.64s is no role: there are admin, user and read-only",
			 name);
}

static int hash_password(const struct ctl_call *c, char **ret, struct fault *err)
{
	const char *password = ctl_arg_needed(c, "password", err);
	if (!password)
		return -EINVAL;
	if (strlen(password) < PASSWORD_MIN || strlen(password) > PASSWORD_MAX)
		return fault_set(err, -EINVAL, "a password has %d to %d bytes", PASSWORD_MIN,
				 PASSWORD_MAX);
	*ret = auth_password_hash(password);
	return *ret ? 0 : fault_oom(err);
}

static bool is_last_admin(struct state *state, const struct user *u)
{
	struct user *other;

	if (u->role != USER_ADMIN)
		return false;
	for (size_t i = 0; (other = state_user_at(state, i)); i++) {
		if (other != u && other->role == USER_ADMIN)
			return false;
	}
	return true;
}

static int users_list(struct ctl_call *c, json_t **ret, struct fault *err)
{
	AUTO(json_decrefp) json_t *list = json_array();
	struct user *u;

	for (size_t i = 0; (u = state_user_at(c->service->state, i)); i++) {
		const char *role = u->role >= 0 && u->role < (int64_t)ARRAY_SIZE(role_names)
					   ? role_names[u->role]
					   : "unknown";
		json_t *item = json_pack("{s:s, s:s, s:I}", "name", u->name, "role", role,
					 "created", (json_int_t)(u->created_at / SECONDS_US));
		if (json_array_append_new(list, item))
			return fault_oom(err);
	}
	*ret = json_pack("{s:O}", "users", list);
	return *ret ? 0 : fault_oom(err);
}

static int users_add(struct ctl_call *c, json_t **ret, struct fault *err)
{
	const char *name = ctl_arg_needed(c, "name", err), *role_name = ctl_arg(c, "role");
	AUTO(freep) char *hash = NULL;
	int64_t role = USER_PLAIN;
	struct user *u;
	if (!name)
		return -EINVAL;
	int r = check_name(name, err);
	if (r == 0 && role_name)
		r = parse_role(role_name, &role, err);
	if (r == 0)
		r = hash_password(c, &hash, err);
	if (r < 0)
		return r;
	r = state_add_user(c->service->state, name, &u);
	if (r == -EEXIST)
		return fault_set(err, r, "there is a user %s already", name);
	if (r < 0)
		return fault_oom(err);
	u->role = role;
	u->created_at = service_now_us(c->service);
	free(u->password_hash);
	u->password_hash = TAKE(hash);
	return 0;
}

/* A new password also ends the tokens that the old one gave. */
static int users_passwd(struct ctl_call *c, json_t **ret, struct fault *err)
{
	AUTO(freep) char *hash = NULL;
	struct user *u = find_user(c, err);
	int r = u ? hash_password(c, &hash, err) : -ENOENT;
	if (r < 0)
		return r;
	if (state_edit_user(c->service->state, u) < 0)
		return fault_oom(err);
	free(u->password_hash);
	u->password_hash = TAKE(hash);
	u->token_epoch = service_now_us(c->service) / SECONDS_US + 1;
	return 0;
}

static int users_remove(struct ctl_call *c, json_t **ret, struct fault *err)
{
	struct user *u = find_user(c, err);
	if (!u)
		return -ENOENT;
	if (is_last_admin(c->service->state, u))
		return fault_set(err, -EBUSY, "%s is the last administrator: add another one first",
				 u->name);
	return state_remove_user(c->service->state, u) < 0 ? fault_oom(err) : 0;
}

const struct ctl_verb ctl_tokens_agent = { .name = "tokens-agent", .run = tokens_agent };
const struct ctl_verb ctl_tokens_user = { .name = "tokens-user", .run = tokens_user };
const struct ctl_verb ctl_tokens_revoke = { .name = "tokens-revoke", .run = tokens_revoke };
const struct ctl_verb ctl_users_list = { .name = "users-list", .run = users_list };
const struct ctl_verb ctl_users_add = { .name = "users-add", .run = users_add };
const struct ctl_verb ctl_users_passwd = { .name = "users-passwd", .run = users_passwd };
const struct ctl_verb ctl_users_remove = { .name = "users-remove", .run = users_remove };
