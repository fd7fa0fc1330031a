#pragma once
/* Recorded trees made by a test: a temporary folder, files in it, a probe of it. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "common/fd.h"
#include "hwprobe/hwprobe.h"

#define UNUSED __attribute__((unused))

struct tree {
	char dir[64];
	char log[2048]; /* what the library logged, lines joined */
};

UNUSED static void tree_init(struct tree *t)
{
	memset(t, 0, sizeof(*t));
	/* In memory where possible: trees are thousands of small files. */
	snprintf(t->dir, sizeof(t->dir), "/dev/shm/hwprobe-test-XXXXXX");
	if (mkdtemp(t->dir))
		return;
	snprintf(t->dir, sizeof(t->dir), "/tmp/hwprobe-test-XXXXXX");
	if (!mkdtemp(t->dir))
		abort();
}

UNUSED static void tree_done(struct tree *t)
{
	if (dir_remove_at(AT_FDCWD, t->dir, NULL) < 0)
		abort();
}

UNUSED static void tree_parents(const char *path)
{
	char dir[512];
	snprintf(dir, sizeof(dir), "%s", path);
	for (char *p = dir + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		if (mkdir(dir, 0755) < 0 && errno != EEXIST)
			abort();
		*p = '/';
	}
}

UNUSED static void tree_write(struct tree *t, const char *name, const void *data, size_t len)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/%s", t->dir, name);
	tree_parents(path);
	FILE *f = fopen(path, "w");
	if (!f || fwrite(data, 1, len, f) != len || fclose(f))
		abort();
}

UNUSED static void tree_file(struct tree *t, const char *name, const char *text)
{
	tree_write(t, name, text, strlen(text));
}

UNUSED static void tree_dir(struct tree *t, const char *name)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/%s/", t->dir, name);
	tree_parents(path);
}

UNUSED static void tree_link(struct tree *t, const char *name, const char *target)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/%s", t->dir, name);
	tree_parents(path);
	if (symlink(target, path) < 0)
		abort();
}

/* name, content, name, content, …, NULL */
UNUSED static void tree_files(struct tree *t, ...)
{
	va_list args;
	va_start(args, t);
	for (const char *name; (name = va_arg(args, const char *));)
		tree_file(t, name, va_arg(args, const char *));
	va_end(args);
}

/* name, content, …, NULL as an array */
UNUSED static void tree_add(struct tree *t, const char *const *files)
{
	for (; *files; files += 2)
		tree_file(t, files[0], files[1]);
}

UNUSED static void tree_log(void *data, int prio, const char *part, const char *msg)
{
	struct tree *t = data;
	size_t n = strlen(t->log);
	snprintf(t->log + n, sizeof(t->log) - n, "%s: %s\n", part, msg);
}

/* 0 or what hwp_open()/hwp_probe() answered. */
UNUSED static int tree_try(struct tree *t, struct hwp_options opt, struct hwp_inventory **ret)
{
	struct hwp_ctx *ctx = NULL;
	opt.size = sizeof(opt);
	opt.sysroot = t->dir;
	opt.log = tree_log;
	opt.log_data = t;
	int rc = hwp_open(&ctx, &opt);
	if (!rc)
		rc = hwp_probe(ctx, 0, ret);
	hwp_close(ctx);
	return rc;
}

UNUSED static struct hwp_inventory *tree_probe(struct tree *t, unsigned parts)
{
	struct hwp_inventory *inv = NULL;
	if (tree_try(t, (struct hwp_options){ .parts = parts }, &inv) < 0)
		abort();
	return inv;
}

/* A probe with all that the full format shows, and no errors. */
UNUSED static struct hwp_inventory *tree_probe_all(struct tree *t, unsigned parts)
{
	struct hwp_inventory *inv = NULL;
	const struct hwp_error *errors;
	if (tree_try(t, (struct hwp_options){ .parts = parts, .flags = HWP_MORE }, &inv) < 0)
		abort();
	if (hwp_errors(inv, &errors)) {
		fprintf(stderr, "%s: %s: %s\n", errors->part, errors->source, errors->detail);
		abort();
	}
	return inv;
}
