#pragma once
/* Which member of which struct is which key: one table per object, read by the assisted, the full and the text rendering. */
#include <stddef.h>

enum value_kind {
	VALUE_STR,
	VALUE_NUM,
	VALUE_REAL,
	VALUE_BOOL,
	VALUE_STRS,
	VALUE_LIST,
	VALUE_OBJECT
};

enum field_flag {
	FIELD_WIRE = 1,      /* in the assisted format, under this key */
	FIELD_ALWAYS = 2,    /* there even when empty (Go slices without omitempty) */
	FIELD_WIRE_ONLY = 4, /* not in the full format: another member has the key there */
	FIELD_FIRMWARE = 8,  /* a text of the firmware: may be a placeholder */
	FIELD_VARIES = 16,   /* from one look to the next: no change of the machine */
};

struct field {
	const char *key; /* NULL ends a table */
	enum value_kind kind;
	size_t offset;
	unsigned flags;
	/* VALUE_LIST: a pointer to the first item is at offset; VALUE_OBJECT: the object itself */
	size_t count_offset, item_size;
	const struct field *items;
};

/* The whole: struct hwp_inventory. */
extern const struct field inventory_fields[];
extern const struct field cpu_fields[], memory_fields[], boot_fields[], vendor_fields[],
	disk_fields[], nic_fields[], route_fields[], gpu_fields[], numa_fields[], dimm_fields[],
	hugepages_fields[], partition_fields[], address_fields[], bmc_fields[], clock_fields[];

/* Where the value of a field of @base is known from; NULL = absent. Not of lists of objects and objects. */
const char *field_source(const struct field *f, const void *base);
