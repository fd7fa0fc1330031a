#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "common/cleanup.h"
#include "imagebuilder/verbs.h"

int verb_fail(const struct fault *err)
{
	fprintf(stderr, "slipway-image: %s\n", fault_text(err));
	return EXIT_FAILED;
}

int verb_usage(const char *verb, const char *sentence)
{
	fprintf(stderr, "slipway-image: %s\nTry \"slipway-image %s --help\".\n", sentence, verb);
	return EXIT_USAGE;
}

int verb_set_json(void *ctx, const char *value, struct fault *err)
{
	((struct verb_context *)ctx)->json = true;
	return 0;
}

int verb_set_output(void *ctx, const char *value, struct fault *err)
{
	((struct verb_context *)ctx)->output = value;
	return 0;
}

int verb_open_iso(const char *path, int flags, int *ret_fd, struct fault *err)
{
	struct stat st;

	AUTO(closep) int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return fault_set(err, -errno, "cannot open %s: %s", path, strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return fault_set(err, -EINVAL, "%s is not a regular file", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}
