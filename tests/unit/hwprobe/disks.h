#pragma once
/* Recorded trees with disks in them, and what is expected of one disk. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/tree.h"

#define MOUNTS "proc/self/mountinfo"
#define SWAPS "proc/swaps"
#define ISCSI(n) "run/udev/data/b8:0", "I:1\nE:ID_PATH=ip-192.0.2.1:3260-iscsi-iqn.x-lun-0\n"

UNUSED static void add_disk(struct tree *t, const char *name, const char *dev)
{
	char path[128];
	snprintf(path, sizeof(path), "sys/block/%s/size", name);
	tree_file(t, path, "2048\n");
	snprintf(path, sizeof(path), "sys/block/%s/dev", name);
	tree_file(t, path, dev);
}

/* "name dev name dev …" */
UNUSED static void add_disks(struct tree *t, const char *list)
{
	char name[32], dev[32];
	for (int n; list && sscanf(list, "%31s %31s%n", name, dev, &n) == 2; list += n)
		add_disk(t, name, dev);
}

UNUSED static const struct hwp_disk *disk(const struct hwp_inventory *inv, const char *name)
{
	for (size_t i = 0; i < hwp_disk_count(inv); i++)
		if (!strcmp(hwp_disk_at(inv, i)->name.s, name))
			return hwp_disk_at(inv, i);
	return NULL;
}

UNUSED static void join_codes(const struct hwp_disk *d, char *ret, size_t size)
{
	*ret = '\0';
	for (size_t i = 0; i < d->reason_count; i++)
		snprintf(ret + strlen(ret), size - strlen(ret), "%s%s", i ? " " : "",
			 d->reasons[i].code);
}

struct disk_case {
	const char *what, *disks, *files[16], *name;
	const char *type;  /* NULL = must not be listed */
	const char *codes; /* reasons; NULL = not looked at */
};

UNUSED static void run_cases(const struct disk_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct disk_case *c = &cases[i];
		struct tree t;
		char codes[512];
		tree_init(&t);
		add_disks(&t, c->disks);
		for (int k = 0; c->files[k]; k += 2)
			tree_file(&t, c->files[k], c->files[k + 1]);
		struct hwp_inventory *inv = tree_probe(&t, HWP_DISKS);
		const struct hwp_disk *d = disk(inv, c->name);
		print_message("%s\n", c->what);
		assert_int_equal(d != NULL, c->type != NULL);
		if (d)
			assert_string_equal(d->drive_type.s, c->type);
		if (d && c->codes) {
			join_codes(d, codes, sizeof(codes));
			assert_string_equal(codes, c->codes);
		}
		hwp_unref(inv);
		tree_done(&t);
	}
}

UNUSED static struct hwp_inventory *probe_more(struct tree *t, unsigned parts)
{
	struct hwp_inventory *inv = NULL;
	struct hwp_options opt = { .parts = parts, .flags = HWP_MORE };
	assert_int_equal(tree_try(t, opt, &inv), 0);
	assert_int_equal(hwp_errors(inv, NULL), 0);
	return inv;
}
