#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/str.h"
#include "imagebuilder/verbs.h"

#define THREADS_MAX 64
#define LABEL_MAX 32

static struct os_image_spec *spec_of(void *ctx)
{
	return &((struct verb_context *)ctx)->os_image;
}

static int set_label(void *ctx, const char *value, struct fault *err)
{
	/* what slx_parse() takes, said before hours of compressing */
	if (strlen(value) > LABEL_MAX || !str_is_text(value) || strpbrk(value, "\t\n"))
		return fault_set(err, -EINVAL, "a label is one line of text of at most %d bytes",
				 LABEL_MAX);
	spec_of(ctx)->label = value;
	return 0;
}

static int set_chunk_size(void *ctx, const char *value, struct fault *err)
{
	uint64_t v;

	if (str_to_size(value, &v) < 0 || v > SLX_CHUNK_MAX)
		return fault_set(err, -EINVAL, "the chunk size must be 1M, 2M, 4M, 8M or 16M");
	spec_of(ctx)->chunk_size = (uint32_t)v;
	return 0;
}

static int set_number(const char *value, uint64_t min, uint64_t max, const char *what,
		      uint64_t *ret, struct fault *err)
{
	uint64_t v;

	if (str_to_u64(value, &v) < 0 || v < min || v > max)
		return fault_set(err, -EINVAL, "%s must be %llu to %llu", what,
				 (unsigned long long)min, (unsigned long long)max);
	*ret = v;
	return 0;
}

static int set_level(void *ctx, const char *value, struct fault *err)
{
	uint64_t v = 0;
	int r = set_number(value, 1, 19, "the compression level", &v, err);

	if (r == 0)
		spec_of(ctx)->compression_level = (int)v;
	return r;
}

static int set_threads(void *ctx, const char *value, struct fault *err)
{
	uint64_t v = 0;
	int r = set_number(value, 1, THREADS_MAX, "the number of threads", &v, err);

	if (r == 0)
		spec_of(ctx)->threads = (unsigned)v;
	return r;
}

static int set_created(void *ctx, const char *value, struct fault *err)
{
	uint64_t v = 0;
	int r = set_number(value, 1, UINT32_MAX, "the date in seconds since 1970", &v, err);

	if (r == 0)
		spec_of(ctx)->created = (int64_t)v;
	return r;
}

static const struct option_spec options[] = {
	{ "output", 'o', "BASE", "writes BASE.raw.zst and BASE.slx", verb_set_output },
	{ "label", 0, "TEXT", "name of the system in the index, at most 32 bytes", set_label },
	{ "chunk-size", 0, "SIZE", "1M (default) to 16M", set_chunk_size },
	{ "level", 0, "N", "zstd level, 1 to 19 (default: 3)", set_level },
	{ "threads", 0, "N", "default: one per CPU", set_threads },
	{ "created", 0, "SECONDS", "date of the image (SOURCE_DATE_EPOCH, else the input's)",
	  set_created },
	{ "json", 0, NULL, "describe the result as JSON", verb_set_json },
	{ NULL },
};

/*
 * The same input gives the same bytes: the date comes from outside, not from the clock, wherever
 * there is one.
 */
static int created_default(struct os_image_spec *spec, struct fault *err)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	struct stat st;

	if (spec->created)
		return 0;
	if (!str_empty(epoch))
		return set_number(epoch, 1, UINT32_MAX, "SOURCE_DATE_EPOCH",
				  (uint64_t *)&spec->created, err);
	if (fstat(spec->in_fd, &st) == 0 && S_ISREG(st.st_mode))
		spec->created = st.st_mtime;
	else
		spec->created = time(NULL);
	return 0;
}

struct output {
	char *path, *temporary; /* owned */
	int fd;
};

static void output_done(struct output *o)
{
	closep(&o->fd);
	if (o->temporary)
		unlink(o->temporary);
	free(o->temporary);
	free(o->path);
}

static int output_open(struct output *o, const char *base, const char *suffix, struct fault *err)
{
	o->path = str_printf("%s%s", base, suffix);
	o->temporary = str_printf("%s%s.%d.tmp", base, suffix, (int)getpid());
	if (!o->path || !o->temporary)
		return fault_oom(err);
	o->fd = open(o->temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	return o->fd < 0
		       ? fault_set(err, -errno, "cannot make %s: %s", o->temporary, strerror(errno))
		       : 0;
}

static int output_commit(struct output *o, struct fault *err)
{
	if (rename(o->temporary, o->path) < 0)
		return fault_set(err, -errno, "cannot rename to %s: %s", o->path, strerror(errno));
	free(o->temporary);
	o->temporary = NULL;
	return 0;
}

static int convert(struct verb_context *c, struct output *payload, struct output *index,
		   struct slx *ret, struct fault *err)
{
	struct progress progress;
	int r = output_open(payload, c->output, ".raw.zst", err);

	if (r == 0)
		r = output_open(index, c->output, ".slx", err);
	if (r < 0)
		return r;
	progress_init(&progress, isatty(STDERR_FILENO) ? progress_sink_bar : NULL, NULL);
	r = os_image_convert(&c->os_image, payload->fd, index->fd, ret, &progress, err);
	/* The index comes last: whoever sees it finds the payload. */
	if (r == 0)
		r = output_commit(payload, err);
	return r < 0 ? r : output_commit(index, err);
}

static uint32_t zero_chunks(const struct slx *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->count; i++)
		n += s->entries[i].flags & SLX_ENTRY_ZERO;
	return n;
}

static int describe_json(const struct slx *s, const char *id, const struct output *payload,
			 const struct output *index)
{
	AUTO(json_decrefp)
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:i, s:i, s:i, s:i, s:I}", "image_id",
			      id, "label", s->label, "payload", payload->path, "index", index->path,
			      "image_size_bytes", (json_int_t)s->image_size, "payload_size_bytes",
			      (json_int_t)s->payload_size, "chunk_size_bytes", (int)s->chunk_size,
			      "sector_size_bytes", (int)s->sector_size, "chunks", (int)s->count,
			      "zero_chunks", (int)zero_chunks(s), "created",
			      (json_int_t)s->created);
	AUTO(freep) char *text = o ? json_dumps(o, JSON_INDENT(2)) : NULL;

	if (!text)
		return EXIT_FAILED;
	puts(text);
	return EXIT_DONE;
}

static int describe(const struct verb_context *c, const struct slx *s, const struct output *payload,
		    const struct output *index)
{
	char id[SHA256_HEX_LEN + 1];

	hex_encode(s->image_id, sizeof(s->image_id), id);
	if (c->json)
		return describe_json(s, id, payload, index);
	printf("image id   %s\npayload    %s (%llu bytes)\nindex      %s\nimage      %llu bytes, sectors of %u, %u chunks, %u of them zero\n",
	       id, payload->path, (unsigned long long)s->payload_size, index->path,
	       (unsigned long long)s->image_size, s->sector_size, s->count, zero_chunks(s));
	return EXIT_DONE;
}

static int run(void *ctx, int argc, char **argv)
{
	struct verb_context *c = ctx;
	struct fault err = FAULT_INIT;
	AUTO(output_done) struct output payload = { .fd = -1 }, index = { .fd = -1 };
	AUTO(slx_done) struct slx s = { 0 };
	bool is_stdin = str_eq(argv[0], "-");
	AUTO(closep)
	int fd = is_stdin ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
			  : open(argv[0], O_RDONLY | O_CLOEXEC);

	(void)argc;
	if (!c->output)
		return verb_usage("os-image", "name the files to write by --output");
	if (fd < 0) {
		fault_set(&err, -errno, "cannot open %s: %s", argv[0], strerror(errno));
		return verb_fail(&err);
	}
	c->os_image.in_fd = fd;
	int r = created_default(&c->os_image, &err);
	if (r == 0)
		r = convert(c, &payload, &index, &s, &err);
	if (r < 0) {
		fault_prefix(&err, r, "%s", argv[0]);
		return verb_fail(&err);
	}
	return describe(c, &s, &payload, &index);
}

const struct verb verb_os_image = {
	.name = "os-image",
	.args = "IN",
	.help = "make chunked payload and index of a disk image (raw, or gz, xz, zst, bz2)",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
