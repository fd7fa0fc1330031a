#pragma once
/*
 * Media types in headers: Content-Type and Accept (RFC 9110 §8.3, §12.5.1). Weights are not needed: one type is offered.
 */
#include <stdbool.h>

/* Is the Content-Type @value of type @type ("application/json"), whatever its parameters? */
bool media_type_is(const char *value, const char *type);
/* Does the Accept header @value (NULL = absent) take @type? */
bool media_type_accepted(const char *value, const char *type);
