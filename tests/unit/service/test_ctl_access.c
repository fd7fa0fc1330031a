#include "ctl_rig.h"
#include "common/jwt.h"

static int as_agent(struct ctl_rig *g, const char *token, struct caller *ret)
{
	return auth_check(g->svc.auth, AUTH_AGENT, &(struct credentials){ .secret_key = token },
			  g->now_us, ret, NULL);
}

static int as_bearer(struct ctl_rig *g, const char *token, struct caller *ret)
{
	AUTO(freep) char *header = str_printf("Bearer %s", token);

	return auth_check(g->svc.auth, AUTH_USER, &(struct credentials){ .authorization = header },
			  g->now_us, ret, NULL);
}

static json_t *run(struct ctl_rig *g, const struct ctl_verb *verb, const char *args)
{
	struct fault err = FAULT_INIT;
	json_t *v = NULL;

	if (ctl_rig_run(g, verb, args, -1, &v, &err) < 0)
		fail_msg("%s %s: %s", verb->name, args, err.text);
	return v;
}

/* The token lets exactly that pool's agents in, or one host of it. */
static void test_agent_token(void **state)
{
	struct ctl_rig *g = *state;
	struct caller caller;
	AUTO(json_decrefp)
	json_t *all = run(g, &ctl_tokens_agent, "{\"infra_env_id\":\"" RIG_POOL "\"}");
	AUTO(json_decrefp)
	json_t *one = run(g, &ctl_tokens_agent,
			  "{\"infra_env_id\":\"" RIG_POOL
			  "\",\"host_id\":\"5f0c1111-2222-4333-8444-555566667777\"}");

	assert_int_equal(as_agent(g, json_str(all, "token"), &caller), 0);
	assert_string_equal(caller.infra_env_id, RIG_POOL);
	assert_string_equal(caller.host_id, "");
	assert_int_equal(as_agent(g, json_str(one, "token"), &caller), 0);
	assert_string_equal(caller.host_id, "5f0c1111-2222-4333-8444-555566667777");
	assert_int_not_equal(as_bearer(g, json_str(all, "token"), &caller), 0);
	ctl_rig_refused(g, &ctl_tokens_agent, "{}", -1, -ENOENT, "names no infra_env_id");
	ctl_rig_refused(g, &ctl_tokens_agent, "{\"infra_env_id\":5}", -1, -ENOENT, "names no");
	ctl_rig_refused(g, &ctl_tokens_agent, "{\"infra_env_id\":\"x\"}", -1, -ENOENT,
			"there is no infra-env x");
	ctl_rig_refused(g, &ctl_tokens_agent,
			"{\"infra_env_id\":\"" RIG_POOL "\",\"host_id\":\"../../x\"}", -1, -EINVAL,
			"is no host id");
}

/* Revoking ends every token so far, also one of the running second; the next one is good at once. */
static void test_revoke(void **state)
{
	static const char args[] = "{\"infra_env_id\":\"" RIG_POOL "\"}";
	struct ctl_rig *g = *state;
	struct caller caller;

	g->now_us += 300000;
	AUTO(json_decrefp) json_t *old = run(g, &ctl_tokens_agent, args);
	AUTO(json_decrefp) json_t *none = run(g, &ctl_tokens_revoke, args);
	assert_null(none);
	assert_int_equal(as_agent(g, json_str(old, "token"), &caller), -EACCES);
	AUTO(json_decrefp) json_t *fresh = run(g, &ctl_tokens_agent, args);
	g->now_us += 1000000;
	assert_int_equal(as_agent(g, json_str(fresh, "token"), &caller), 0);
	/* it holds over a restart */
	ctl_rig_close_state(g);
	ctl_rig_open_state(g);
	assert_int_equal(as_agent(g, json_str(old, "token"), &caller), -EACCES);
	assert_int_equal(as_agent(g, json_str(fresh, "token"), &caller), 0);
	ctl_rig_refused(g, &ctl_tokens_revoke, "{\"infra_env_id\":\"x\"}", -1, -ENOENT,
			"infra-env x");
}

static void test_user_token(void **state)
{
	struct ctl_rig *g = *state;
	struct caller caller;
	AUTO(json_decrefp) json_t *v = run(g, &ctl_tokens_user, "{\"name\":\"admin\"}");
	AUTO(json_decrefp)
	json_t *brief = run(g, &ctl_tokens_user, "{\"name\":\"admin\",\"ttl\":\"1m\"}");

	assert_int_equal(as_bearer(g, json_str(v, "token"), &caller), 0);
	assert_string_equal(caller.user, "admin");
	assert_int_equal(caller.role, USER_ADMIN);
	assert_int_equal(as_bearer(g, json_str(brief, "token"), &caller), 0);
	g->now_us += 61000000;
	assert_int_equal(as_bearer(g, json_str(brief, "token"), &caller), -EACCES);
	assert_int_equal(as_bearer(g, json_str(v, "token"), &caller), 0);
	ctl_rig_refused(g, &ctl_tokens_user, "{\"name\":\"bob\"}", -1, -ENOENT, "no user bob");
	ctl_rig_refused(g, &ctl_tokens_user, "{\"name\":\"admin\",\"ttl\":\"soon\"}", -1, -EINVAL,
			"soon is no time");
	ctl_rig_refused(g, &ctl_tokens_user, "{}", -1, -EINVAL, "names no name");
}

/* Whatever is said as a name does not fill a message, nor break it. */
static void test_long_words(void **state)
{
	struct ctl_rig *g = *state;
	char args[5000] = "{\"name\":\"", *p = args + strlen(args);
	struct fault err = FAULT_INIT;

	memset(p, 'n', 4000);
	strcpy(p + 4000, "\"}");
	assert_int_equal(ctl_rig_run(g, &ctl_tokens_user, args, -1, NULL, &err), -ENOENT);
	assert_true(strlen(err.text) < 100);
}

static void test_users(void **state)
{
	struct ctl_rig *g = *state;

	json_decref(run(g, &ctl_users_add, "{\"name\":\"bob\",\"password\":\"12345678\"}"));
	json_decref(run(g, &ctl_users_add,
			"{\"name\":\"eve\",\"role\":\"read-only\",\"password\":\"12345678\"}"));
	AUTO(json_decrefp) json_t *v = run(g, &ctl_users_list, "{}");
	AUTO(freep)
	char *text = json_dumps(json_object_get(v, "users"), JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(text,
			    "[{\"created\":1790000000,\"name\":\"admin\",\"role\":\"admin\"},"
			    "{\"created\":1790000000,\"name\":\"bob\",\"role\":\"user\"},"
			    "{\"created\":1790000000,\"name\":\"eve\",\"role\":\"read-only\"}]");
	json_decref(run(g, &ctl_users_remove, "{\"name\":\"bob\"}"));
	assert_null(state_user(g->svc.state, "bob"));
	/* another name with the same role is no second administrator */
	ctl_rig_refused(g, &ctl_users_remove, "{\"name\":\"admin\"}", -1, -EBUSY,
			"admin is the last administrator");
	json_decref(run(g, &ctl_users_add,
			"{\"name\":\"root\",\"role\":\"admin\",\"password\":\"12345678\"}"));
	json_decref(run(g, &ctl_users_remove, "{\"name\":\"admin\"}"));
	ctl_rig_refused(g, &ctl_users_remove, "{\"name\":\"root\"}", -1, -EBUSY,
			"last administrator");
	ctl_rig_refused(g, &ctl_users_remove, "{\"name\":\"admin\"}", -1, -ENOENT, "no user admin");
}

/* Names, roles and passwords at their limits; a refused one leaves no user. */
static void test_user_limits(void **state)
{
	struct ctl_rig *g = *state;
	char name65[70], long_password[1100];

	memset(name65, 'n', sizeof(name65));
	name65[64] = '\0';
	memset(long_password, 'p', sizeof(long_password));
	long_password[1024] = '\0';
	const struct {
		const char *name, *role, *password;
		int want;
		const char *says;
	} cases[] = {
		{ name65, "user", "12345678", 0, "" },
		{ "a-b_c.d", "user", "12345678", 0, "" },
		{ "longest", "user", long_password, 0, "" },
		{ "admin", "user", "12345678", -EEXIST, "already" },
		{ "a b", "user", "12345678", -EINVAL, "user's name" },
		{ "a:b", "user", "12345678", -EINVAL, "user's name" },
		{ "a/../b", "user", "12345678", -EINVAL, "user's name" },
		{ "a\nb", "user", "12345678", -EINVAL, "user's name" },
		{ "\xc3\xa4", "user", "12345678", -EINVAL, "user's name" },
		{ "", "user", "12345678", -EINVAL, "names no name" },
		{ "x", "root", "12345678", -EINVAL, "root is no role" },
		{ "x", "Admin", "12345678", -EINVAL, "Admin is no role" },
		{ "x", "user", "1234567", -EINVAL, "8 to 1024" },
		{ "x", "user", "", -EINVAL, "names no password" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(json_decrefp)
		json_t *args = json_pack("{s:s, s:s, s:s}", "name", cases[i].name, "role",
					 cases[i].role, "password", cases[i].password);
		AUTO(freep) char *text = json_dumps(args, 0);
		if (cases[i].want == 0)
			json_decref(run(g, &ctl_users_add, text));
		else
			ctl_rig_refused(g, &ctl_users_add, text, -1, cases[i].want, cases[i].says);
	}
	name65[64] = 'n';
	name65[65] = '\0';
	long_password[1024] = 'p';
	long_password[1025] = '\0';
	AUTO(freep)
	char *too_long = str_printf("{\"name\":\"%s\",\"password\":\"12345678\"}", name65);
	ctl_rig_refused(g, &ctl_users_add, too_long, -1, -EINVAL, "at most 64");
	AUTO(freep)
	char *too_much = str_printf("{\"name\":\"x\",\"password\":\"%s\"}", long_password);
	ctl_rig_refused(g, &ctl_users_add, too_much, -1, -EINVAL, "8 to 1024");
	assert_null(state_user(g->svc.state, "x"));
}

/* A new password: the old one and its tokens are of no use any more. */
static void test_passwd(void **state)
{
	struct ctl_rig *g = *state;
	struct caller caller;
	AUTO(json_decrefp) json_t *old = run(g, &ctl_tokens_user, "{\"name\":\"admin\"}");

	ctl_rig_refused(g, &ctl_users_passwd, "{\"name\":\"admin\",\"password\":\"short\"}", -1,
			-EINVAL, "8 to 1024");
	assert_int_equal(as_bearer(g, json_str(old, "token"), &caller), 0);
	json_decref(run(g, &ctl_users_passwd, "{\"name\":\"admin\",\"password\":\"another-one\"}"));
	const struct user *u = state_user(g->svc.state, "admin");
	assert_true(auth_password_matches(u->password_hash, "another-one"));
	assert_false(auth_password_matches(u->password_hash, "admin-secret"));
	assert_int_equal(as_bearer(g, json_str(old, "token"), &caller), -EACCES);
	AUTO(json_decrefp) json_t *fresh = run(g, &ctl_tokens_user, "{\"name\":\"admin\"}");
	g->now_us += 1000000;
	assert_int_equal(as_bearer(g, json_str(fresh, "token"), &caller), 0);
	ctl_rig_refused(g, &ctl_users_passwd, "{\"name\":\"bob\",\"password\":\"12345678\"}", -1,
			-ENOENT, "no user bob");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CTL_TEST(test_agent_token), CTL_TEST(test_revoke), CTL_TEST(test_user_token),
		CTL_TEST(test_long_words),  CTL_TEST(test_users),  CTL_TEST(test_user_limits),
		CTL_TEST(test_passwd),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
