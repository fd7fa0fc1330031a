#pragma once
/* What the JSON shows besides the fields of the structs: reasons, warnings, errors. Seen as fields, too, for hwp_explain(). */
#include "hwprobe/fields.h"
#include "hwprobe/inventory.h"

/*
 * The fields that an object of @table has besides, and in *@ret_base the struct that they are in, made in @a. NULL = none.
 */
const struct field *explain_view(struct arena *a, const struct hwp_inventory *inv,
				 const struct field *table, const void *base,
				 const void **ret_base);
/* What an empty list of these fields means, and how that is known; NULL = it is not of them. */
const char *explain_view_nothing(const struct field *f);
