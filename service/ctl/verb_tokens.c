#include <stdio.h>
#include "common/cleanup.h"
#include "common/json_map.h"
#include "service/ctl/client.h"

static int set_host(void *ctx, const char *value, struct fault *err)
{
	((struct ctl *)ctx)->host_id = value;
	return 0;
}

static const struct option_spec agent_options[] = {
	{ "host-id", 0, "ID", "bind the token to one host", set_host },
	{ NULL },
};

static int set_ttl(void *ctx, const char *value, struct fault *err)
{
	((struct ctl *)ctx)->ttl = value;
	return 0;
}

static const struct option_spec user_options[] = {
	{ "ttl", 0, "TIME", "how long it is good (default: until the password changes)", set_ttl },
	{ NULL },
};

/* The token and nothing else, so that it can go into a file. */
static int print_token(const struct ctl *ctl, const char *verb, json_t *args)
{
	struct fault err = FAULT_INIT;
	AUTO(json_decrefp) json_t *v = NULL;

	if (ctl_request(ctl, verb, args, -1, &v, &err) < 0)
		return ctl_fail(&err);
	if (ctl->json)
		ctl_print_json(v);
	else
		printf("%s\n", json_str(v, "token"));
	return EXIT_DONE;
}

static int agent(void *ctx, int argc, char **argv)
{
	const struct ctl *ctl = ctx;

	return print_token(
		ctl, "tokens-agent",
		json_pack("{s:s, s:s?}", "infra_env_id", argv[0], "host_id", ctl->host_id));
}

static int user(void *ctx, int argc, char **argv)
{
	const struct ctl *ctl = ctx;

	return print_token(ctl, "tokens-user",
			   json_pack("{s:s, s:s?}", "name", argv[0], "ttl", ctl->ttl));
}

static int revoke_all(void *ctx, int argc, char **argv)
{
	return ctl_simple(ctx, "tokens-revoke", json_pack("{s:s}", "infra_env_id", argv[0]), -1);
}

const struct verb verb_tokens_agent = {
	.name = "tokens agent",
	.args = "INFRA_ENV_ID",
	.help = "print a new token for agents of an infra-env",
	.options = agent_options,
	.min_operands = 1,
	.max_operands = 1,
	.run = agent,
};
const struct verb verb_tokens_user = {
	.name = "tokens user",
	.args = "NAME",
	.help = "print a new bearer token of a user",
	.options = user_options,
	.min_operands = 1,
	.max_operands = 1,
	.run = user,
};
const struct verb verb_tokens_revoke = {
	.name = "tokens revoke",
	.args = "INFRA_ENV_ID",
	.help = "refuse every agent token made so far for an infra-env",
	.min_operands = 1,
	.max_operands = 1,
	.run = revoke_all,
};
