#include "unit.h"
#include "common/jwt.h"
#include "common/pki.h"
#include "service/auth.h"
#include "service/store.h"

#define NOW 1790000000000000LL

struct fixture {
	char path[64];
	int fd;
	char *key_pem;
	struct store *store;
	struct state *state;
	struct auth *auth;
	struct infra_env *a, *b;
};

static int setup(void **state)
{
	static const uint8_t key[SEAL_KEY_LEN] = { 7 };
	struct fixture *f = calloc(1, sizeof(*f));
	struct user *u;

	*state = f;
	f->fd = unit_tmp_open(f->path);
	if (pki_key_new(&f->key_pem, NULL) < 0 ||
	    store_open("sqlite", f->fd, key, &f->store, NULL) < 0 ||
	    state_new(f->store, &f->state, NULL) < 0 ||
	    auth_new(AUTH_MODE_LOCAL, f->key_pem, f->state, &f->auth, NULL) < 0)
		return -1;
	state_begin(f->state);
	if (state_add_infra_env(f->state, "11111111-1111-4111-8111-111111111111", &f->a) < 0 ||
	    state_add_infra_env(f->state, "22222222-2222-4222-8222-222222222222", &f->b) < 0 ||
	    state_add_user(f->state, "bob", &u) < 0)
		return -1;
	u->password_hash = auth_password_hash("secret");
	u->role = USER_PLAIN;
	return state_infra_env_set_handle(f->state, f->a, "handle-of-a") < 0
		       ? -1
		       : state_commit(f->state, NULL);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	auth_free(f->auth);
	state_free(f->state);
	store_close(f->store);
	unit_tmp_close(f->fd, f->path);
	free(f->key_pem);
	free(f);
	return 0;
}

static int check(struct fixture *f, unsigned schemes, struct credentials c, int64_t now_us,
		 struct caller *ret)
{
	return auth_check(f->auth, schemes, &c, now_us, ret, NULL);
}

static void test_none(void **state)
{
	struct fixture *f = *state;
	struct auth *none;
	struct caller caller;
	char *token;

	assert_int_equal(auth_new(AUTH_MODE_NONE, f->key_pem, f->state, &none, NULL), 0);
	assert_int_equal(
		auth_check(none, AUTH_AGENT, &(struct credentials){ 0 }, NOW, &caller, NULL), 0);
	assert_string_equal(caller.user, "admin");
	assert_int_equal(caller.role, USER_ADMIN);
	assert_true(auth_in_scope(&caller, "anything", "any host"));
	assert_int_equal(auth_agent_token(none, f->a, NULL, NOW, 0, &token, NULL), 0);
	assert_string_equal(token, "");
	free(token);
	auth_free(none);
}

static void test_nothing_given(void **state)
{
	struct fixture *f = *state;
	struct caller caller;

	assert_int_equal(check(f, AUTH_USER, (struct credentials){ 0 }, NOW, &caller), -EACCES);
	assert_int_equal(check(f, AUTH_USER, (struct credentials){ "", "", "" }, NOW, &caller),
			 -EACCES);
	assert_int_equal(check(f, AUTH_OPEN, (struct credentials){ 0 }, NOW, &caller), 0);
}

static void test_basic(void **state)
{
	/* bob:secret, bob:wrong, eve:secret, no colon, bob with a NUL behind */
	static const struct {
		const char *header;
		int code;
	} cases[] = {
		{ "Basic Ym9iOnNlY3JldA==", 0 },
		{ "basic  Ym9iOnNlY3JldA==", 0 },
		{ "Basic Ym9iOndyb25n", -EACCES },
		{ "Basic ZXZlOnNlY3JldA==", -EACCES },
		{ "Basic Ym9i", -EACCES },
		{ "Basic Ym9iOnNlY3JldAA=", -EACCES },
		{ "Basic", -EACCES },
		{ "Basic ", -EACCES },
		{ "Ym9iOnNlY3JldA==", -EACCES },
	};
	struct fixture *f = *state;
	struct caller caller;

	/* twice: the second time from the cache */
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
			assert_int_equal(
				check(f, AUTH_USER,
				      (struct credentials){ .authorization = cases[i].header },
				      NOW + round * 5000000, &caller),
				cases[i].code);
	}
	assert_int_equal(check(f, AUTH_USER,
			       (struct credentials){ .authorization = cases[0].header }, NOW,
			       &caller),
			 0);
	assert_string_equal(caller.user, "bob");
	assert_int_equal(caller.role, USER_PLAIN);
	assert_int_equal(check(f, AUTH_AGENT,
			       (struct credentials){ .authorization = cases[0].header }, NOW,
			       &caller),
			 -EPERM);
}

static void test_password_change_and_removal(void **state)
{
	struct credentials old = { .authorization = "Basic Ym9iOnNlY3JldA==" },
			   new = { .authorization = "Basic Ym9iOndyb25n" };
	struct fixture *f = *state;
	struct caller caller;
	struct user *u = state_user(f->state, "bob");

	assert_int_equal(check(f, AUTH_USER, old, NOW, &caller), 0);
	free(u->password_hash);
	u->password_hash = auth_password_hash("wrong");
	assert_int_equal(check(f, AUTH_USER, old, NOW, &caller), -EACCES);
	assert_int_equal(check(f, AUTH_USER, new, NOW, &caller), 0);
	state_begin(f->state);
	assert_int_equal(state_remove_user(f->state, u), 0);
	assert_int_equal(state_commit(f->state, NULL), 0);
	assert_int_equal(check(f, AUTH_USER, new, NOW, &caller), -EACCES);
}

/* Guessing is slowed for everybody together; who is known already is not. */
static void test_guessing_is_limited(void **state)
{
	struct fixture *f = *state;
	struct caller caller;
	int limited = 0;

	assert_int_equal(check(f, AUTH_USER,
			       (struct credentials){ .authorization = "Basic Ym9iOnNlY3JldA==" },
			       NOW, &caller),
			 0);
	for (int i = 0; i < 30; i++)
		limited += check(f, AUTH_USER,
				 (struct credentials){ .authorization = "Basic Ym9iOndyb25n" }, NOW,
				 &caller) == -EAGAIN;
	assert_true(limited > 0 && limited < 30);
	assert_int_equal(check(f, AUTH_USER,
			       (struct credentials){ .authorization = "Basic Ym9iOnNlY3JldA==" },
			       NOW, &caller),
			 0);
	assert_int_equal(check(f, AUTH_USER,
			       (struct credentials){ .authorization = "Basic Ym9iOndyb25n" },
			       NOW + 1000000, &caller),
			 -EACCES);
}

static void test_agent_token(void **state)
{
	struct fixture *f = *state;
	AUTO(freep) char *token = NULL;
	AUTO(freep) char *bound = NULL;
	struct caller caller;

	assert_int_equal(auth_agent_token(f->auth, f->a, NULL, NOW, 0, &token, NULL), 0);
	struct credentials c = { .secret_key = token };
	for (int round = 0; round < 2; round++) {
		assert_int_equal(check(f, AUTH_AGENT, c, NOW, &caller), 0);
		assert_int_equal(caller.scheme, AUTH_AGENT);
		assert_true(auth_in_scope(&caller, f->a->id, "any"));
		assert_true(auth_in_scope(&caller, f->a->id, NULL));
		assert_false(auth_in_scope(&caller, f->b->id, "any"));
	}
	assert_int_equal(check(f, AUTH_USER, c, NOW, &caller), -EPERM);
	assert_int_equal(check(f, AUTH_USER | AUTH_AGENT, c, NOW, &caller), 0);

	assert_int_equal(auth_agent_token(f->auth, f->a, "host", NOW, 0, &bound, NULL), 0);
	assert_int_equal(
		check(f, AUTH_AGENT, (struct credentials){ .secret_key = bound }, NOW, &caller), 0);
	assert_true(auth_in_scope(&caller, f->a->id, "host"));
	assert_false(auth_in_scope(&caller, f->a->id, "other"));
	assert_false(auth_in_scope(&caller, f->a->id, NULL));
	assert_string_equal(caller.install_id, "");

	AUTO(freep) char *installed = NULL;
	assert_int_equal(
		auth_installed_token(f->auth, f->a, "host", "install", NOW, &installed, NULL), 0);
	assert_int_equal(
		check(f, AUTH_AGENT, (struct credentials){ .secret_key = installed }, NOW, &caller),
		0);
	assert_string_equal(caller.host_id, "host");
	assert_string_equal(caller.install_id, "install");

	/* as a Bearer it is no user */
	AUTO(freep) char *header = str_printf("Bearer %s", token);
	assert_int_equal(
		check(f, AUTH_USER, (struct credentials){ .authorization = header }, NOW, &caller),
		-EPERM);
}

static void test_damaged_tokens(void **state)
{
	struct fixture *f = *state;
	AUTO(freep) char *token = NULL;
	AUTO(freep) char *other_key = NULL;
	AUTO(freep) char *foreign = NULL;
	struct auth *other;
	struct caller caller;

	assert_int_equal(auth_agent_token(f->auth, f->a, NULL, NOW, 0, &token, NULL), 0);
	size_t len = strlen(token);
	for (size_t i = 0; i < len; i += 7) {
		char keep = token[i];
		token[i] = keep == 'A' ? 'B' : 'A';
		int r = check(f, AUTH_AGENT, (struct credentials){ .secret_key = token }, NOW,
			      &caller);
		/* the last character of a part may hold bits that count for nothing; a strict decoder refuses it as well */
		assert_true(r == -EACCES);
		token[i] = keep;
	}
	assert_int_equal(pki_key_new(&other_key, NULL), 0);
	assert_int_equal(auth_new(AUTH_MODE_LOCAL, other_key, f->state, &other, NULL), 0);
	assert_int_equal(auth_agent_token(other, f->a, NULL, NOW, 0, &foreign, NULL), 0);
	assert_int_equal(
		check(f, AUTH_AGENT, (struct credentials){ .secret_key = foreign }, NOW, &caller),
		-EACCES);
	auth_free(other);
	AUTO(freep) char *long_text = malloc(JWT_MAX + 2);
	memset(long_text, 'a', JWT_MAX + 1);
	long_text[JWT_MAX + 1] = '\0';
	assert_int_equal(
		check(f, AUTH_AGENT, (struct credentials){ .secret_key = long_text }, NOW, &caller),
		-EACCES);
}

/* Claims that no token of ours has. */
static void test_foreign_claims(void **state)
{
	static const char *const claims[] = {
		"{\"iat\":1,\"jti\":\"j\"}",
		"{\"infra_env_id\":\"11111111-1111-4111-8111-111111111111\",\"iat\":1}",
		"{\"infra_env_id\":\"11111111-1111-4111-8111-111111111111\",\"sub\":\"bob\",\"iat\":1,\"jti\":\"j\"}",
		"{\"infra_env_id\":\"33333333-3333-4333-8333-333333333333\",\"iat\":1,\"jti\":\"j\"}",
		"{\"infra_env_id\":7,\"iat\":1,\"jti\":\"j\"}",
		"{\"infra_env_id\":\"11111111-1111-4111-8111-111111111111\",\"host_id\":\"0123456789012345678901234567890123456789\",\"iat\":1,\"jti\":\"j\"}",
	};
	struct fixture *f = *state;
	struct jwt_key *key;

	assert_int_equal(jwt_key_load(f->key_pem, &key, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(claims); i++) {
		json_t *v = json_loads(claims[i], 0, NULL);
		AUTO(freep) char *token = NULL;
		struct caller caller;
		assert_int_equal(jwt_sign(key, v, &token, NULL), 0);
		assert_int_equal(check(f, AUTH_AGENT, (struct credentials){ .secret_key = token },
				       NOW, &caller),
				 -EACCES);
		json_decref(v);
	}
	jwt_key_free(key);
}

static void test_expiry(void **state)
{
	struct fixture *f = *state;
	AUTO(freep) char *token = NULL;
	struct caller caller;

	assert_int_equal(auth_agent_token(f->auth, f->a, NULL, NOW, 10, &token, NULL), 0);
	struct credentials c = { .secret_key = token };
	assert_int_equal(check(f, AUTH_AGENT, c, NOW + 9000000, &caller), 0);
	assert_int_equal(check(f, AUTH_AGENT, c, NOW + 10000000, &caller), -EACCES);
}

static void test_revoking(void **state)
{
	struct fixture *f = *state;
	AUTO(freep) char *one = NULL;
	AUTO(freep) char *two = NULL;
	struct caller caller;

	assert_int_equal(auth_agent_token(f->auth, f->a, NULL, NOW, 0, &one, NULL), 0);
	assert_int_equal(auth_agent_token(f->auth, f->a, NULL, NOW, 0, &two, NULL), 0);
	struct credentials c1 = { .secret_key = one }, c2 = { .secret_key = two };
	assert_int_equal(check(f, AUTH_AGENT, c1, NOW, &caller), 0);
	state_begin(f->state);
	assert_int_equal(auth_token_revoke(f->auth, one, NULL), 0);
	assert_int_equal(state_commit(f->state, NULL), 0);
	assert_int_equal(check(f, AUTH_AGENT, c1, NOW, &caller), -EACCES);
	assert_int_equal(check(f, AUTH_AGENT, c2, NOW, &caller), 0);
	f->a->token_epoch = NOW / 1000000 + 1;
	assert_int_equal(check(f, AUTH_AGENT, c2, NOW, &caller), -EACCES);
	/* the infra-env goes, its tokens with it */
	f->a->token_epoch = 0;
	assert_int_equal(check(f, AUTH_AGENT, c2, NOW, &caller), 0);
	state_begin(f->state);
	assert_int_equal(state_remove_infra_env(f->state, f->a), 0);
	assert_int_equal(state_commit(f->state, NULL), 0);
	assert_int_equal(check(f, AUTH_AGENT, c2, NOW, &caller), -EACCES);
}

static void test_bearer_of_user(void **state)
{
	struct fixture *f = *state;
	AUTO(freep) char *token = NULL;
	struct caller caller;
	char *none;

	assert_int_equal(auth_user_token(f->auth, "bob", NOW, 60, &token, NULL), 0);
	AUTO(freep) char *header = str_printf("Bearer %s", token);
	assert_int_equal(
		check(f, AUTH_USER, (struct credentials){ .authorization = header }, NOW, &caller),
		0);
	assert_string_equal(caller.user, "bob");
	assert_int_equal(
		check(f, AUTH_AGENT, (struct credentials){ .secret_key = token }, NOW, &caller),
		-EPERM);
	state_user(f->state, "bob")->token_epoch = NOW / 1000000 + 1;
	assert_int_equal(
		check(f, AUTH_USER, (struct credentials){ .authorization = header }, NOW, &caller),
		-EACCES);
	assert_int_equal(auth_user_token(f->auth, "eve", NOW, 60, &none, NULL), -ENOENT);
}

static void test_handles(void **state)
{
	struct fixture *f = *state;
	struct caller caller;
	AUTO(freep) char *a = auth_handle_new();
	AUTO(freep) char *b = auth_handle_new();

	assert_int_equal(strlen(a), 22);
	assert_string_not_equal(a, b);
	assert_ptr_equal(auth_handle_find(f->auth, "handle-of-a"), f->a);
	assert_null(auth_handle_find(f->auth, ""));
	assert_null(auth_handle_find(f->auth, NULL));
	assert_int_equal(
		check(f, AUTH_URL, (struct credentials){ .api_key = "handle-of-a" }, NOW, &caller),
		0);
	assert_string_equal(caller.infra_env_id, f->a->id);
	assert_int_equal(
		check(f, AUTH_USER, (struct credentials){ .api_key = "handle-of-a" }, NOW, &caller),
		-EPERM);
	assert_int_equal(
		check(f, AUTH_URL, (struct credentials){ .api_key = "guess" }, NOW, &caller),
		-EACCES);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_none),
		T(test_nothing_given),
		T(test_basic),
		T(test_password_change_and_removal),
		T(test_guessing_is_limited),
		T(test_agent_token),
		T(test_damaged_tokens),
		T(test_foreign_claims),
		T(test_expiry),
		T(test_revoking),
		T(test_bearer_of_user),
		T(test_handles),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
