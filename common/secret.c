#include "common/secret.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void secret_wipe(void *p, size_t len)
{
	if (p)
		explicit_bzero(p, len);
}

void secret_done(struct secret *s)
{
	if (s->hidden)
		secret_wipe(s->hidden, strlen(s->hidden));
	free(s->hidden);
	s->hidden = NULL;
}

int secret_set(struct secret *s, const char *text)
{
	char *copy = text ? strdup(text) : NULL;
	if (text && !copy)
		return -ENOMEM;
	secret_done(s);
	s->hidden = copy;
	return 0;
}

bool secret_is_set(const struct secret *s)
{
	return s->hidden && s->hidden[0];
}

const char *secret_reveal(const struct secret *s)
{
	return s->hidden ? s->hidden : "";
}

bool secret_equals(const struct secret *s, const char *text)
{
	const volatile char *a = secret_reveal(s), *b = text;
	size_t len = strlen(secret_reveal(s));
	if (!s->hidden || strlen(text) != len) /* an unset secret opens nothing */
		return false;
	uint8_t difference = 0;
	for (size_t i = 0; i < len; i++)
		difference |= (uint8_t)(a[i] ^ b[i]);
	return difference == 0;
}
