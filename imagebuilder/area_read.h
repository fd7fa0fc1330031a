#pragma once
/*
 * Reading an area back.
 */
#include "imagebuilder/imagebuilder.h"

/* The area's area->length bytes; *ret owned by the caller. */
int area_read(int fd, const struct iso_area *area, uint8_t **ret, struct fault *err);
/* All zero? */
bool area_is_empty(const uint8_t *data, uint64_t len);
/*
 * The token segment at the start of @data and nothing but zeros behind it: *ret_len is its length. -EBADMSG otherwise.
 */
int area_check_segment(const uint8_t *data, uint64_t len, uint64_t *ret_len, struct fault *err);
