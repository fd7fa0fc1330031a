#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/json_map.h"
#include "imagebuilder/area_read.h"
#include "imagebuilder/verbs.h"

static const struct option_spec options[] = {
	{ "json", 0, NULL, "print JSON", verb_set_json },
	{ NULL },
};

/* The token segment's description; NULL inside *ret: the area is empty. */
static int describe_token(int fd, const struct iso_area *area, json_t **ret, struct fault *err)
{
	AUTO(freep) uint8_t *data = NULL;
	AUTO(freep) char *text = NULL;

	*ret = NULL;
	int r = area_read(fd, area, &data, err);
	if (r < 0 || area_is_empty(data, area->length) || area->ignition)
		return r;
	r = media_token_describe(data, area->length, &text, err);
	if (r < 0)
		return r;
	*ret = json_parse(text, strlen(text), area->length, true, err);
	return *ret ? 0 : -EBADMSG;
}

static int describe(int fd, json_t **ret, struct fault *err)
{
	struct iso_area area;
	char volume[33];
	json_t *token = NULL;

	int r = iso_volume_id(fd, volume, err);
	if (r == 0)
		r = iso_area_find(fd, &area, err);
	if (r == 0)
		r = describe_token(fd, &area, &token, err);
	if (r < 0)
		return r;

	*ret = json_pack("{s:s, s:{s:s, s:I, s:I, s:b}, s:o?}", "volume_id", volume, "area", "path",
			 area.path, "offset", (json_int_t)area.offset, "length",
			 (json_int_t)area.length, "ignition", (int)area.ignition, "token", token);
	return *ret ? 0 : fault_oom(err);
}

static void print_value(const char *key, const json_t *v)
{
	if (json_is_string(v))
		printf("%-16s %s\n", key, json_string_value(v));
	else if (json_is_integer(v))
		printf("%-16s %" JSON_INTEGER_FORMAT "\n", key, json_integer_value(v));
}

static void print_text(json_t *j)
{
	json_t *area = json_child(j, "area"), *token = json_child(j, "token"), *v, *file;
	const char *key;
	size_t i;

	printf("%-16s %s\n", "volume", json_str(j, "volume_id"));
	printf("%-16s %s, %lld bytes at %lld%s\n", "area", json_str(area, "path"),
	       (long long)json_i64(area, "length"), (long long)json_i64(area, "offset"),
	       json_flag(area, "ignition") ? " (CoreOS, for Ignition)" : "");
	if (!json_is_object(token)) {
		printf("%-16s none\n", "token");
		return;
	}
	json_object_foreach(token, key, v)
		print_value(key, v);
	json_array_foreach(json_child(token, "files"), i, file)
		printf("%-16s %s %s %lld bytes\n", "file", json_str(file, "mode"),
		       json_str(file, "path"), (long long)json_i64(file, "size_bytes"));
}

static int run(void *ctx, int argc, char **argv)
{
	struct verb_context *c = ctx;
	struct fault err = FAULT_INIT;
	AUTO(json_decrefp) json_t *j = NULL;
	AUTO(closep) int fd = -1;

	if (verb_open_iso(argv[0], O_RDONLY, &fd, &err) < 0)
		return verb_fail(&err);
	if (describe(fd, &j, &err) < 0) {
		fault_prefix(&err, err.code, "%s", argv[0]);
		return verb_fail(&err);
	}
	if (!c->json) {
		print_text(j);
		return EXIT_DONE;
	}
	AUTO(freep) char *text = json_text(j, true);
	if (!text)
		return EXIT_FAILED;
	puts(text);
	return EXIT_DONE;
}

const struct verb verb_show = {
	.name = "show",
	.args = "ISO",
	.help = "say what a boot image carries, without secrets",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
