#include "service/ctl_verbs.h"

#include <errno.h>
#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/str.h"

const struct ctl_verb *const ctl_verbs[] = {
	&ctl_status,
	&ctl_backup,
	&ctl_base_image_add,
	&ctl_base_image_list,
	&ctl_base_image_remove,
	&ctl_os_image_add,
	&ctl_os_image_list,
	&ctl_os_image_remove,
	&ctl_os_image_default,
	&ctl_tokens_agent,
	&ctl_tokens_user,
	&ctl_tokens_revoke,
	&ctl_users_list,
	&ctl_users_add,
	&ctl_users_passwd,
	&ctl_users_remove,
	NULL,
};

const char *ctl_arg(const struct ctl_call *c, const char *name)
{
	const char *s = json_str(c->args, name);

	return str_empty(s) ? NULL : s;
}

const char *ctl_arg_needed(const struct ctl_call *c, const char *name, struct fault *err)
{
	const char *s = ctl_arg(c, name);

	if (!s)
		fault_set(err, -EINVAL, "the request names no %s", name);
	return s;
}

static void remove_tmp(struct ctl_call *c)
{
	images_tmp_remove(c->service->images, c->job.kind, c->job.tmp);
}

int ctl_job_begin(struct ctl_call *c, enum images_kind kind, struct fault *err)
{
	int r = images_tmp_make(c->service->images, kind, c->job.tmp, &c->job.tmp_fd, err);
	if (r < 0)
		return r;
	c->job.kind = kind;
	c->job.cleanup = remove_tmp;
	c->job.keep_fds[0] = c->fd;
	c->job.keep_fds[1] = -1;
	c->has_job = true;
	return CTL_LATER;
}
