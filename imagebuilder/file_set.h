#pragma once
/*
 * The files of an initramfs: a set sorted by path, so that parents stand before children and the same files give the same archive.
 * Paths are kept in merged-/usr form: "lib/x" becomes "usr/lib/x" (the links /lib, /bin, /sbin, /lib64 are members of their own).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/fault.h"
#include "imagebuilder/cpio.h"

#define FILE_SET_MAX 20000u              /* members */
#define FILE_SET_BYTES_MAX (1024u << 20) /* of all contents */

struct set_file {
	char *path;    /* owned, relative */
	uint32_t mode; /* type and permissions */
	void *data;    /* owned; contents, or the target of a link */
	size_t len;
	unsigned major, minor; /* of a device */
};

struct file_set {
	struct set_file *v;
	size_t n, size;
	uint64_t bytes;
};

#define FILE_SET_INIT ((struct file_set){ 0 })

void file_set_done(struct file_set *s);
bool file_set_has(const struct file_set *s, const char *path);
/*
 * All make missing parents (0755) and return 0, -ENOMEM, -E2BIG (limit passed) or -ENAMETOOLONG. A path that is there already stays as it is.
 * _add takes @data in any case (also on failure).
 */
int file_set_add(struct file_set *s, const char *path, unsigned perm, void *data, size_t len);
int file_set_add_text(struct file_set *s, const char *path, unsigned perm, const char *text);
int file_set_add_dir(struct file_set *s, const char *path, unsigned perm);
int file_set_add_link(struct file_set *s, const char *path, const char *target);
int file_set_add_char_device(struct file_set *s, const char *path, unsigned perm, unsigned major,
			     unsigned minor);
/* Writes all members, in order, without the trailer. */
int file_set_write(const struct file_set *s, struct cpio_writer *w);
