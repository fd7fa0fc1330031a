#pragma once
/* The truncation contract of the assisted format. */
#include <stddef.h>

/* Cuts the document @text, which is longer than @max_bytes. New text; NULL = no memory. */
char *inventory_cut(const char *text, size_t max_bytes);
