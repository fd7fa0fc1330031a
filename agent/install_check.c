/*
 * Everything that can be checked without image data and without touching the disk (install.md F,
 * step 1 and 3).
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "agent/install_engine.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/str.h"

#define PLAN_TEXT_MAX (64u << 10)

static int index_check(struct engine *e, struct fault *err)
{
	int r = slx_parse(e->p->index, e->p->index_len, &e->slx, err);

	if (r < 0)
		return r;
	if (e->slx.image_size < COMMIT_HEAD_BYTES || e->slx.image_size % e->slx.sector_size)
		return fault_set(err, -EBADMSG, "the index describes an image of %llu bytes",
				 (unsigned long long)e->slx.image_size);
	return 0;
}

static int params_check(const struct install_params *p, struct fault *err)
{
	if (!p->install_id || !uuid_is_valid(p->install_id))
		return fault_set(err, -EINVAL, "the installation has no valid id");
	if (p->files_n > INSTALL_FILES_MAX)
		return fault_set(err, -E2BIG, "%zu seed files, at most %d are allowed", p->files_n,
				 INSTALL_FILES_MAX);
	return 0;
}

static int device_check(struct engine *e, struct fault *err)
{
	AUTO(closep) int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = disk_id_read(e->p->device, &e->id, err);
	struct stat st;

	if (r == 0)
		r = disk_id_check(&e->p->expect, &e->id, err);
	if (r == 0)
		r = graph_read(root, e->id.devno, &e->graph, err);
	if (r < 0)
		return r;
	AUTO(closep) int fd = open(e->p->device, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return fault_set(err, -errno, "cannot read %s: %s", e->p->device, strerror(errno));
	if (st.st_rdev != e->id.devno)
		return fault_set(err, -ESTALE, "%s became another device while it was looked at",
				 e->p->device);
	r = graph_probe(&e->graph, root, fd, e->id.sector_size, err);
	if (r == 0)
		r = members_scan(root, &e->graph, fd, e->p->allow_loop, NULL, &e->members, err);
	if (r < 0)
		return r;
	const struct plan_input in = {
		.disk = &e->id,
		.graph = &e->graph,
		.members = &e->members,
		.given_up = e->p->given_up,
		.given_up_n = e->p->given_up_n,
		.image_size = e->slx.image_size,
		.sector_size = e->slx.sector_size,
		.allow_loop = e->p->allow_loop,
	};
	return plan_make(&in, &e->plan, err);
}

int engine_plan_again(struct engine *e, struct fault *err)
{
	const struct disk_id before = e->id;

	graph_done(&e->graph);
	members_done(&e->members);
	plan_done(&e->plan);
	int r = device_check(e, err);
	return r < 0 ? r : disk_id_check(&before, &e->id, err);
}

int engine_check(struct engine *e, struct fault *err)
{
	const struct disk_id *id = &e->id;
	int r = params_check(e->p, err);

	if (r == 0)
		r = index_check(e, err);
	if (r < 0)
		return r;
	if (!e->d)
		return device_check(e, err);
	e->id = e->d->id;
	if (e->slx.sector_size != id->sector_size)
		return fault_set(err, -EMEDIUMTYPE,
				 "the image is made for sectors of %u bytes, %s has %u",
				 e->slx.sector_size, id->name, id->sector_size);
	if (e->slx.image_size > id->size_bytes)
		return fault_set(err, -ENOSPC, "%s is too small: %llu bytes, the image needs %llu",
				 id->name, (unsigned long long)id->size_bytes,
				 (unsigned long long)e->slx.image_size);
	return 0;
}

int install_check(const struct install_params *p, char **ret_plan, struct fault *err)
{
	struct engine e = { .p = p };
	AUTO(buf_done) struct buf text;
	int r = engine_check(&e, err);

	buf_init(&text, PLAN_TEXT_MAX);
	if (r == 0 && ret_plan)
		r = plan_text(&e.plan, &text);
	if (r == 0 && ret_plan) {
		*ret_plan = buf_take(&text);
		r = *ret_plan ? 0 : fault_oom(err);
	}
	slx_done(&e.slx);
	graph_done(&e.graph);
	members_done(&e.members);
	plan_done(&e.plan);
	return r;
}
