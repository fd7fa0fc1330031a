/*
 * Verbs about images. Copying, checking and converting are jobs in a child process.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/str.h"
#include "common/wire/ctl.h"
#include "service/ctl_verbs.h"

#define LABEL_MAX 255
#define OS_INDEX_LABEL_MAX 32 /* bytes in the index */

/* --- base images --- */

json_t *ctl_base_image_json(const struct base_image *b)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "id", b->id, "arch", b->arch, "kernel",
			 b->kernel, "version", b->version, "created", (json_int_t)b->created,
			 "size_bytes", (json_int_t)b->files[BASE_ISO].size);
}

static int copy_base(const struct ctl_job *job, struct progress *p, struct fault *err)
{
	return base_image_copy(job->keep_fds[0], job->tmp_fd, p, err);
}

static int install_base(struct ctl_call *c, json_t **ret, struct fault *err)
{
	const struct base_image *b;
	int r = images_base_install(c->service->images, c->job.tmp, &b, err);
	if (r < 0)
		return r;
	*ret = ctl_base_image_json(b);
	return *ret ? 0 : fault_oom(err);
}

static int base_add(struct ctl_call *c, json_t **ret, struct fault *err)
{
	struct base_image b;
	int r = base_image_describe(c->fd, &b, err);
	if (r < 0)
		return r;
	c->job.work = copy_base;
	c->job.finish = install_base;
	return ctl_job_begin(c, IMAGES_BASE, err);
}

static int base_list(struct ctl_call *c, json_t **ret, struct fault *err)
{
	const struct images *im = c->service->images;
	AUTO(json_decrefp) json_t *list = json_array();

	for (size_t i = 0; i < im->n_base; i++) {
		if (json_array_append_new(list, ctl_base_image_json(&im->base[i])))
			return fault_oom(err);
	}
	*ret = json_pack("{s:O}", "base_images", list);
	return *ret ? 0 : fault_oom(err);
}

static int base_remove(struct ctl_call *c, json_t **ret, struct fault *err)
{
	const char *arch = ctl_arg_needed(c, "arch", err);

	return arch ? images_base_remove(c->service->images, arch, err) : -EINVAL;
}

/* --- OS images --- */

static json_t *os_image_json(const struct service *svc, const struct os_image *o)
{
	AUTO(freep)
	char *url = svc->payload_url ? str_printf("%s/os-images/%s/" OS_PAYLOAD_NAME,
						  svc->payload_url, o->id)
				     : NULL;

	return json_pack("{s:s, s:s?, s:s?, s:s?, s:I, s:I, s:I, s:b, s:s?}", "id", o->id, "label",
			 o->label, "version", o->version, "arch", o->cpu_architecture, "image_size",
			 (json_int_t)o->image_size, "payload_size", (json_int_t)o->payload_size,
			 "created", (json_int_t)(o->created_at / 1000000), "default",
			 (int)o->is_default, "url", url);
}

static int create_file(int dirfd, const char *name, struct fault *err)
{
	int fd = openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	return fd < 0 ? fault_set(err, -errno, "cannot create %s: %s", name, strerror(errno)) : fd;
}

static int convert(const struct ctl_job *job, struct progress *p, struct fault *err)
{
	AUTO(closep) int payload = create_file(job->tmp_fd, OS_PAYLOAD_NAME, err);
	AUTO(closep)
	int index = payload < 0 ? payload : create_file(job->tmp_fd, OS_INDEX_NAME, err);
	if (index < 0)
		return index;
	return os_image_convert(&job->os_spec, payload, index, NULL, p, err);
}

static int install_os(struct ctl_call *c, json_t **ret, struct fault *err)
{
	struct os_image *o;
	const char *arch = ctl_arg(c, "arch");
	const struct os_image_info info = {
		.label = ctl_arg(c, "label"),
		.version = ctl_arg(c, "version"),
		.arch = arch_api_name(arch ? arch : "x86_64"),
		.make_default = json_flag(c->args, "default"),
	};
	int r = images_os_install(c->service, c->job.tmp, &info, &o, err);
	if (r < 0)
		return r;
	*ret = os_image_json(c->service, o);
	return *ret ? 0 : fault_oom(err);
}

/* Cut at a whole character. The text lives as long as the request. */
static int check_words(const struct ctl_call *c, struct fault *err)
{
	static const char *const names[] = { "label", "version", "arch" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *s = ctl_arg(c, names[i]);
		if (s && (strlen(s) > LABEL_MAX || !str_is_text(s) || strpbrk(s, "\n\t")))
			return fault_set(err, -EINVAL, "%s must be one line of at most %d bytes",
					 names[i], LABEL_MAX);
	}
	return 0;
}

static int os_add(struct ctl_call *c, json_t **ret, struct fault *err)
{
	int r = check_words(c, err);
	if (r < 0)
		return r;
	const char *label = ctl_arg(c, "label");
	c->job.os_spec = (struct os_image_spec){
		.in_fd = c->fd,
		.label = label && strlen(label) <= OS_INDEX_LABEL_MAX ? label : NULL,
		.created = service_now_us(c->service) / 1000000,
	};
	c->job.work = convert;
	c->job.finish = install_os;
	return ctl_job_begin(c, IMAGES_OS, err);
}

static int os_list(struct ctl_call *c, json_t **ret, struct fault *err)
{
	AUTO(json_decrefp) json_t *list = json_array();
	struct os_image *o;

	for (size_t i = 0; (o = state_os_image_at(c->service->state, i)); i++) {
		if (json_array_append_new(list, os_image_json(c->service, o)))
			return fault_oom(err);
	}
	*ret = json_pack("{s:O}", "os_images", list);
	return *ret ? 0 : fault_oom(err);
}

#define ID_SHORTEST 8

/* By its id, or by the start of it when only one begins so. */
static struct os_image *find_os(const struct ctl_call *c, struct fault *err)
{
	const char *id = ctl_arg_needed(c, "id", err);
	struct os_image *o, *found = NULL;
	if (!id)
		return NULL;
	size_t len = strlen(id), n = 0;
	for (size_t i = 0; (o = state_os_image_at(c->service->state, i)); i++) {
		if (len >= ID_SHORTEST && strncmp(o->id, id, len) == 0) {
			found = o;
			n++;
		}
	}
	if (n == 1)
		return found;
	fault_set(err, -ENOENT,
		  n ? "more than one OS image begins with %.64s" : "there is no OS image %.64s",
		  id);
	return NULL;
}

static int os_remove(struct ctl_call *c, json_t **ret, struct fault *err)
{
	struct os_image *o = find_os(c, err);

	return o ? images_os_remove(c->service, o, err) : -ENOENT;
}

static int os_default(struct ctl_call *c, json_t **ret, struct fault *err)
{
	struct os_image *o = find_os(c, err);

	return o ? images_os_set_default(c->service, o, err) : -ENOENT;
}

const struct ctl_verb ctl_base_image_add = { .name = "base-image-add",
					     .needs_fd = true,
					     .run = base_add };
const struct ctl_verb ctl_base_image_list = { .name = "base-image-list", .run = base_list };
const struct ctl_verb ctl_base_image_remove = { .name = "base-image-remove", .run = base_remove };
const struct ctl_verb ctl_os_image_add = { .name = "os-image-add",
					   .needs_fd = true,
					   .run = os_add };
const struct ctl_verb ctl_os_image_list = { .name = "os-image-list", .run = os_list };
const struct ctl_verb ctl_os_image_remove = { .name = "os-image-remove", .run = os_remove };
const struct ctl_verb ctl_os_image_default = { .name = "os-image-default", .run = os_default };
