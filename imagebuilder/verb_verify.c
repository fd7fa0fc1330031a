#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/digest.h"
#include "common/fd.h"
#include "common/json_map.h"
#include "common/str.h"
#include "imagebuilder/area_read.h"
#include "imagebuilder/verbs.h"

#define BASE_JSON_MAX (4u << 20)
#define BLOCK (1u << 20)

static int set_base(void *ctx, const char *value, struct fault *err)
{
	((struct verb_context *)ctx)->base = value;
	return 0;
}

static const struct option_spec options[] = {
	{ "base", 0, "FILE", "base.json of the base the image must have come from", set_base },
	{ NULL },
};

/* The digest of the image as it was before customising: the area counts as zeros. */
static int base_digest(int fd, const struct iso_area *area, char ret[SHA256_HEX_LEN + 1],
		       struct fault *err)
{
	AUTO(overlay_freep) struct overlay *o = NULL;
	AUTO(freep) uint8_t *block = malloc(BLOCK);
	uint8_t digest[SHA256_LEN];
	struct sha256 s;
	uint64_t at = 0;
	long n;

	if (!block)
		return fault_oom(err);
	int r = overlay_open(fd, area, NULL, 0, &o, err);
	if (r < 0)
		return r;
	sha256_init(&s);
	while ((n = overlay_pread(o, block, BLOCK, at)) > 0) {
		sha256_update(&s, block, (size_t)n);
		at += (uint64_t)n;
	}
	if (n < 0)
		return fault_set(err, (int)n, "cannot read the image: %s", strerror((int)-n));
	sha256_final(&s, digest);
	hex_encode(digest, sizeof(digest), ret);
	return 0;
}

static int check_base(const char *base, const char *digest, struct fault *err)
{
	AUTO(freep) char *text = NULL;
	size_t len;

	int r = file_read_at(AT_FDCWD, base, BASE_JSON_MAX, &text, &len, err);
	if (r < 0)
		return r;
	AUTO(json_decrefp) json_t *j = json_parse(text, len, BASE_JSON_MAX, true, err);
	if (!j)
		return fault_prefix(err, -EBADMSG, "%s", base);
	const char *want = json_str(json_child(json_child(j, "files"), "base.iso"), "sha256");
	if (!want)
		return fault_set(err, -EBADMSG, "%s names no digest of base.iso", base);
	if (strcmp(want, digest) != 0)
		return fault_set(err, -EBADMSG, "outside its area the image is not the one of %s",
				 base);
	return 0;
}

static int check_area(int fd, const struct iso_area *area, uint64_t *ret_len, struct fault *err)
{
	AUTO(freep) uint8_t *data = NULL;

	int r = area_read(fd, area, &data, err);
	if (r < 0)
		return r;
	*ret_len = 0;
	if (area->ignition || area_is_empty(data, area->length))
		return 0;
	r = area_check_segment(data, area->length, ret_len, err);
	return r < 0 ? fault_prefix(err, r, "the area in %s", area->path) : 0;
}

static int verify(const char *path, const char *base, struct fault *err)
{
	char digest[SHA256_HEX_LEN + 1];
	struct iso_area area;
	AUTO(closep) int fd = -1;
	uint64_t len = 0;

	int r = verb_open_iso(path, O_RDONLY, &fd, err);
	if (r < 0)
		return r;
	r = iso_area_find(fd, &area, err);
	if (r == 0)
		r = check_area(fd, &area, &len, err);
	if (r == 0)
		r = base_digest(fd, &area, digest, err);
	if (r == 0 && base)
		r = check_base(base, digest, err);
	if (r < 0)
		return fault_prefix(err, r, "%s", path);
	printf("base %s, token segment %llu bytes\n", digest, (unsigned long long)len);
	return 0;
}

static int run(void *ctx, int argc, char **argv)
{
	struct verb_context *c = ctx;
	struct fault err = FAULT_INIT;

	return verify(argv[0], c->base, &err) < 0 ? verb_fail(&err) : EXIT_DONE;
}

const struct verb verb_verify = {
	.name = "verify",
	.args = "ISO",
	.help = "check a boot image: sound area, and with --base the bytes around it",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
