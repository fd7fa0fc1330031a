/* slipway-agent: options, verbs, and which of the two processes this is. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "agent/config.h"
#include "agent/disk_cli.h"
#include "agent/net.h"
#include "agent/priv.h"
#include "agent/status.h"
#include "common/log.h"
#include "common/str.h"
#include "common/verb.h"

struct args {
	struct agent_config config; /* what options say */
	char *path;                 /* --config */
	char *disks_to_format;
	bool as_json, allow_loop, is_net, is_verbose;
};

/* One setter per option: a string, a flag, or something checked. */
#define STRING_OPTION(name, member)                                            \
	static int set_##name(void *ctx, const char *value, struct fault *err) \
	{                                                                      \
		struct args *a = ctx;                                          \
		return str_set(&a->member, value) < 0 ? fault_oom(err) : 0;    \
	}
#define FLAG_OPTION(name, member)                                              \
	static int set_##name(void *ctx, const char *value, struct fault *err) \
	{                                                                      \
		((struct args *)ctx)->member = true;                           \
		return 0;                                                      \
	}

STRING_OPTION(config, path)
STRING_OPTION(url, config.url)
STRING_OPTION(infra_env_id, config.infra_env_id)
STRING_OPTION(token_file, config.token_file)
STRING_OPTION(cacert, config.cacert)
STRING_OPTION(host_id, config.host_id)
STRING_OPTION(agent_version, config.agent_version)
STRING_OPTION(state_dir, config.state_dir)
STRING_OPTION(user, config.user)
STRING_OPTION(reboot_command, config.reboot_command)
STRING_OPTION(disks_to_format, disks_to_format)
FLAG_OPTION(no_disk_writes, config.no_disk_writes)
FLAG_OPTION(allow_loop, allow_loop)
FLAG_OPTION(sandbox_log, config.sandbox_log)
FLAG_OPTION(json, as_json)
FLAG_OPTION(verbose, is_verbose)

static int set_interval(void *ctx, const char *value, struct fault *err)
{
	uint64_t s;
	if (str_to_u64(value, &s) < 0 || s < INSTRUCTION_MIN_S || s > INSTRUCTION_MAX_S)
		return fault_set(err, -EINVAL, "\"%s\" is no number of seconds between %d and %d",
				 value, INSTRUCTION_MIN_S, INSTRUCTION_MAX_S);
	((struct args *)ctx)->config.interval_s = s;
	return 0;
}

/* With a value, as the original is started: --insecure=false. */
static int set_insecure(void *ctx, const char *value, struct fault *err)
{
	bool on;
	if (str_to_bool(value, &on) < 0)
		return fault_set(err, -EINVAL, "\"%s\" is neither yes nor no", value);
	((struct args *)ctx)->config.insecure = on;
	return 0;
}

static int set_role(void *ctx, const char *value, struct fault *err)
{
	if (strcmp(value, "net"))
		return fault_set(err, -EINVAL, "unknown role");
	((struct args *)ctx)->is_net = true;
	return 0;
}

static const struct option_spec options[] = {
	{ "config", 'c', "FILE", "configuration file (" AGENT_CONF_DEFAULT ")", set_config },
	{ "url", 0, "URL", "service to talk to", set_url },
	{ "infra-env-id", 0, "ID", "infra-env this host belongs to", set_infra_env_id },
	{ "token-file", 0, "FILE", "file with the agent token", set_token_file },
	{ "cacert", 0, "FILE", "CA certificates of the service (PEM)", set_cacert },
	{ "host-id", 0, "ID", "UUID instead of the machine's own", set_host_id },
	{ "agent-version", 0, "IMAGE", "reported as discovery_agent_version", set_agent_version },
	{ "interval", 0, "SECONDS", "between polls when the service names none (60)",
	  set_interval },
	{ "insecure", 0, "YES|NO", "do not check the service's certificate", set_insecure },
	{ "state-dir", 0, "DIR", "where the state is kept (" AGENT_STATE_DIR_DEFAULT ")",
	  set_state_dir },
	{ "no-disk-writes", 0, NULL, "everything but writing, wiping, rebooting",
	  set_no_disk_writes },
	{ "user", 0, "NAME", "user of the network process (slipway)", set_user },
	{ "reboot-command", 0, "PROGRAM", "run this instead of rebooting", set_reboot_command },
	{ "allow-loop-devices", 0, NULL, "loop devices may be installed on (tests)",
	  set_allow_loop },
	{ "sandbox-log", 0, NULL, "log refused system calls, but allow them", set_sandbox_log },
	{ "verbose", 'v', NULL, "say more", set_verbose },
	{ "role", 0, "ROLE", NULL, set_role }, /* how the network process is started */
	{ .name = NULL },
};

static const struct option_spec status_options[] = {
	{ "json", 0, NULL, "as JSON", set_json },
	{ "state-dir", 0, "DIR", "state of that agent (" AGENT_STATE_DIR_DEFAULT ")",
	  set_state_dir },
	{ .name = NULL },
};

static int run_status(void *ctx, int argc, char **argv)
{
	struct args *a = ctx;
	struct fault err = FAULT_INIT;

	if (status_print(agent_config_state_dir(&a->config), a->as_json, stdout, &err) == 0)
		return EXIT_DONE;
	fprintf(stderr, "slipway-agent: %s\n", fault_text(&err));
	return EXIT_FAILED;
}

static const struct verb status_verb = {
	.name = "status",
	.help = "show what the running agent does",
	.options = status_options,
	.run = run_status,
};

static const struct option_spec disk_options[] = {
	{ "json", 0, NULL, "as JSON", set_json },
	{ "disks-to-format", 0, "DEV,...", "plan: as if the service gave up these disks, too",
	  set_disks_to_format },
	{ "allow-loop-devices", 0, NULL, "a loop device counts as a disk", set_allow_loop },
	{ .name = NULL },
};

static int run_disk(void *ctx, int argc, char **argv)
{
	const struct args *a = ctx;
	const struct disk_cli c = { .json = a->as_json,
				    .allow_loop = a->allow_loop,
				    .disks_to_format = a->disks_to_format };

	return disk_cli_run(&c, argc, argv);
}

static const struct verb disk_verb = {
	.name = "disk",
	.args = "list | plan DEV",
	.help = "show the disks, or what an installation would do to one",
	.options = disk_options,
	.min_operands = 1,
	.max_operands = 2,
	.run = run_disk,
};

static int run_agent(void *ctx, int argc, char **argv)
{
	struct args *a = ctx;
	struct agent_config config;
	struct fault err = FAULT_INIT;

	if (a->is_verbose) {
		log_set_level(LOG_DEBUG);
		setenv("SLIPWAY_LOG", "debug", 1); /* for the network process */
	}
	if (a->is_net)
		return net_main(MSG_NET_FD);
	int r = agent_config_load(a->path, &a->config, &config, &err);
	if (r < 0) {
		log_error("%s", fault_text(&err));
		return r == -EINVAL ? EXIT_USAGE : EXIT_FAILED;
	}
	return priv_main(&config, a->allow_loop);
}

static const struct verb *const verbs[] = { &disk_verb, &status_verb, NULL };

static const struct program program = {
	.name = "slipway-agent",
	.summary = "registers this machine with its service, tells its inventory, installs it",
	.options = options,
	.verbs = verbs,
	.run = run_agent,
};

int main(int argc, char **argv)
{
	struct args a = { 0 };

	log_init("slipway-agent", LOG_INFO);
	int status = program_main(&program, &a, argc, argv);
	agent_config_done(&a.config);
	free(a.path);
	free(a.disks_to_format);
	return status;
}
