#pragma once
/*
 * Text that must not be seen: tokens, passwords, pull secrets. No formatter prints it: there is no conversion to char * but
 * secret_reveal(), which is easy to find.
 */
#include <stdbool.h>
#include <stddef.h>

struct secret {
	char *hidden; /* owned; NULL = unset. Use the functions. */
};

int secret_set(struct secret *s, const char *text); /* copies; NULL unsets; 0 or -ENOMEM */
void secret_done(struct secret *s);                 /* overwrites, frees */
bool secret_is_set(const struct secret *s);         /* and not empty */
const char *secret_reveal(const struct secret *s);  /* "" when unset */
/* Compares in constant time for equal lengths. An unset secret equals nothing. */
bool secret_equals(const struct secret *s, const char *text);
/* Overwrites memory in a way the compiler keeps. */
void secret_wipe(void *p, size_t len);
