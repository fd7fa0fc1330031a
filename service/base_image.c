#include "service/base_image.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include "common/cleanup.h"
#include "common/digest.h"
#include "common/fd.h"
#include "common/json_map.h"
#include "common/str.h"

#define BASE_FORMAT 1
#define DESCRIPTION "base.json"
#define DESCRIPTION_MAX (1u << 20)
#define COPY_STEP (1u << 20)

static const char *const names[BASE_FILE_COUNT] = { "base.iso", "vmlinuz", "initrd.img" };

const char *base_file_name(enum base_file f)
{
	return names[f];
}

const char *arch_api_name(const char *arch)
{
	return strcmp(arch, "aarch64") == 0 ? "arm64" : arch;
}

static int bad(struct fault *err, const char *what)
{
	return fault_set(err, -EBADMSG,
			 DESCRIPTION " %s: make the base image anew with slipway-image build",
			 what);
}

static bool is_word(const char *s)
{
	return !str_empty(s) &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-~") ==
		       strlen(s);
}

static int read_files(const json_t *doc, struct base_image *b, struct fault *err)
{
	uint8_t digest[SHA256_LEN];

	for (int f = 0; f < BASE_FILE_COUNT; f++) {
		json_t *file = json_child(json_child(doc, "files"), names[f]);
		const char *hex = json_str(file, "sha256");
		int64_t size = json_i64(file, "size_bytes");
		if (!hex || hex_decode(hex, digest, sizeof(digest)) < 0 || size <= 0)
			return bad(err, "names a file without size or digest");
		str_copy(b->files[f].sha256, sizeof(b->files[f].sha256), hex);
		b->files[f].size = (uint64_t)size;
	}
	memcpy(b->id, b->files[BASE_ISO].sha256, sizeof(b->id));
	return 0;
}

static int read_area(const json_t *doc, struct base_image *b, struct fault *err)
{
	json_t *area = json_child(doc, "token_area");
	int64_t offset = json_i64(area, "offset"), length = json_i64(area, "length");
	const char *path = json_str(area, "path");
	uint64_t size = b->files[BASE_ISO].size;

	if (offset <= 0 || length <= 0 || (uint64_t)offset > size ||
	    (uint64_t)length > size - (uint64_t)offset)
		return bad(err, "names an area for the token that is not in the image");
	b->area = (struct iso_area){ .offset = (uint64_t)offset, .length = (uint64_t)length };
	str_copy(b->area.path, sizeof(b->area.path), path ? path : TOKEN_AREA_PATH);
	return 0;
}

/* A file of the folder: nothing is waited for, and no link is followed out of it. The folder may be anybody's. */
static int open_regular(int dirfd, const char *name, int *ret_fd, struct stat *ret,
			struct fault *err)
{
	AUTO(closep)
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, ret) < 0)
		return fault_set(err, -errno, "cannot open %s of the base image: %s", name,
				 strerror(errno));
	if (!S_ISREG(ret->st_mode))
		return fault_set(err, -EBADMSG, "%s of the base image is not a regular file", name);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int read_description(int dirfd, char **ret, size_t *ret_len, struct fault *err)
{
	struct stat st;
	AUTO(closep) int fd = -1;
	int r = open_regular(dirfd, DESCRIPTION, &fd, &st, err);
	if (r < 0)
		return r;
	if (st.st_size > DESCRIPTION_MAX)
		return bad(err, "is too long");
	AUTO(freep) char *text = malloc((size_t)st.st_size + 1);
	if (!text)
		return fault_oom(err);
	ssize_t n = fd_read(fd, text, (size_t)st.st_size);
	if (n < 0)
		return fault_set(err, (int)n, "cannot read " DESCRIPTION ": %s", strerror((int)-n));
	text[n] = '\0';
	*ret = TAKE(text);
	*ret_len = (size_t)n;
	return 0;
}

int base_image_describe(int dirfd, struct base_image *ret, struct fault *err)
{
	AUTO(freep) char *text = NULL;
	size_t len;
	int r = read_description(dirfd, &text, &len, err);
	if (r < 0)
		return fault_prefix(err, r, "no base image");

	AUTO(json_decrefp) json_t *doc = json_parse(text, len, DESCRIPTION_MAX, false, err);
	if (!doc)
		return bad(err, "is no JSON object");
	if (json_i64(doc, "format") != BASE_FORMAT)
		return bad(err, "has a format that this service does not know");
	struct base_image b = { .iso_fd = -1, .created = json_i64(doc, "created") };
	const char *arch = json_str(doc, "architecture");
	if (!is_word(arch) || !str_copy(b.arch, sizeof(b.arch), arch_api_name(arch)))
		return bad(err, "names no architecture");
	const char *kernel = json_str(doc, "kernel"), *version = json_str(doc, "version");
	str_copy(b.kernel, sizeof(b.kernel), kernel ? kernel : "");
	str_copy(b.version, sizeof(b.version), version ? version : "");
	r = read_files(doc, &b, err);
	if (r == 0)
		r = read_area(doc, &b, err);
	if (r == 0)
		*ret = b;
	return r;
}

static int open_file(int dirfd, const struct base_image *b, enum base_file f, int *ret_fd,
		     struct fault *err)
{
	struct stat st;
	AUTO(closep) int fd = -1;
	int r = open_regular(dirfd, names[f], &fd, &st, err);
	if (r < 0)
		return r;
	if ((uint64_t)st.st_size != b->files[f].size)
		return fault_set(err, -EBADMSG,
				 "%s of the base image does not have %" PRIu64
				 " bytes as " DESCRIPTION " says",
				 names[f], b->files[f].size);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int base_image_load(int dirfd, struct base_image *ret, struct fault *err)
{
	struct base_image b;
	struct iso_area found;
	int r = base_image_describe(dirfd, &b, err);
	if (r < 0)
		return r;
	AUTO(closep) int fd = -1;
	r = open_file(dirfd, &b, BASE_ISO, &fd, err);
	if (r == 0)
		r = iso_area_find(fd, &found, err);
	if (r < 0)
		return r;
	if (found.offset != b.area.offset || found.length != b.area.length)
		return bad(err, "names another area for the token than the image has");
	b.area = found;
	b.iso_fd = TAKE_FD(fd);
	*ret = b;
	return 0;
}

void base_image_done(struct base_image *b)
{
	if (b->iso_fd >= 0)
		close(b->iso_fd);
	b->iso_fd = -1;
}

static int compare_digest(struct sha256 *s, const struct base_image *b, enum base_file f,
			  struct fault *err)
{
	uint8_t digest[SHA256_LEN];
	char hex[SHA256_HEX_LEN + 1];

	sha256_final(s, digest);
	hex_encode(digest, sizeof(digest), hex);
	if (strcmp(hex, b->files[f].sha256) == 0)
		return 0;
	return fault_set(
		err, -EBADMSG,
		"%s of the base image is damaged: its digest is not the one in " DESCRIPTION,
		names[f]);
}

/* Reads back what was copied, so that what will be served is what was checked. */
static int check_copy(int fd, const struct base_image *b, enum base_file f, struct progress *p,
		      struct fault *err)
{
	AUTO(freep) void *block = malloc(COPY_STEP);
	struct sha256 sum;
	uint64_t at = 0;
	if (!block)
		return fault_oom(err);
	sha256_init(&sum);
	for (;;) {
		ssize_t n = fd_pread(fd, block, COPY_STEP, at);
		if (n < 0)
			return fault_set(err, (int)n, "cannot read the copy of %s: %s", names[f],
					 strerror((int)-n));
		if (n == 0)
			return compare_digest(&sum, b, f, err);
		sha256_update(&sum, block, (size_t)n);
		at += (uint64_t)n;
		progress_add(p, (uint64_t)n);
		if (progress_cancelled(p))
			return fault_set(err, -ECANCELED, "stopped");
	}
}

static int copy_file(int from, int to, const struct base_image *b, enum base_file f,
		     struct progress *p, struct fault *err)
{
	AUTO(closep) int in = -1;
	int r = open_file(from, b, f, &in, err);
	if (r < 0)
		return r;
	AUTO(closep) int out = openat(to, names[f], O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return fault_set(err, -errno, "cannot create %s: %s", names[f], strerror(errno));
	r = fd_copy(in, out, UINT64_MAX, err);
	if (r == 0)
		r = check_copy(out, b, f, p, err);
	if (r == 0)
		r = fd_sync(out, names[f], err);
	return r;
}

int base_image_copy(int from, int to, struct progress *p, struct fault *err)
{
	struct base_image b;
	AUTO(freep) char *text = NULL;
	size_t len;
	uint64_t total = 0;
	int r = base_image_describe(from, &b, err);
	if (r == 0)
		r = read_description(from, &text, &len, err);
	for (int f = 0; f < BASE_FILE_COUNT; f++)
		total += r == 0 ? b.files[f].size : 0;
	progress_step(p, "copying and checking", 1000, total);
	for (int f = 0; r == 0 && f < BASE_FILE_COUNT; f++)
		r = copy_file(from, to, &b, (enum base_file)f, p, err);
	/* the description comes last: a folder with one is complete */
	if (r == 0)
		r = file_replace_at(to, DESCRIPTION, text, len, 0600, err);
	if (r == 0)
		r = base_image_load(to, &b, err);
	if (r < 0)
		return r;
	base_image_done(&b);
	progress_end(p);
	return 0;
}
