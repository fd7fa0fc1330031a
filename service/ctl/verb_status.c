#include <inttypes.h>
#include <stdio.h>
#include "common/cleanup.h"
#include "common/json_map.h"
#include "service/ctl/client.h"

static void print_text(const char *what, const json_t *v, const char *key)
{
	const char *s = json_str(v, key);

	printf("%-14s %s\n", what, s ? s : "off");
}

static void print_count(const char *what, const json_t *v, const char *key)
{
	printf("%-14s %" PRId64 "\n", what, json_i64(v, key));
}

static void print_hosts(const json_t *v)
{
	const char *status;
	json_t *n;
	size_t shown = 0;

	json_object_foreach(json_child(v, "hosts"), status, n)
		printf("%-14s %" JSON_INTEGER_FORMAT " %s\n", shown++ ? "" : "hosts",
		       json_integer_value(n), status);
	if (!shown)
		printf("%-14s 0\n", "hosts");
}

static void print_base_images(const json_t *v)
{
	size_t i;
	json_t *b;

	json_array_foreach(json_child(v, "base_images"), i, b)
		printf("%-14s %s, kernel %s, %.16s\n", i ? "" : "base images", json_str(b, "arch"),
		       json_str(b, "kernel"), json_str(b, "id"));
	if (json_array_size(json_child(v, "base_images")) == 0)
		printf("%-14s none: discovery images cannot be downloaded yet\n", "base images");
}

static int run(void *ctx, int argc, char **argv)
{
	const struct ctl *ctl = ctx;
	struct fault err = FAULT_INIT;
	AUTO(json_decrefp) json_t *v = NULL;

	if (ctl_request(ctl, "status", NULL, -1, &v, &err) < 0)
		return ctl_fail(&err);
	if (ctl->json) {
		ctl_print_json(v);
		return EXIT_DONE;
	}
	print_text("version", v, "version");
	print_text("https", v, "https");
	print_text("http", v, "http");
	print_text("service url", v, "service_url");
	print_text("auth", v, "auth");
	print_count("uptime (s)", v, "uptime_seconds");
	print_count("infra-envs", v, "infra_envs");
	print_count("clusters", v, "clusters");
	print_hosts(v);
	print_count("OS images", v, "os_images");
	print_base_images(v);
	return EXIT_DONE;
}

const struct verb verb_status = {
	.name = "status", .args = "", .help = "show addresses, counts and images", .run = run
};
