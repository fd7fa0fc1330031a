#pragma once
/* A place in an inventory, as hwp_explain() is asked for it: "disks.sda.serial", "disks[0].serial", "cpu.flags[3]". */
#include "hwprobe/fields.h"
#include "hwprobe/inventory.h"

enum { EXPLAIN_PATH_MAX = 256 };

struct place {
	const struct hwp_inventory *inv;
	struct arena *mem;         /* of what is made for the way: explain_view.h */
	const struct field *field; /* a value or a list; NULL = an object */
	const struct field *table; /* of the object, or of the one that the field is in */
	const void *base;
	bool has_index; /* one text of a list of texts */
	size_t index;
	const char *item; /* name of the innermost item of a list on the way; NULL */
	char path[EXPLAIN_PATH_MAX];
};

/* The whole inventory. */
void place_init(struct place *p, const struct hwp_inventory *inv, struct arena *mem);
/*
 * Goes to @path from the whole; false = there is no such place, and *ret_rest is what there is not at the last one that is.
 * Keys are those of both JSON formats; items have a number or a name; after a value may stand what the full format has in it.
 */
bool place_find(struct place *p, const char *path, const char **ret_rest);

const void *place_at(const void *base, size_t offset);
size_t place_list_count(const struct field *f, const void *base);
const void *place_list_item(const struct field *f, const void *base, size_t i);
/* The text that names an item of a list; NULL = only its number does. */
const char *place_item_name(const struct field *items, const void *item);
/* The field of the same object that has the same key in the assisted format only; NULL = none. */
const struct field *place_wire_field(const struct place *p);
