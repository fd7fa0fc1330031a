#include "service/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <mbedtls/gcm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/fd.h"
#include "common/pki.h"
#include "common/secret.h"

#define SEAL_VERSION 1
#define NONCE_LEN 12
#define TAG_LEN 16

int seal_close(const uint8_t key[SEAL_KEY_LEN], const char *place, const void *plain, size_t len,
	       void **ret, size_t *ret_len, struct fault *err)
{
	AUTO(freep) uint8_t *out = malloc(len + SEAL_OVERHEAD);
	if (!out)
		return fault_oom(err);

	uint8_t *nonce = out + 1, *body = nonce + NONCE_LEN, *tag = body + len;
	out[0] = SEAL_VERSION;
	random_bytes(nonce, NONCE_LEN);

	mbedtls_gcm_context gcm;
	mbedtls_gcm_init(&gcm);
	int r = mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key, SEAL_KEY_LEN * 8);
	if (r == 0)
		r = mbedtls_gcm_crypt_and_tag(&gcm, MBEDTLS_GCM_ENCRYPT, len, nonce, NONCE_LEN,
					      (const uint8_t *)place, strlen(place), plain, body,
					      TAG_LEN, tag);
	mbedtls_gcm_free(&gcm);
	if (r != 0)
		return fault_set(err, -EIO, "cannot encrypt %s (mbedTLS error -0x%04x)", place,
				 (unsigned)-r);

	*ret = TAKE(out);
	*ret_len = len + SEAL_OVERHEAD;
	return 0;
}

int seal_open(const uint8_t key[SEAL_KEY_LEN], const char *place, const void *sealed, size_t len,
	      char **ret, size_t *ret_len, struct fault *err)
{
	const uint8_t *in = sealed;

	if (len < SEAL_OVERHEAD || in[0] != SEAL_VERSION)
		return fault_set(err, -EBADMSG, "the secret in %s is not in a known form", place);

	size_t n = len - SEAL_OVERHEAD;
	const uint8_t *nonce = in + 1, *body = nonce + NONCE_LEN, *tag = body + n;
	char *out = malloc(n + 1);
	if (!out)
		return fault_oom(err);

	mbedtls_gcm_context gcm;
	mbedtls_gcm_init(&gcm);
	int r = mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key, SEAL_KEY_LEN * 8);
	if (r == 0)
		r = mbedtls_gcm_auth_decrypt(&gcm, n, nonce, NONCE_LEN, (const uint8_t *)place,
					     strlen(place), tag, TAG_LEN, body, (uint8_t *)out);
	mbedtls_gcm_free(&gcm);
	if (r != 0) {
		secret_wipe(out, n);
		free(out);
		return fault_set(err, -EBADMSG, "the secret in %s does not open with this key file",
				 place);
	}
	out[n] = '\0';
	*ret = out;
	*ret_len = n;
	return 0;
}

int seal_key_load(int dirfd, const char *name, int create, uint8_t ret[SEAL_KEY_LEN],
		  struct fault *err)
{
	AUTO(closep) int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 && errno == ENOENT && create) {
		uint8_t key[SEAL_KEY_LEN];
		random_bytes(key, sizeof(key));
		int r = file_create_at(dirfd, name, key, sizeof(key), 0600, err);
		if (r == 0)
			memcpy(ret, key, sizeof(key));
		secret_wipe(key, sizeof(key));
		return r;
	}
	if (fd < 0)
		return fault_set(err, -errno, "cannot open the key file %s: %s", name,
				 strerror(errno));

	struct stat st;
	if (fstat(fd, &st) < 0)
		return fault_set(err, -errno, "cannot read the key file %s: %s", name,
				 strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_size != SEAL_KEY_LEN)
		return fault_set(err, -EINVAL, "the key file %s is not %d bytes long", name,
				 SEAL_KEY_LEN);
	if (st.st_mode & 077)
		return fault_set(err, -EACCES,
				 "the key file %s can be read by others (mode %04o, wanted 0600)",
				 name, (unsigned)(st.st_mode & 07777));
	if (fd_read(fd, ret, SEAL_KEY_LEN) != SEAL_KEY_LEN)
		return fault_set(err, -EIO, "cannot read the key file %s", name);
	return 0;
}
