#include "imagebuilder/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/str.h"

const char *const scratch_env[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"LC_ALL=C",
	"TZ=UTC",
	NULL,
};

int scratch_make(struct scratch *ret, struct fault *err)
{
	struct scratch s = SCRATCH_INIT;
	const char *base = getenv("TMPDIR");

	if (snprintf(s.path, sizeof(s.path), "%s/slipway-image-XXXXXX",
		     str_empty(base) ? "/tmp" : base) >= (int)sizeof(s.path))
		return fault_set(err, -ENAMETOOLONG, "TMPDIR is too long: %s", base);
	if (!mkdtemp(s.path))
		return fault_set(err, -errno, "cannot make a temporary folder %s: %s", s.path,
				 strerror(errno));
	s.fd = open(s.path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	if (s.fd < 0) {
		int code = -errno;
		rmdir(s.path);
		return fault_set(err, code, "cannot open %s: %s", s.path, strerror(-code));
	}
	*ret = s;
	return 0;
}

void scratch_done(struct scratch *s)
{
	closep(&s->fd);
	if (s->path[0])
		(void)dir_remove_at(AT_FDCWD, s->path, NULL);
	*s = SCRATCH_INIT;
}
