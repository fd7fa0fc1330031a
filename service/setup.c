#include "service/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/fd.h"
#include "common/log.h"
#include "common/pki.h"
#include "service/csv.h"

#define CA_DAYS 7300
#define SERVER_DAYS 825 /* what TLS clients take for a long-lived certificate */
#define RENEW_DAYS 30
#define PEM_MAX (64u << 10)
#define NAMES_MAX 64
#define PASSWORD_BYTES 15 /* 20 characters */

int setup_state_dir(const char *path, int *ret_fd, struct fault *err)
{
	int r = dir_make_at(AT_FDCWD, path, 0700, err);
	if (r < 0)
		return r;
	AUTO(closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return fault_set(err, -errno, "cannot open the state folder %s: %s", path,
				 strerror(errno));
	if (st.st_mode & 077 && fchmod(fd, 0700) < 0)
		return fault_set(
			err, -errno,
			"the state folder %s can be read by others and its mode cannot be changed: %s",
			path, strerror(errno));
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int setup_lock(int dirfd, int *ret_fd, struct fault *err)
{
	AUTO(closep)
	int fd = openat(dirfd, FILE_LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return fault_set(err, -errno, "cannot open the lock file: %s", strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK
			       ? fault_set(err, -EBUSY,
					   "another slipwayd is running on this state folder")
			       : fault_set(err, -errno, "cannot lock the state folder: %s",
					   strerror(errno));
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int setup_key(int dirfd, const char *name, char **ret_pem, struct fault *err)
{
	size_t len;

	int r = file_read_at(dirfd, name, PEM_MAX, ret_pem, &len, err);
	if (r != -ENOENT)
		return r;
	AUTO(freep) char *pem = NULL;
	r = pki_key_new(&pem, err);
	if (r == 0)
		r = file_replace_at(dirfd, name, pem, strlen(pem), 0600, err);
	if (r == 0)
		*ret_pem = TAKE(pem);
	return r;
}

/* --- CA and server certificate --- */

static int ca_load(int dirfd, const char *ca_key, char **ret_pem, struct fault *err)
{
	size_t len;

	int r = file_read_at(dirfd, FILE_CA, PEM_MAX, ret_pem, &len, err);
	if (r != -ENOENT)
		return r;
	/* Every medium and every installed host trusts the old one: it is never replaced in passing. */
	if (faccessat(dirfd, FILE_SERVER_CERT, F_OK, 0) == 0)
		return fault_set(
			err, -ENOENT,
			FILE_CA
			" is missing: put it back from a backup, or remove " FILE_SERVER_CERT
			" to begin with a new CA, which media and hosts of the old one do not trust");
	AUTO(freep) char *pem = NULL;
	char name[64], id[UUID_LEN + 1];
	uuid_random(id);
	snprintf(name, sizeof(name), "Slipway CA %.8s", id);
	r = pki_ca_new(ca_key, name, CA_DAYS, &pem, err);
	if (r == 0)
		r = file_replace_at(dirfd, FILE_CA, pem, strlen(pem), 0644, err);
	if (r == 0)
		*ret_pem = TAKE(pem);
	return r;
}

static int ca_check(const char *ca_pem, const char *ca_key, struct fault *err)
{
	struct fault why = FAULT_INIT;

	int r = pki_cert_check_key(ca_pem, ca_key, &why);
	return r < 0 ? fault_set(err, r,
				 FILE_CA " and " FILE_CA_KEY
					 " do not belong together, put both back from a backup: %s",
				 fault_text(&why))
		     : 0;
}

static int cert_load(int dirfd, const char *ca_key, struct setup_tls *t, const char *const *names,
		     struct fault *err)
{
	size_t len;

	int r = file_read_at(dirfd, FILE_SERVER_CERT, PEM_MAX, &t->cert_pem, &len, err);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r == 0 && pki_cert_covers(t->cert_pem, names, RENEW_DAYS, NULL) == 1 &&
	    pki_cert_is_signed(t->cert_pem, t->ca_pem, NULL) == 1)
		return 0;
	if (r == 0)
		log_notice(
			"making a new server certificate: the old one ends soon, lacks a name or is of another CA");
	free(t->cert_pem);
	t->cert_pem = NULL;
	r = pki_server_cert_new(t->ca_pem, ca_key, t->key_pem, names, SERVER_DAYS, &t->cert_pem,
				err);
	return r < 0 ? r
		     : file_replace_at(dirfd, FILE_SERVER_CERT, t->cert_pem, strlen(t->cert_pem),
				       0644, err);
}

int setup_tls(int dirfd, const char *const *names, struct setup_tls *ret, struct fault *err)
{
	AUTO(setup_tls_done) struct setup_tls t = { 0 };
	AUTO(freep) char *ca_key = NULL;

	int r = setup_key(dirfd, FILE_CA_KEY, &ca_key, err);
	if (r == 0)
		r = setup_key(dirfd, FILE_SERVER_KEY, &t.key_pem, err);
	if (r == 0)
		r = ca_load(dirfd, ca_key, &t.ca_pem, err);
	if (r == 0)
		r = ca_check(t.ca_pem, ca_key, err);
	if (r == 0)
		r = cert_load(dirfd, ca_key, &t, names, err);
	if (ca_key)
		secret_wipe(ca_key, strlen(ca_key));
	if (r < 0)
		return r;
	*ret = t;
	t = (struct setup_tls){ 0 };
	return 0;
}

void setup_tls_done(struct setup_tls *t)
{
	if (t->key_pem)
		secret_wipe(t->key_pem, strlen(t->key_pem));
	free(t->key_pem);
	free(t->cert_pem);
	free(t->ca_pem);
	*t = (struct setup_tls){ 0 };
}

/* --- names and URLs --- */

char *setup_host_of(const char *s)
{
	const char *host = strstr(s, "://");

	host = host ? host + 3 : s;
	if (*host == '[') {
		host++;
		return strndup(host, strcspn(host, "]"));
	}
	return strndup(host, strcspn(host, ":/"));
}

static const char *port_of(const char *address)
{
	const char *colon = strrchr(address, ':');

	return colon ? colon + 1 : "";
}

char *setup_resolve_url(const char *url, const char *listen_address)
{
	size_t n = strlen(url);

	if (n < 2 || strcmp(url + n - 2, ":0") != 0)
		return strdup(url);
	return str_printf("%.*s:%s", (int)(n - 2), url, port_of(listen_address));
}

static bool is_wildcard(const char *host)
{
	return !*host || !strcmp(host, "::") || !strcmp(host, "0.0.0.0") || !strcmp(host, "*");
}

/* Takes @name. */
static int names_add(char **names, char *name)
{
	size_t n = 0;

	if (!name)
		return -ENOMEM;
	for (; names[n]; n++) {
		if (!strcmp(names[n], name))
			break;
	}
	if (names[n] || is_wildcard(name) || n >= NAMES_MAX - 1) {
		free(name);
		return 0;
	}
	names[n] = name;
	return 0;
}

int setup_names(const struct service_config *c, char ***ret, struct fault *err)
{
	const char *const sources[] = { c->service_base_url,
					c->image_base_url,
					c->payload_base_url,
					c->https,
					"localhost",
					"127.0.0.1",
					"[::1]" };
	char **names = calloc(NAMES_MAX, sizeof(*names));
	char own[256] = "";
	const char *p = c->names, *item;
	size_t len;
	int r = names ? 0 : -ENOMEM;

	for (size_t i = 0; i < ARRAY_SIZE(sources) && r == 0; i++) {
		if (sources[i])
			r = names_add(names, setup_host_of(sources[i]));
	}
	if (r == 0 && gethostname(own, sizeof(own) - 1) == 0)
		r = names_add(names, strdup(own));
	while (r == 0 && (item = csv_next(&p, &len)))
		r = names_add(names, strndup(item, len));
	if (r < 0) {
		setup_names_free(names);
		return fault_oom(err);
	}
	*ret = names;
	return 0;
}

void setup_names_free(char **names)
{
	for (size_t i = 0; names && names[i]; i++)
		free(names[i]);
	free(names);
}

/* --- the administrator --- */

static int admin_add(struct service *svc, const char *password, struct fault *err)
{
	struct user *u;

	state_begin(svc->state);
	int r = state_add_user(svc->state, ADMIN_USER, &u);
	if (r < 0)
		return r;
	u->role = USER_ADMIN;
	u->created_at = service_now_us(svc);
	u->password_hash = auth_password_hash(password);
	return u->password_hash ? state_commit(svc->state, err)
				: fault_set(err, -EIO, "cannot hash the administrator's password");
}

/* Once, to whoever started the program; the journal is no place for it. */
static void show_password(const struct service *svc, const char *password)
{
	if (getenv("JOURNAL_STREAM"))
		log_notice("the password of the administrator \"" ADMIN_USER
			   "\" is in %s/" FILE_ADMIN_PASSWORD,
			   svc->config->state_dir);
	else
		fprintf(stderr,
			"slipwayd: administrator \"" ADMIN_USER
			"\", password %s (kept in %s/" FILE_ADMIN_PASSWORD ")\n",
			password, svc->config->state_dir);
}

int setup_admin(struct service *svc, struct fault *err)
{
	uint8_t bytes[PASSWORD_BYTES];

	if (state_user_at(svc->state, 0))
		return 0;
	random_bytes(bytes, sizeof(bytes));
	AUTO(freep) char *password = base64url_encode(bytes, sizeof(bytes));
	AUTO(freep) char *line = password ? str_printf("%s\n", password) : NULL;
	if (!line)
		return fault_oom(err);
	/* The file first: a user whose password nobody knows would be worse than a password without a user. */
	int r = file_replace_at(svc->state_dirfd, FILE_ADMIN_PASSWORD, line, strlen(line), 0600,
				err);
	if (r == 0)
		r = admin_add(svc, password, err);
	if (r == 0)
		show_password(svc, password);
	secret_wipe(password, strlen(password));
	secret_wipe(line, strlen(line));
	return r;
}
