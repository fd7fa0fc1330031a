/*
 * slipwayd: options and configuration; the rest is daemon.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/str.h"
#include "common/verb.h"
#include "service/daemon.h"

/* Options as given; they win over the file. */
struct options {
	const char *config, *state_dir, *https, *http, *auth, *store;
	const char *service_base_url, *image_base_url;
	int ready_fd;
};

#define TEXT_OPTION(member)                                                                 \
	static int set_##member(void *ctx, const char *value, struct fault *err)            \
	{                                                                                   \
		((struct options *)ctx)->member = value;                                    \
		return *value ? 0 : fault_set(err, -EINVAL, "the value must not be empty"); \
	}
TEXT_OPTION(config)
TEXT_OPTION(state_dir)
TEXT_OPTION(https)
TEXT_OPTION(http)
TEXT_OPTION(auth)
TEXT_OPTION(store)
TEXT_OPTION(service_base_url)
TEXT_OPTION(image_base_url)

static int set_ready_fd(void *ctx, const char *value, struct fault *err)
{
	uint64_t fd;

	if (str_to_u64(value, &fd) < 0 || fd > 65535 || fcntl((int)fd, F_GETFD) < 0)
		return fault_set(err, -EINVAL, "%s is not an open descriptor", value);
	((struct options *)ctx)->ready_fd = (int)fd;
	return 0;
}

static const struct option_spec option_table[] = {
	{ "config", 0, "FILE", "configuration file (default " SERVICE_CONFIG_PATH ")", set_config },
	{ "state-dir", 0, "DIR", "where everything is kept (default /var/lib/slipway)",
	  set_state_dir },
	{ "https", 0, "ADDR:PORT", "HTTPS listener (default [::]:9543)", set_https },
	{ "http", 0, "ADDR:PORT|off", "plain HTTP listener (default [::]:8090)", set_http },
	{ "auth", 0, "local|none", "who may call (default local)", set_auth },
	{ "store", 0, "STORE", "where objects are stored (default sqlite)", set_store },
	{ "service-base-url", 0, "URL", "https://HOST:PORT that goes into media",
	  set_service_base_url },
	{ "image-base-url", 0, "URL", "base of the URLs of discovery images", set_image_base_url },
	{ "ready-fd", 0, "N", "write a line of JSON there once requests are served", set_ready_fd },
	{ .name = NULL },
};

static int load_config(const struct options *o, struct service_config *c, struct fault *err)
{
	const struct {
		char **slot;
		const char *value;
	} given[] = {
		{ &c->state_dir, o->state_dir },
		{ &c->https, o->https },
		{ &c->http, o->http },
		{ &c->auth, o->auth },
		{ &c->store, o->store },
		{ &c->service_base_url, o->service_base_url },
		{ &c->image_base_url, o->image_base_url },
	};

	int r = service_config_load(c, o->config ? o->config : SERVICE_CONFIG_PATH, err);
	if (r < 0 && (r != -ENOENT || o->config))
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(given); i++) {
		if (given[i].value && str_set(given[i].slot, given[i].value) < 0)
			return fault_oom(err);
	}
	return service_config_check(c, err);
}

static int run(void *ctx, int argc, char **argv)
{
	const struct options *o = ctx;
	struct service_config config;
	struct fault err = FAULT_INIT;

	log_init("slipwayd", LOG_INFO);
	int r = service_config_init(&config);
	if (r == 0)
		r = load_config(o, &config, &err);
	int status = r < 0 ? EXIT_USAGE : EXIT_DONE;
	if (r == 0) {
		r = daemon_run(&config, o->ready_fd, &err);
		status = r < 0 ? EXIT_FAILED : EXIT_DONE;
	}
	if (r < 0)
		log_error("%s", fault_text(&err));
	service_config_done(&config);
	return status;
}

int main(int argc, char **argv)
{
	static const struct program program = {
		.name = "slipwayd",
		.summary = "service that turns bare machines into members of existing clusters",
		.options = option_table,
		.args = "",
		.run = run,
	};
	struct options options = { .ready_fd = -1 };

	return program_main(&program, &options, argc, argv);
}
