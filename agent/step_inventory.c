/* inventory: the root process probes the machine (its devices can only be read there) and answers with the wire format. */
#include <errno.h>
#include <string.h>
#include "agent/step.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/str.h"

static void on_inventory(void *ctx, int code, const char *output, const char *error, int fd)
{
	struct step_run *run = ctx;

	if (code < 0)
		step_finish(run, STEP_EXIT_FAILED, NULL, error);
	else
		step_finish(run, STEP_EXIT_OK, output, error);
}

static const struct {
	const char *prefix, *key;
} limits[] = {
	{ "--output-max-size=", "output_max_bytes" },
	{ "--disk-min-size=", "disk_min_bytes" },
};

/* -EINVAL: a limit that is no number. What only later services say is passed over. */
static int add_limit(json_t *ask, const char *arg)
{
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		uint64_t bytes;
		if (!str_starts(arg, limits[i].prefix))
			continue;
		if (str_to_u64(arg + strlen(limits[i].prefix), &bytes) < 0 || bytes > INT64_MAX)
			return -EINVAL;
		return json_object_set_new(ask, limits[i].key, json_integer((json_int_t)bytes)) < 0
			       ? -ENOMEM
			       : 0;
	}
	log_debug("inventory: the option %s is not known", arg);
	return 0;
}

static void start(struct step_run *run, const struct json_strs *args)
{
	/* The first argument is our host id. */
	if (!args->n) {
		step_finish(run, STEP_EXIT_BAD_ARGS, NULL,
			    "inventory needs the host id as its argument");
		return;
	}
	AUTO(json_decrefp) json_t *ask = json_object();
	for (size_t i = 1; ask && i < args->n; i++) {
		if (add_limit(ask, args->v[i]) < 0) {
			step_finish(run, STEP_EXIT_BAD_ARGS, NULL,
				    "inventory: a limit is no number of bytes");
			return;
		}
	}
	net_ask_json(run->net, MSG_ASK_INVENTORY, TAKE(ask), on_inventory, run);
}

const struct step_ops step_inventory = { .type = STEP_INVENTORY, .start = start };
