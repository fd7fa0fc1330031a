#include "agent/logs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "agent/tar_gz.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/str.h"

#define KLOG_READ_ALL 3 /* SYSLOG_ACTION_READ_ALL, syslog(2) */
#define KLOG_SIZE 10    /* SYSLOG_ACTION_SIZE_BUFFER */
#define FILES_MAX 64    /* *.log of the state directory */

static const struct {
	const char *name, *path;
} sources[] = {
	{ "cmdline", "/proc/cmdline" },       { "mounts", "/proc/self/mountinfo" },
	{ "partitions", "/proc/partitions" }, { "meminfo", "/proc/meminfo" },
	{ "modules", "/proc/modules" },       { "interrupts", "/proc/interrupts" },
	{ "os-release", "/etc/os-release" },  { "resolv.conf", "/etc/resolv.conf" },
	{ "net-dev", "/proc/net/dev" },       { "ipv4-routes", "/proc/net/route" },
	{ "diskstats", "/proc/diskstats" },
};

struct collector {
	struct tar_gz tar;
	const char *secret;
	struct buf report; /* what is missing and why */
	time_t now;
};

unsigned logs_redact(char *text, size_t len, const char *secret)
{
	unsigned n = 0;
	size_t secret_len = secret ? strlen(secret) : 0;

	if (!secret_len)
		return 0;
	for (char *at = text; (at = memmem(at, len - (size_t)(at - text), secret, secret_len));
	     at += secret_len, n++)
		memset(at, '*', secret_len);
	return n;
}

static int add(struct collector *c, const char *name, char *data, size_t len)
{
	AUTO(freep) char *path = str_printf("slipway-logs/%s", name);
	if (!path)
		return -ENOMEM;
	logs_redact(data, len, c->secret);
	return tar_gz_add(&c->tar, path, data, len, c->now);
}

/* At most LOGS_SOURCE_MAX bytes: the end of a longer file, which is what matters in a log. @flags: more of open(2). */
static int add_file(struct collector *c, int dirfd, const char *path, const char *name, int flags)
{
	AUTO(closep) int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags);
	if (fd < 0) {
		buf_printf(&c->report, "%s: %s\n", path, strerror(errno));
		return 0;
	}
	off_t end = lseek(fd, 0, SEEK_END);
	if (end > (off_t)LOGS_SOURCE_MAX)
		(void)lseek(fd, -(off_t)LOGS_SOURCE_MAX, SEEK_END);
	else
		(void)lseek(fd, 0, SEEK_SET);
	AUTO(freep) char *data = malloc(LOGS_SOURCE_MAX);
	if (!data)
		return -ENOMEM;
	ssize_t n = fd_read(fd, data, LOGS_SOURCE_MAX);
	if (n < 0) {
		buf_printf(&c->report, "%s: %s\n", path, strerror((int)-n));
		return 0;
	}
	return add(c, name, data, (size_t)n);
}

static int add_kernel_log(struct collector *c)
{
	int size = klogctl(KLOG_SIZE, NULL, 0);
	if (size <= 0 || size > (int)LOGS_SOURCE_MAX)
		size = LOGS_SOURCE_MAX;
	AUTO(freep) char *data = malloc((size_t)size);
	if (!data)
		return -ENOMEM;
	int n = klogctl(KLOG_READ_ALL, data, size);
	if (n < 0) {
		buf_printf(&c->report, "kernel log: %s\n", strerror(errno));
		return 0;
	}
	return add(c, "dmesg", data, (size_t)n);
}

static int add_state_dir(struct collector *c, const char *path)
{
	AUTO(closedirp) DIR *dir = opendir(path);
	unsigned files = 0;

	if (!dir) {
		buf_printf(&c->report, "%s: %s\n", path, strerror(errno));
		return 0;
	}
	for (struct dirent *d; (d = readdir(dir)) && files < FILES_MAX;) {
		if (!str_ends(d->d_name, ".log") && strcmp(d->d_name, "status.json"))
			continue;
		files++;
		int r = add_file(c, dirfd(dir), d->d_name, d->d_name, O_NOFOLLOW);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_all(struct collector *c, const char *state_dir)
{
	int r = add_kernel_log(c);
	for (size_t i = 0; !r && i < ARRAY_SIZE(sources); i++)
		r = add_file(c, AT_FDCWD, sources[i].path, sources[i].name, 0);
	if (!r)
		r = add_state_dir(c, state_dir);
	if (!r && c->report.len)
		r = add(c, "report.txt", c->report.data, c->report.len);
	return r;
}

int logs_collect(const char *state_dir, const char *secret, int *ret_fd, struct fault *err)
{
	AUTO(closep) int fd = memfd_create("slipway-logs", MFD_CLOEXEC);
	if (fd < 0)
		return fault_set(err, -errno, "memfd: %s", strerror(errno));
	struct collector c = { .secret = secret, .now = time(NULL) };
	int r = tar_gz_open(&c.tar, fd);
	if (r < 0)
		return fault_set(err, r, "logs: %s", strerror(-r));
	buf_init(&c.report, 65536);
	r = add_all(&c, state_dir);
	buf_done(&c.report);
	int closed = tar_gz_close(&c.tar);
	if (!r)
		r = closed;
	if (r < 0)
		return fault_set(err, r, "logs: %s", strerror(-r));
	if (lseek(fd, 0, SEEK_END) > (off_t)LOGS_ARCHIVE_MAX)
		return fault_set(err, -EFBIG, "the logs are larger than %u MiB",
				 LOGS_ARCHIVE_MAX >> 20);
	(void)lseek(fd, 0, SEEK_SET);
	*ret_fd = TAKE_FD(fd);
	return 0;
}
