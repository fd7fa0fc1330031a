#include "imagebuilder/file_set.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "common/cleanup.h"
#include "common/str.h"

#define PATH_LEN_MAX 1024

/* Relative and merged: "/lib/x", "lib/x" and "usr/lib/x" are the same file. */
static int canonical(const char *path, char ret[PATH_LEN_MAX])
{
	static const char *const merged[] = { "bin/", "sbin/", "lib/", "lib64/" };
	const char *prefix = "";

	path += strspn(path, "/");
	for (size_t i = 0; i < ARRAY_SIZE(merged); i++)
		if (str_starts(path, merged[i]))
			prefix = "usr/";
	int n = snprintf(ret, PATH_LEN_MAX, "%s%s", prefix, path);
	return n > 0 && n < PATH_LEN_MAX ? 0 : -ENAMETOOLONG;
}

/* The index of @path, or where it belongs. */
static size_t find(const struct file_set *s, const char *path, bool *ret_found)
{
	size_t low = 0, high = s->n;

	*ret_found = false;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = strcmp(s->v[mid].path, path);
		if (c == 0) {
			*ret_found = true;
			return mid;
		}
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int grow(struct file_set *s)
{
	if (s->n >= FILE_SET_MAX)
		return -E2BIG;
	if (s->n < s->size)
		return 0;

	size_t size = s->size ? s->size * 2 : 256;
	struct set_file *v = realloc(s->v, size * sizeof(*v));
	if (!v)
		return -ENOMEM;
	s->v = v;
	s->size = size;
	return 0;
}

static int insert(struct file_set *s, const char *path, const struct set_file *f)
{
	bool found;
	size_t at = find(s, path, &found);

	if (found) {
		free(f->data);
		return 0;
	}
	int r = f->len > FILE_SET_BYTES_MAX - s->bytes ? -E2BIG : grow(s);
	AUTO(freep) char *copy = strdup(path);
	if (r < 0 || !copy) {
		free(f->data);
		return r < 0 ? r : -ENOMEM;
	}

	memmove(s->v + at + 1, s->v + at, (s->n - at) * sizeof(*s->v));
	s->v[at] = *f;
	s->v[at].path = TAKE(copy);
	s->n++;
	s->bytes += f->len;
	return 0;
}

static int insert_parents(struct file_set *s, const char *path)
{
	char parent[PATH_LEN_MAX];

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
		int r = insert(s, parent, &(struct set_file){ .mode = S_IFDIR | 0755 });
		if (r < 0)
			return r;
	}
	return 0;
}

static int add(struct file_set *s, const char *path, const struct set_file *f)
{
	char name[PATH_LEN_MAX];

	int r = canonical(path, name);
	if (r == 0)
		r = insert_parents(s, name);
	if (r < 0) {
		free(f->data);
		return r;
	}
	return insert(s, name, f);
}

void file_set_done(struct file_set *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].path);
		free(s->v[i].data);
	}
	free(s->v);
	*s = FILE_SET_INIT;
}

bool file_set_has(const struct file_set *s, const char *path)
{
	char name[PATH_LEN_MAX];
	bool found = false;

	if (canonical(path, name) == 0)
		find(s, name, &found);
	return found;
}

int file_set_add(struct file_set *s, const char *path, unsigned perm, void *data, size_t len)
{
	return add(s, path, &(struct set_file){ .mode = S_IFREG | perm, .data = data, .len = len });
}

int file_set_add_text(struct file_set *s, const char *path, unsigned perm, const char *text)
{
	char *copy = strdup(text);

	return copy ? file_set_add(s, path, perm, copy, strlen(text)) : -ENOMEM;
}

int file_set_add_dir(struct file_set *s, const char *path, unsigned perm)
{
	return add(s, path, &(struct set_file){ .mode = S_IFDIR | perm });
}

int file_set_add_link(struct file_set *s, const char *path, const char *target)
{
	char *copy = strdup(target);

	return copy ? add(s, path,
			  &(struct set_file){
				  .mode = S_IFLNK | 0777, .data = copy, .len = strlen(target) })
		    : -ENOMEM;
}

int file_set_add_char_device(struct file_set *s, const char *path, unsigned perm, unsigned major,
			     unsigned minor)
{
	return add(s, path,
		   &(struct set_file){ .mode = S_IFCHR | perm, .major = major, .minor = minor });
}

static int write_one(const struct set_file *f, struct cpio_writer *w)
{
	switch (f->mode & S_IFMT) {
	case S_IFDIR:
		return cpio_dir(w, f->path, f->mode & 07777);
	case S_IFLNK:
		return cpio_symlink(w, f->path, f->data);
	case S_IFCHR:
		return cpio_char_device(w, f->path, f->mode & 07777, f->major, f->minor);
	default:
		return cpio_file(w, f->path, f->mode & 07777, f->data, f->len);
	}
}

int file_set_write(const struct file_set *s, struct cpio_writer *w)
{
	for (size_t i = 0; i < s->n; i++) {
		int r = write_one(&s->v[i], w);
		if (r < 0)
			return r;
	}
	return 0;
}
