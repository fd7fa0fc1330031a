/*
 * slipwayctl: the administrator's tool beside a running slipwayd.
 */
#include "service/ctl/client.h"

static int set_state_dir(void *ctx, const char *value, struct fault *err)
{
	((struct ctl *)ctx)->state_dir = value;
	return 0;
}

static const struct option_spec options[] = {
	{ "state-dir", 0, "DIR",
	  "state folder of the slipwayd to talk to (default " CTL_STATE_DIR ")", set_state_dir },
	{ "json", 0, NULL, "print results as JSON", ctl_set_json },
	{ NULL },
};

static const struct verb *const verbs[] = {
	&verb_status,
	&verb_base_image_add,
	&verb_base_image_list,
	&verb_base_image_remove,
	&verb_os_image_add,
	&verb_os_image_list,
	&verb_os_image_remove,
	&verb_os_image_default,
	&verb_tokens_agent,
	&verb_tokens_user,
	&verb_tokens_revoke,
	&verb_users_list,
	&verb_users_add,
	&verb_users_passwd,
	&verb_users_remove,
	&verb_backup,
	NULL,
};

int main(int argc, char **argv)
{
	static const struct program program = {
		.name = "slipwayctl",
		.summary = "Administer a running slipwayd",
		.options = options,
		.verbs = verbs,
	};
	struct ctl ctl = { .state_dir = CTL_STATE_DIR };

	return program_main(&program, &ctl, argc, argv);
}
