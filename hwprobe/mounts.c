#include "hwprobe/mounts.h"

#include <errno.h>
#include <string.h>

static const struct mount_table empty;

const struct mount_table *survey_mounts(struct survey *s)
{
	if (s->mounts)
		return s->mounts;
	s->mounts = arena_alloc(s->tmp, sizeof(*s->mounts));
	if (!s->mounts)
		return &empty;
	char *text = NULL;
	if (attr_file(s, "proc/self/mountinfo", ROOT_FILE_MAX, &text, NULL) == 0)
		mountinfo_parse(s->mounts, s->tmp, text);
	if (s->mounts->broken)
		survey_error(s, "proc/self/mountinfo", EBADMSG, "%zu lines cannot be understood",
			     s->mounts->broken);
	return s->mounts;
}

const struct mount *mount_at(const struct mount_table *t, const char *point)
{
	for (size_t i = t->n; i > 0; i--)
		if (!strcmp(t->v[i - 1].point, point))
			return &t->v[i - 1];
	return NULL;
}
