#pragma once
/*
 * Secrets at rest: AES-256-GCM (NIST SP 800-38D) under a key file. A sealed value is version byte, 96-bit nonce, ciphertext, 128-bit tag; the
 * place it stands in is authenticated, so that a value moved to another row does not open.
 */
#include <stddef.h>
#include <stdint.h>
#include "common/fault.h"

#define SEAL_KEY_LEN 32
#define SEAL_OVERHEAD 29 /* bytes more than the plain text */

/* *ret is owned by the caller. 0, -ENOMEM, -EIO. */
int seal_close(const uint8_t key[SEAL_KEY_LEN], const char *place, const void *plain, size_t len,
	       void **ret, size_t *ret_len, struct fault *err);
/* *ret has a NUL behind it. -EBADMSG: another key, another place, or damaged. */
int seal_open(const uint8_t key[SEAL_KEY_LEN], const char *place, const void *sealed, size_t len,
	      char **ret, size_t *ret_len, struct fault *err);
/* Reads DIR/@name, or makes it (0600) when @create. A file of another length or with group or other permissions is refused. */
int seal_key_load(int dirfd, const char *name, int create, uint8_t ret[SEAL_KEY_LEN],
		  struct fault *err);
