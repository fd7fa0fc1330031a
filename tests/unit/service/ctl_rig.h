#pragma once
/*
 * A service as the control socket sees it: real store, state, tokens and images in a temporary folder, no listeners. Verbs run by themselves
 * (ctl_rig_run()), or by the socket (ctl_rig_listen() and what is behind it), all in this process. Include it in one file per program: it
 * holds the program's clock.
 */
#include "unit.h"
#include <dirent.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "common/digest.h"
#include "common/ipc.h"
#include "common/json_map.h"
#include "common/pki.h"
#include "common/str.h"
#include "common/wire/ctl.h"
#include "service/ctl_server.h"
#include "service/ctl_verbs.h"
#include "service/store.h"
#include "tests/unit/imagebuilder/tiny_iso.h"

#define RIG_NOW_US 1790000000000000ll
#define RIG_POOL "0b1e1111-2222-4333-8444-555566667777"
#define RIG_CA "-----BEGIN CERTIFICATE-----\nQ0E=\n-----END CERTIFICATE-----\n"

struct ctl_rig {
	char path[64];
	int fd;
	struct store *store;
	struct service_config config;
	struct service svc;
	char *key_pem;
	int64_t now_us;
};

static struct ctl_rig *ctl_rig_running;

int64_t service_now_us(const struct service *s)
{
	return ctl_rig_running->now_us;
}

static inline void ctl_rig_open_state(struct ctl_rig *g)
{
	static const uint8_t key[SEAL_KEY_LEN] = { 7 };
	struct service *svc = &g->svc;
	struct fault err = FAULT_INIT;

	if (store_open("sqlite", g->fd, key, &g->store, &err) < 0 ||
	    state_new(g->store, &svc->state, &err) < 0 ||
	    auth_new(AUTH_MODE_LOCAL, g->key_pem, svc->state, &svc->auth, &err) < 0 ||
	    images_new(svc, &svc->images, &err) < 0)
		fail_msg("%s", fault_text(&err));
}

static inline void ctl_rig_close_state(struct ctl_rig *g)
{
	images_free(g->svc.images);
	auth_free(g->svc.auth);
	state_free(g->svc.state);
	store_close(g->store);
}

/* A pool without a cluster, and the administrator "admin" with the password "admin-secret". */
static inline void ctl_rig_objects(struct ctl_rig *g)
{
	struct infra_env *ie;
	struct user *u;

	state_begin(g->svc.state);
	assert_int_equal(state_add_infra_env(g->svc.state, RIG_POOL, &ie), 0);
	str_set(&ie->name, "pool");
	str_set(&ie->cpu_architecture, "x86_64");
	ie->created_at = ie->updated_at = g->now_us;
	assert_int_equal(state_add_user(g->svc.state, "admin", &u), 0);
	u->role = USER_ADMIN;
	u->created_at = g->now_us;
	u->password_hash = auth_password_hash("admin-secret");
	assert_int_equal(state_commit(g->svc.state, NULL), 0);
}

static inline int ctl_rig_setup(void **state)
{
	struct ctl_rig *g = calloc(1, sizeof(*g));
	struct service *svc = &g->svc;

	ctl_rig_running = g;
	g->fd = unit_tmp_open(g->path);
	g->now_us = RIG_NOW_US;
	assert_int_equal(pki_key_new(&g->key_pem, NULL), 0);
	assert_int_equal(service_config_init(&g->config), 0);
	svc->config = &g->config;
	svc->base = event_base_new();
	svc->state_dirfd = g->fd;
	svc->started_us = svc->silence_from_us = g->now_us;
	rule_config_init(&svc->rules);
	svc->service_url = (char *)"https://s.example.com:9543";
	svc->image_url = svc->service_url;
	svc->payload_url = (char *)"http://s.example.com:8090";
	svc->https_addr = (char *)"[::]:9543";
	svc->ca_pem = (char *)RIG_CA;
	ctl_rig_open_state(g);
	ctl_rig_objects(g);
	*state = g;
	return 0;
}

static inline int ctl_rig_teardown(void **state)
{
	struct ctl_rig *g = *state;

	ctl_server_free(g->svc.ctl);
	ctl_rig_close_state(g);
	event_base_free(g->svc.base);
	service_config_done(&g->config);
	unit_tmp_close(g->fd, g->path);
	free(g->key_pem);
	free(g);
	return 0;
}

/* --- a verb by itself, as a transaction of its own; @args: JSON text --- */

static inline int ctl_rig_run(struct ctl_rig *g, const struct ctl_verb *verb, const char *args,
			      int fd, json_t **ret, struct fault *err)
{
	AUTO(json_decrefp) json_t *v = json_loads(args, 0, NULL);
	struct ctl_call c = { .service = &g->svc, .args = v, .fd = fd };
	json_t *result = NULL;

	assert_non_null(v);
	state_begin(g->svc.state);
	int r = verb->run(&c, &result, err);
	if (r < 0)
		state_abort(g->svc.state);
	else
		assert_int_equal(state_commit(g->svc.state, NULL), 0);
	if (c.has_job) {
		closep(&c.job.tmp_fd);
		c.job.cleanup(&c);
	}
	if (ret)
		*ret = result;
	else
		json_decref(result);
	return r;
}

/* The verb refuses, with @code and @text in its sentence. */
static inline void ctl_rig_refused(struct ctl_rig *g, const struct ctl_verb *verb, const char *args,
				   int fd, int code, const char *text)
{
	struct fault err = FAULT_INIT;
	json_t *v = NULL;
	int r = ctl_rig_run(g, verb, args, fd, &v, &err);

	if (r != code || !strstr(err.text, text) || !*err.text || v)
		fail_msg("%s %s: %d \"%s\" instead of %d \"%s\"", verb->name, args, r, err.text,
			 code, text);
	assert_false(state_is_dirty(g->svc.state));
}

/* --- over the socket --- */

static inline void ctl_rig_listen(struct ctl_rig *g)
{
	struct fault err = FAULT_INIT;

	if (ctl_server_new(&g->svc, &g->svc.ctl, &err) < 0)
		fail_msg("%s", fault_text(&err));
}

static inline int ctl_rig_dial(struct ctl_rig *g)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s/" CTL_SOCKET_NAME, g->path);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static inline void ctl_rig_turn(struct ctl_rig *g)
{
	assert_true(event_base_loop(g->svc.base, EVLOOP_NONBLOCK) >= 0);
}

/* Lets the service work until something comes to @c or it is closed: 1 = a frame, 0 = the end. */
static inline int ctl_rig_next(struct ctl_rig *g, struct ipc *c, struct ipc_msg *ret)
{
	for (int64_t until = time_mono_ms() + 20000; time_mono_ms() < until;) {
		struct pollfd p = { .fd = c->fd, .events = POLLIN };
		ctl_rig_turn(g);
		int r = ipc_next(c, ret);
		if (r)
			return r;
		if (poll(&p, 1, 5) <= 0)
			continue;
		r = ipc_fill(c);
		if (r != 1 && r != -EAGAIN)
			return ipc_next(c, ret) == 1;
	}
	fail_msg("no answer");
	return 0;
}

/* The result to what was sent; NULL = the connection was closed. *ret_progress (may be NULL): frames before it. */
static inline json_t *ctl_rig_result(struct ctl_rig *g, struct ipc *c, unsigned *ret_progress)
{
	struct ipc_msg m;
	unsigned n = 0;

	while (ctl_rig_next(g, c, &m) == 1) {
		json_t *v = json_loads(m.data, 0, NULL);
		uint16_t type = m.type;
		ipc_msg_done(&m);
		assert_non_null(v);
		if (ret_progress)
			*ret_progress = n;
		if (type == CTL_RESULT)
			return v;
		n++;
		json_decref(v);
	}
	return NULL;
}

/* One request on a connection of its own; new reference. */
static inline json_t *ctl_rig_ask(struct ctl_rig *g, const char *request, int fd,
				  unsigned *ret_progress)
{
	struct ipc c;

	ipc_init(&c, ctl_rig_dial(g), CTL_MAX);
	assert_int_equal(ipc_send(&c, CTL_REQUEST, 1, request, strlen(request), fd), 0);
	json_t *v = ctl_rig_result(g, &c, ret_progress);
	ipc_done(&c);
	ctl_rig_turn(g);
	return v;
}

/* --- files --- */

static inline void ctl_rig_put(int dirfd, const char *name, const void *data, size_t len)
{
	assert_int_equal(file_replace_at(dirfd, name, data, len, 0600, NULL), 0);
}

/* A folder as slipway-image build makes it, of tiny_iso.h. The initrd has @initrd_len bytes. Its descriptor is the caller's. */
static inline int ctl_rig_base_folder(struct ctl_rig *g, const char *name, const char *arch,
				      size_t initrd_len)
{
	struct tiny_iso *iso = malloc(sizeof(*iso));
	char iso_hex[SHA256_HEX_LEN + 1], kernel_hex[SHA256_HEX_LEN + 1],
		initrd_hex[SHA256_HEX_LEN + 1];
	AUTO(freep) char *initrd = calloc(1, initrd_len + 1);

	assert_int_equal(mkdirat(g->fd, name, 0700), 0);
	int fd = openat(g->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	tiny_iso_init(iso);
	for (size_t i = 0; i < initrd_len; i++)
		initrd[i] = (char)('a' + i % 26);
	ctl_rig_put(fd, "base.iso", iso, sizeof(*iso));
	ctl_rig_put(fd, "vmlinuz", "kernel", 6);
	ctl_rig_put(fd, "initrd.img", initrd, initrd_len);
	sha256_hex(iso, sizeof(*iso), iso_hex);
	sha256_hex("kernel", 6, kernel_hex);
	sha256_hex(initrd, initrd_len, initrd_hex);
	free(iso);
	AUTO(freep)
	char *text = str_printf(
		"{\"format\":1,\"version\":\"0.1\",\"kernel\":\"6.1\",\"architecture\":\"%s\",\"created\":5,\"files\":{"
		"\"base.iso\":{\"size_bytes\":%u,\"sha256\":\"%s\"},\"vmlinuz\":{\"size_bytes\":6,\"sha256\":\"%s\"},"
		"\"initrd.img\":{\"size_bytes\":%zu,\"sha256\":\"%s\"}},"
		"\"token_area\":{\"path\":\"/boot/token.img\",\"offset\":%u,\"length\":%u}}",
		arch, TINY_SIZE, iso_hex, kernel_hex, initrd_len, initrd_hex,
		TINY_TOKEN_LBA * TINY_BLOCK, TINY_TOKEN_SIZE);
	ctl_rig_put(fd, "base.json", text, strlen(text));
	return fd;
}

/* Entries of a folder below the state folder. */
static inline unsigned ctl_rig_entries(struct ctl_rig *g, const char *name)
{
	unsigned n = 0;
	int fd = openat(g->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fdopendir(fd);
	const struct dirent *e;

	assert_non_null(dir);
	while ((e = readdir(dir)))
		n += e->d_name[0] != '.';
	closedir(dir);
	return n;
}

/* Descriptors of this process: a leak shows. */
static inline unsigned ctl_rig_open_fds(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

#define CTL_TEST(fn) cmocka_unit_test_setup_teardown(fn, ctl_rig_setup, ctl_rig_teardown)
