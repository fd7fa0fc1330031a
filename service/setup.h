#pragma once
/*
 * What a start needs on disk, made when it is not there: lock, keys, CA, server certificate, administrator.
 */
#include "common/fault.h"
#include "service/service.h"

#define ADMIN_USER "admin"
#define FILE_LOCK "lock"
#define FILE_CA_KEY "ca-key.pem"
#define FILE_CA "ca.pem"
#define FILE_SERVER_KEY "server-key.pem"
#define FILE_SERVER_CERT "server.pem"
#define FILE_TOKEN_KEY "token-key.pem"
#define FILE_SEAL_KEY "store-key"
#define FILE_ADMIN_PASSWORD "admin-password"

/* Makes and opens the folder (0700). The descriptor is the caller's. */
int setup_state_dir(const char *path, int *ret_fd, struct fault *err);
/* Holds DIR/lock until the descriptor is closed. -EBUSY when another slipwayd has it. */
int setup_lock(int dirfd, int *ret_fd, struct fault *err);
/* Reads DIR/@name or makes it: a P-256 key, 0600. Owned by the caller. */
int setup_key(int dirfd, const char *name, char **ret_pem, struct fault *err);

struct setup_tls {
	char *ca_pem, *cert_pem, *key_pem;
};
/*
 * CA and server certificate; the certificate is made anew when a name is missing or it ends within 30 days. @names: as for
 * pki_server_cert_new().
 */
int setup_tls(int dirfd, const char *const *names, struct setup_tls *ret, struct fault *err);
void setup_tls_done(struct setup_tls *t);
/* The names a certificate of this configuration must carry; NULL-terminated, setup_names_free(). */
int setup_names(const struct service_config *c, char ***ret, struct fault *err);
void setup_names_free(char **names);
/* Makes the first administrator when there is no user: random password in DIR/admin-password (0600), shown once on stderr. */
int setup_admin(struct service *svc, struct fault *err);

/* HOST of an URL or of ADDR:PORT, without brackets; owned by the caller; NULL = no memory. */
char *setup_host_of(const char *url_or_address);
/* @url with the port @listen_address has, when its own is 0. Owned by the caller; NULL = no memory. */
char *setup_resolve_url(const char *url, const char *listen_address);
