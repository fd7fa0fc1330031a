#pragma once
/*
 * Lists in one string, "a,b,c", as several fields of the protocol hold them.
 */
#include <stdbool.h>
#include <stddef.h>

/*
 * The next item from *@p on, blanks around it left out; empty items are skipped. NULL = no more. *ret_len: its length.
 * @p: starts at the list (NULL allowed), is moved on.
 */
const char *csv_next(const char **p, size_t *ret_len);
/* Is @item one of the list? An empty item is in no list. */
bool csv_has(const char *csv, const char *item);
