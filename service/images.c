#include "service/images.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/log.h"
#include "common/pki.h"
#include "common/str.h"

#define TMP_PREFIX "tmp-"
#define OLD_PREFIX "tmp-old-"
#define DEFAULT_ARCH "x86_64"

static const char *const folders[IMAGES_KIND_COUNT] = { "base-images", "os-images" };

/* --- folders --- */

static int open_folder(int state_dirfd, const char *name, int *ret, struct fault *err)
{
	int r = dir_make_at(state_dirfd, name, 0700, err);
	if (r < 0)
		return r;
	int fd = openat(state_dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return fault_set(err, -errno, "cannot open the folder %s: %s", name,
				 strerror(errno));
	*ret = fd;
	return 0;
}

/* Calls @fn for every entry of the folder. */
static int each_entry(int dirfd, void (*fn)(struct images *im, int dirfd, const char *name),
		      struct images *im, struct fault *err)
{
	AUTO(closep) int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(closedirp) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return fault_set(err, -errno, "cannot list the images: %s", strerror(errno));
	(void)TAKE_FD(fd); /* the stream owns it */
	for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
		if (e->d_name[0] != '.')
			fn(im, dirfd, e->d_name);
	}
	return 0;
}

static void remove_leftover(struct images *im, int dirfd, const char *name)
{
	struct fault why = FAULT_INIT;

	if (str_starts(name, TMP_PREFIX) && dir_remove_at(dirfd, name, &why) < 0)
		log_warning("cannot remove %s: %s", name, fault_text(&why));
}

int images_tmp_make(struct images *im, enum images_kind kind, char ret_name[32], int *ret_fd,
		    struct fault *err)
{
	uint64_t n;
	random_bytes(&n, sizeof(n));
	snprintf(ret_name, 32, TMP_PREFIX "%016llx", (unsigned long long)n);
	if (mkdirat(im->dirfd[kind], ret_name, 0700) < 0)
		return fault_set(err, -errno, "cannot make a folder for the image: %s",
				 strerror(errno));
	int fd = openat(im->dirfd[kind], ret_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return fault_set(err, -errno, "cannot open the folder for the image: %s",
				 strerror(errno));
	*ret_fd = fd;
	return 0;
}

void images_tmp_remove(struct images *im, enum images_kind kind, const char *name)
{
	remove_leftover(im, im->dirfd[kind], name);
}

static int sync_folder(const struct images *im, enum images_kind kind, struct fault *err)
{
	return fd_sync(im->dirfd[kind], folders[kind], err);
}

/* Renames @tmp to @name; what stands there already gets out of the way first and is removed. */
static int move_in(struct images *im, enum images_kind kind, const char *tmp, const char *name,
		   struct fault *err)
{
	char old[sizeof(OLD_PREFIX) + 80];
	int dirfd = im->dirfd[kind];

	snprintf(old, sizeof(old), OLD_PREFIX "%.72s", name);
	if (renameat(dirfd, name, dirfd, old) < 0 && errno != ENOENT)
		return fault_set(err, -errno, "cannot move the old image away: %s",
				 strerror(errno));
	if (renameat(dirfd, tmp, dirfd, name) < 0)
		return fault_set(err, -errno, "cannot move the image to its place: %s",
				 strerror(errno));
	int r = sync_folder(im, kind, err);
	(void)dir_remove_at(dirfd, old, NULL); /* open copies are read to their end */
	return r;
}

/* --- base images --- */

static struct base_image *find_base(struct images *im, const char *arch)
{
	for (size_t i = 0; i < im->n_base; i++) {
		if (strcmp(im->base[i].arch, arch) == 0)
			return &im->base[i];
	}
	return NULL;
}

const struct base_image *images_base(const struct images *im, const char *arch)
{
	return find_base((struct images *)im, arch_api_name(arch));
}

int images_base_open(const struct images *im, const struct base_image *b, enum base_file f,
		     struct fault *err)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/%s", b->arch, base_file_name(f));
	int fd = openat(im->dirfd[IMAGES_BASE], path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? fault_set(err, -errno, "cannot open %s: %s", path, strerror(errno)) : fd;
}

static int load_base(struct images *im, const char *name, struct base_image *ret, struct fault *err)
{
	AUTO(closep)
	int fd = openat(im->dirfd[IMAGES_BASE], name,
			O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return fault_set(err, -errno, "cannot open base image %s: %s", name,
				 strerror(errno));
	return base_image_load(fd, ret, err);
}

static int keep_base(struct images *im, struct base_image *b, const struct base_image **ret,
		     struct fault *err)
{
	struct base_image *slot = find_base(im, b->arch);

	if (!slot && im->n_base == IMAGES_MAX) {
		base_image_done(b);
		return fault_set(err, -ENOSPC, "there are base images of %d architectures already",
				 IMAGES_MAX);
	}
	if (slot)
		base_image_done(slot);
	else
		slot = &im->base[im->n_base++];
	*slot = *b;
	*ret = slot;
	return 0;
}

static void load_entry(struct images *im, int dirfd, const char *name)
{
	const struct base_image *kept;
	struct fault why = FAULT_INIT;
	struct base_image b;

	int r = load_base(im, name, &b, &why);
	if (r == 0)
		r = keep_base(im, &b, &kept, &why);
	if (r < 0)
		log_warning("base image %s is not served: %s", name, fault_text(&why));
}

int images_base_install(struct images *im, const char *tmp, const struct base_image **ret,
			struct fault *err)
{
	struct base_image b;
	int r = load_base(im, tmp, &b, err);
	if (r < 0)
		return r;
	r = move_in(im, IMAGES_BASE, tmp, b.arch, err);
	if (r < 0) {
		base_image_done(&b);
		return r;
	}
	return keep_base(im, &b, ret, err);
}

int images_base_remove(struct images *im, const char *arch, struct fault *err)
{
	struct base_image *b = find_base(im, arch_api_name(arch));
	if (!b)
		return fault_set(err, -ENOENT, "there is no base image for %s", arch);
	int r = dir_remove_at(im->dirfd[IMAGES_BASE], b->arch, err);
	if (r < 0)
		return r;
	base_image_done(b);
	*b = im->base[--im->n_base];
	return 0;
}

/* --- OS images --- */

struct os_image *images_os_default(struct service *svc)
{
	struct os_image *o;

	for (size_t i = 0; (o = state_os_image_at(svc->state, i)); i++) {
		if (o->is_default)
			return o;
	}
	return NULL;
}

static void urls_free(struct images_url *urls, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(urls[i].url);
	free(urls);
}

static const char *url_of(const struct images *im, const struct os_image *o)
{
	for (size_t i = 0; o && i < im->n_urls; i++) {
		if (strcmp(im->urls[i].id, o->id) == 0)
			return im->urls[i].url;
	}
	return NULL;
}

static size_t count_os_images(const struct service *svc)
{
	size_t n = 0;

	while (state_os_image_at(svc->state, n))
		n++;
	return n;
}

int images_publish(struct service *svc)
{
	struct images *im = svc->images;
	size_t n = svc->payload_url ? count_os_images(svc) : 0;
	struct images_url *urls = calloc(n + 1, sizeof(*urls));
	if (!urls)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct os_image *o = state_os_image_at(svc->state, i);
		memcpy(urls[i].id, o->id, sizeof(urls[i].id));
		urls[i].url =
			str_printf("%s/os-images/%s/" OS_PAYLOAD_NAME, svc->payload_url, o->id);
		if (!urls[i].url) {
			urls_free(urls, n);
			return -ENOMEM;
		}
	}
	urls_free(im->urls, im->n_urls);
	im->urls = urls;
	im->n_urls = n;
	svc->rules.os_image_url = url_of(im, images_os_default(svc));
	return 0;
}

/* Is @o a better choice than @best (NULL = none yet)? */
static bool is_better(const struct os_image *o, const struct os_image *best)
{
	if (!best || o->is_default != best->is_default)
		return !best || o->is_default;
	return o->created_at > best->created_at;
}

const char *images_os_url(struct service *svc, const struct infra_env *ie)
{
	const char *arch = str_empty(ie->cpu_architecture) ? DEFAULT_ARCH : ie->cpu_architecture;
	const struct os_image *o, *best = NULL;

	for (size_t i = 0; (o = state_os_image_at(svc->state, i)); i++) {
		const char *version = str_empty(o->version) ? svc->config->default_version
							    : o->version;
		const char *own_arch = str_empty(o->cpu_architecture) ? DEFAULT_ARCH
								      : o->cpu_architecture;
		if (str_eq(version, ie->openshift_version) && strcmp(own_arch, arch) == 0 &&
		    is_better(o, best))
			best = o;
	}
	return url_of(svc->images, best ? best : images_os_default(svc));
}

int images_os_set_default(struct service *svc, struct os_image *o, struct fault *err)
{
	struct os_image *other;
	int r = 0;

	for (size_t i = 0; r == 0 && (other = state_os_image_at(svc->state, i)); i++) {
		if (other->is_default == (other == o))
			continue;
		r = state_edit_os_image(svc->state, other);
		if (r == 0)
			other->is_default = other == o;
	}
	if (r == 0)
		r = images_publish(svc);
	return r < 0 ? fault_oom(err) : 0;
}

static int read_index(struct images *im, const char *tmp, struct slx *ret, struct fault *err)
{
	char path[64];
	AUTO(freep) char *data = NULL;
	size_t len;

	snprintf(path, sizeof(path), "%s/" OS_INDEX_NAME, tmp);
	int r = file_read_at(im->dirfd[IMAGES_OS], path, SLX_FILE_MAX, &data, &len, err);
	return r < 0 ? r : slx_parse(data, len, ret, err);
}

static int fill_row(struct os_image *o, const struct slx *index, const struct os_image_info *info,
		    int64_t now_us)
{
	int r = str_set(&o->label, info->label);
	if (r == 0)
		r = str_set(&o->version, info->version);
	if (r == 0)
		r = str_set(&o->cpu_architecture, info->arch);
	o->image_size = index->image_size;
	o->payload_size = index->payload_size;
	if (!o->created_at)
		o->created_at = now_us;
	return r;
}

int images_os_install(struct service *svc, const char *tmp, const struct os_image_info *info,
		      struct os_image **ret, struct fault *err)
{
	struct images *im = svc->images;
	struct slx index = { 0 };
	char id[SHA256_HEX_LEN + 1];
	int r = read_index(im, tmp, &index, err);
	if (r < 0)
		return r;
	hex_encode(index.image_id, sizeof(index.image_id), id);

	/* files first: a row is a promise */
	r = move_in(im, IMAGES_OS, tmp, id, err);
	struct os_image *o = state_os_image(svc->state, id);
	bool is_default = info->make_default || !images_os_default(svc);
	if (r == 0)
		r = o ? state_edit_os_image(svc->state, o) : state_add_os_image(svc->state, id, &o);
	if (r == 0)
		r = fill_row(o, &index, info, service_now_us(svc));
	if (r == 0)
		r = is_default ? images_os_set_default(svc, o, err) : images_publish(svc);
	slx_done(&index);
	if (r == -ENOMEM)
		return fault_oom(err);
	if (r == 0)
		*ret = o;
	return r;
}

int images_os_remove(struct service *svc, struct os_image *o, struct fault *err)
{
	bool was_default = o->is_default;
	char id[sizeof(o->id)];

	memcpy(id, o->id, sizeof(id));
	int r = state_remove_os_image(svc->state, o);
	if (r < 0)
		return fault_oom(err);
	struct os_image *next = was_default ? state_os_image_at(svc->state, 0) : NULL;
	r = next ? images_os_set_default(svc, next, err) : images_publish(svc);
	if (r < 0)
		return r;
	return dir_remove_at(svc->images->dirfd[IMAGES_OS], id, err);
}

int images_os_open(const struct images *im, const char *id, const char *name, struct fault *err)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", id, name);
	int fd = openat(im->dirfd[IMAGES_OS], path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? fault_set(err, -errno, "cannot open %s of OS image %.16s: %s", name, id,
				  strerror(errno))
		      : fd;
}

static void warn_of_missing_files(struct service *svc)
{
	struct os_image *o;

	for (size_t i = 0; (o = state_os_image_at(svc->state, i)); i++) {
		AUTO(closep) int fd = images_os_open(svc->images, o->id, OS_PAYLOAD_NAME, NULL);
		if (fd < 0)
			log_warning("the files of OS image %.16s (%s) are missing: add it again",
				    o->id, o->label ? o->label : "");
	}
}

/* --- replies --- */

static long file_pread(void *ctx, void *data, size_t len, uint64_t offset)
{
	ssize_t n = fd_pread((int)(intptr_t)ctx, data, len, offset);

	return n == 0 ? -EIO : (long)n; /* the file shrank */
}

static void file_free(void *ctx)
{
	close((int)(intptr_t)ctx);
}

int images_file_source(int fd, struct http_source *ret, struct fault *err)
{
	AUTO(closep) int owned = fd;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fault_set(err, -errno, "cannot stat the file: %s", strerror(errno));
	*ret = (struct http_source){ .size = (uint64_t)st.st_size,
				     .pread = file_pread,
				     .free = file_free,
				     .ctx = (void *)(intptr_t)TAKE_FD(owned) };
	return 0;
}

/* --- life --- */

int images_new(struct service *svc, struct images **ret, struct fault *err)
{
	struct images *im = calloc(1, sizeof(*im));
	if (!im)
		return fault_oom(err);
	im->dirfd[IMAGES_BASE] = im->dirfd[IMAGES_OS] = -1;

	int r = 0;
	for (int k = 0; r == 0 && k < IMAGES_KIND_COUNT; k++) {
		r = open_folder(svc->state_dirfd, folders[k], &im->dirfd[k], err);
		if (r == 0)
			r = each_entry(im->dirfd[k], remove_leftover, im, err);
	}
	if (r == 0)
		r = each_entry(im->dirfd[IMAGES_BASE], load_entry, im, err);
	if (r < 0) {
		images_free(im);
		return r;
	}
	svc->images = im;
	warn_of_missing_files(svc);
	*ret = im;
	return images_publish(svc) < 0 ? fault_oom(err) : 0;
}

void images_free(struct images *im)
{
	if (!im)
		return;
	for (size_t i = 0; i < im->n_base; i++)
		base_image_done(&im->base[i]);
	for (int k = 0; k < IMAGES_KIND_COUNT; k++)
		closep(&im->dirfd[k]);
	urls_free(im->urls, im->n_urls);
	free(im);
}
