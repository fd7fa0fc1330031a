/* Tokens from outside: form, header, payload. The key is fixed, so a good signature cannot be met by chance. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/jwt.h"

static const char key[] = "-----BEGIN PUBLIC KEY-----\n"
			  "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9\n"
			  "q9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==\n"
			  "-----END PUBLIC KEY-----\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct jwt_key *k = NULL;
	if (size > 2 * JWT_MAX || jwt_key_load(key, &k, NULL))
		return 0;
	AUTO(freep) char *token = strndup((const char *)data, size);
	AUTO(json_decrefp) json_t *claims = NULL, *verified = NULL;
	if (token) {
		(void)jwt_peek(token, &claims, NULL);
		if (!jwt_verify(k, token, 1790000000, &verified, NULL) && !json_is_object(verified))
			abort();
	}
	jwt_key_free(k);
	return 0;
}
