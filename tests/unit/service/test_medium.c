#include "ctl_rig.h"
#include "service/medium.h"

#define INITRD_LEN 1003 /* not a multiple of four */
#define HOUR_US 3600000000ll

static struct infra_env *pool(struct ctl_rig *g)
{
	return state_infra_env(g->svc.state, RIG_POOL);
}

static void add_base(struct ctl_rig *g, const char *arch, size_t initrd_len)
{
	AUTO(closep) int from = ctl_rig_base_folder(g, arch, arch, initrd_len);
	char tmp[32];
	int fd;
	const struct base_image *b;
	struct fault err = FAULT_INIT;

	assert_int_equal(images_tmp_make(g->svc.images, IMAGES_BASE, tmp, &fd, NULL), 0);
	if (base_image_copy(from, fd, NULL, &err) < 0)
		fail_msg("%s", err.text);
	close(fd);
	assert_int_equal(images_base_install(g->svc.images, tmp, &b, NULL), 0);
}

struct medium {
	char *data; /* owned */
	size_t len;
	char etag[64];
	int64_t mtime_s;
};

static void medium_done(struct medium *m)
{
	free(m->data);
}

typedef int medium_fn(struct service *svc, const struct infra_env *ie, struct http_source *ret,
		      char ret_etag[64], int64_t *ret_mtime_s, struct fault *err);

/* The whole of it in pieces of @step. */
static struct medium fetch(struct ctl_rig *g, medium_fn *fn, size_t step)
{
	struct medium m = { 0 };
	struct http_source src;
	struct fault err = FAULT_INIT;

	if (fn(&g->svc, pool(g), &src, m.etag, &m.mtime_s, &err) < 0)
		fail_msg("%s", err.text);
	m.len = (size_t)src.size;
	m.data = malloc(m.len + 1);
	for (uint64_t at = 0; at < src.size;) {
		size_t want = step < src.size - at ? step : (size_t)(src.size - at);
		long n = src.pread(src.ctx, m.data + at, want, at);
		if (n <= 0 || (size_t)n > want)
			fail_msg("%ld bytes at %llu", n, (unsigned long long)at);
		at += (uint64_t)n;
	}
	src.free(src.ctx);
	return m;
}

/* The base image with the segment in its area, in pieces of any size. */
static void test_iso(void **state)
{
	static const size_t steps[] = { 1 << 20, 4096, 2047, 1 };
	struct ctl_rig *g = *state;
	struct tiny_iso *want = malloc(sizeof(*want));
	AUTO(freep) void *segment = NULL;
	size_t len;

	add_base(g, "x86_64", INITRD_LEN);
	assert_int_equal(medium_segment(&g->svc, pool(g), &segment, &len, NULL), 0);
	assert_true(len <= TINY_TOKEN_SIZE);
	tiny_iso_init(want);
	memcpy(tiny_block(want, TINY_TOKEN_LBA), segment, len);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		AUTO(medium_done) struct medium m = fetch(g, medium_iso, steps[i]);
		assert_int_equal(m.len, TINY_SIZE);
		assert_memory_equal(m.data, want, TINY_SIZE);
	}
	free(want);
}

/* The initrd, zeros up to a multiple of four, the segment: also when a read begins or ends at a border. */
static void test_initrd(void **state)
{
	static const size_t lengths[] = { 1000, 1001, 1002, 1003 };
	static const size_t steps[] = { 1 << 20, 997, 1 };
	struct ctl_rig *g = *state;

	for (size_t k = 0; k < ARRAY_SIZE(lengths); k++) {
		AUTO(freep) void *segment = NULL;
		size_t len, n = lengths[k], padded = (n + 3) / 4 * 4;
		add_base(g, "x86_64", n);
		assert_int_equal(dir_remove_at(g->fd, "x86_64", NULL), 0);
		assert_int_equal(medium_segment(&g->svc, pool(g), &segment, &len, NULL), 0);
		for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
			AUTO(medium_done) struct medium m = fetch(g, medium_initrd, steps[i]);
			assert_int_equal(m.len, padded + len);
			for (size_t at = 0; at < n; at++)
				assert_int_equal(m.data[at], 'a' + at % 26);
			for (size_t at = n; at < padded; at++)
				assert_int_equal(m.data[at], 0);
			assert_memory_equal(m.data + padded, segment, len);
		}
	}
}

/* Reads behind the end, and of nothing. */
static void test_end(void **state)
{
	struct ctl_rig *g = *state;
	static medium_fn *const fns[] = { medium_iso, medium_initrd };

	add_base(g, "x86_64", INITRD_LEN);
	for (size_t i = 0; i < ARRAY_SIZE(fns); i++) {
		struct http_source src;
		char etag[64], byte = 'x';
		int64_t mtime;
		assert_int_equal(fns[i](&g->svc, pool(g), &src, etag, &mtime, NULL), 0);
		assert_int_equal(src.pread(src.ctx, &byte, 1, src.size), 0);
		assert_int_equal(src.pread(src.ctx, &byte, 1, UINT64_MAX), 0);
		assert_int_equal(byte, 'x');
		assert_int_equal(src.pread(src.ctx, &byte, 1, src.size - 1), 1);
		src.free(src.ctx);
	}
}

/* A download goes on by another connection: the same bytes and the same ETag until the infra-env changes. */
static void test_same_bytes(void **state)
{
	struct ctl_rig *g = *state;
	static medium_fn *const fns[] = { medium_iso, medium_initrd };

	add_base(g, "x86_64", INITRD_LEN);
	for (size_t i = 0; i < ARRAY_SIZE(fns); i++) {
		AUTO(medium_done) struct medium a = fetch(g, fns[i], 4096);
		g->now_us += 1000 * HOUR_US;
		AUTO(medium_done) struct medium b = fetch(g, fns[i], 4096);
		assert_string_equal(a.etag, b.etag);
		assert_int_equal(a.len, b.len);
		assert_memory_equal(a.data, b.data, a.len);
		assert_int_equal(a.mtime_s, b.mtime_s);
		assert_int_equal(a.etag[0], '"');
		assert_int_equal(a.etag[strlen(a.etag) - 1], '"');

		state_begin(g->svc.state);
		assert_int_equal(state_edit_infra_env(g->svc.state, pool(g)), 0);
		str_set(&pool(g)->ntp_sources, i ? "a.example.com" : "b.example.com");
		pool(g)->updated_at = g->now_us;
		assert_int_equal(state_commit(g->svc.state, NULL), 0);
		AUTO(medium_done) struct medium c = fetch(g, fns[i], 4096);
		assert_string_not_equal(a.etag, c.etag);
		assert_true(c.mtime_s > a.mtime_s);
	}
	/* the two are told apart, since they are other bytes */
	AUTO(medium_done) struct medium iso = fetch(g, medium_iso, 4096);
	AUTO(medium_done) struct medium initrd = fetch(g, medium_initrd, 4096);
	assert_string_not_equal(iso.etag, initrd.etag);
}

/* Two pools never get the same medium, and each token opens its own pool alone. */
static void test_own_token(void **state)
{
	static const char other_id[] = "0b1e2222-2222-4333-8444-555566667777";
	struct ctl_rig *g = *state;
	struct infra_env *other;
	AUTO(freep) void *a = NULL;
	AUTO(freep) void *b = NULL;
	size_t a_len, b_len;

	state_begin(g->svc.state);
	assert_int_equal(state_add_infra_env(g->svc.state, other_id, &other), 0);
	other->created_at = other->updated_at = g->now_us;
	assert_int_equal(state_commit(g->svc.state, NULL), 0);
	assert_int_equal(medium_segment(&g->svc, pool(g), &a, &a_len, NULL), 0);
	assert_int_equal(medium_segment(&g->svc, other, &b, &b_len, NULL), 0);
	assert_non_null(memmem(a, a_len, RIG_POOL, strlen(RIG_POOL)));
	assert_null(memmem(b, b_len, RIG_POOL, strlen(RIG_POOL)));
	assert_non_null(memmem(b, b_len, other_id, strlen(other_id)));
	assert_non_null(memmem(a, a_len, RIG_CA, strlen(RIG_CA)));
	assert_non_null(memmem(a, a_len, "https://s.example.com:9543", 26));
}

/* The token that stands in a segment. */
static char *token_of(struct ctl_rig *g)
{
	AUTO(freep) char *segment = NULL;
	size_t len;

	assert_int_equal(medium_segment(&g->svc, pool(g), (void **)&segment, &len, NULL), 0);
	/* a JWT's header begins so: {" */
	const char *p = memmem(segment, len, "eyJ", 3);
	assert_non_null(p);
	/* header.claims.signature, the last of 64 bytes; the next file may follow at once */
	const char *signature = strchr(strchr(p, '.') + 1, '.') + 1;
	return strndup(p, (size_t)(signature - p) + 86);
}

static int check(struct ctl_rig *g, const char *token)
{
	struct caller caller;

	return auth_check(g->svc.auth, AUTH_AGENT, &(struct credentials){ .secret_key = token },
			  g->now_us, &caller, NULL);
}

/* Where tokens expire, a medium always has at least half of their life before it. */
static void test_token_life(void **state)
{
	struct ctl_rig *g = *state;

	g->config.agent_token_ttl_ms = 3600000;
	AUTO(freep) char *first = token_of(g);
	assert_int_equal(check(g, first), 0);
	g->now_us += HOUR_US / 2 - 1000000;
	AUTO(freep) char *same = token_of(g);
	assert_string_equal(first, same);
	g->now_us += 1000000;
	AUTO(freep) char *next = token_of(g);
	assert_string_not_equal(first, next);
	assert_int_equal(check(g, first), 0); /* media that are booted now */
	g->now_us += HOUR_US / 2 + 1000000;
	assert_int_equal(check(g, first), -EACCES);
	assert_int_equal(check(g, next), 0);
	for (int i = 0; i < 50; i++) {
		g->now_us += HOUR_US / 7;
		AUTO(freep) char *token = token_of(g);
		g->now_us += HOUR_US / 2 - 2000000;
		assert_int_equal(check(g, token), 0);
	}
}

/* After a revocation the medium has a new token, good at once, and the old one is refused. */
static void test_revoked(void **state)
{
	struct ctl_rig *g = *state;
	AUTO(freep) char *old = token_of(g);

	g->now_us += 1500000;
	assert_int_equal(ctl_rig_run(g, &ctl_tokens_revoke, "{\"infra_env_id\":\"" RIG_POOL "\"}",
				     -1, NULL, NULL),
			 0);
	AUTO(freep) char *fresh = token_of(g);
	assert_string_not_equal(old, fresh);
	g->now_us += 1000000;
	assert_int_equal(check(g, old), -EACCES);
	assert_int_equal(check(g, fresh), 0);
}

/* Without a base image for the architecture: not yet, and what to do. */
static void test_no_base(void **state)
{
	struct ctl_rig *g = *state;
	static medium_fn *const fns[] = { medium_iso, medium_initrd };
	struct http_source src;
	char etag[64];
	int64_t mtime;

	add_base(g, "aarch64", INITRD_LEN);
	for (size_t i = 0; i < ARRAY_SIZE(fns); i++) {
		struct fault err = FAULT_INIT;
		assert_int_equal(fns[i](&g->svc, pool(g), &src, etag, &mtime, &err), -EAGAIN);
		assert_non_null(strstr(err.text, "no base image for x86_64"));
		assert_non_null(strstr(err.text, "slipwayctl base-image add"));
	}
	str_set(&pool(g)->cpu_architecture, "arm64");
	AUTO(medium_done) struct medium m = fetch(g, medium_iso, 4096);
	assert_int_equal(m.len, TINY_SIZE);
}

/* What does not fit into the area is refused for the ISO; the initrd has no limit of that kind. */
static void test_too_much(void **state)
{
	struct ctl_rig *g = *state;
	struct http_source src;
	struct fault err = FAULT_INIT;
	char etag[64], keys[TINY_TOKEN_SIZE + 1];
	int64_t mtime;

	add_base(g, "x86_64", INITRD_LEN);
	memset(keys, 'k', sizeof(keys));
	keys[TINY_TOKEN_SIZE] = '\0';
	str_set(&pool(g)->ssh_authorized_key, keys);
	assert_true(medium_iso(&g->svc, pool(g), &src, etag, &mtime, &err) < 0);
	assert_true(*err.text);
	AUTO(medium_done) struct medium m = fetch(g, medium_initrd, 4096);
	assert_non_null(memmem(m.data, m.len, keys, TINY_TOKEN_SIZE));
}

/* The image is replaced while somebody still reads: that one gets the old bytes to the end. */
static void test_replaced_while_read(void **state)
{
	struct ctl_rig *g = *state;
	struct http_source src;
	char etag[64], data[INITRD_LEN];
	int64_t mtime;

	add_base(g, "x86_64", INITRD_LEN);
	assert_int_equal(medium_initrd(&g->svc, pool(g), &src, etag, &mtime, NULL), 0);
	assert_int_equal(dir_remove_at(g->fd, "x86_64", NULL), 0);
	assert_int_equal(images_base_remove(g->svc.images, "x86_64", NULL), 0);
	add_base(g, "x86_64", 8);
	assert_int_equal(src.pread(src.ctx, data, sizeof(data), 0), sizeof(data));
	assert_int_equal(data[INITRD_LEN - 1], 'a' + (INITRD_LEN - 1) % 26);
	src.free(src.ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CTL_TEST(test_iso),       CTL_TEST(test_initrd),
		CTL_TEST(test_end),       CTL_TEST(test_same_bytes),
		CTL_TEST(test_own_token), CTL_TEST(test_token_life),
		CTL_TEST(test_revoked),   CTL_TEST(test_no_base),
		CTL_TEST(test_too_much),  CTL_TEST(test_replaced_while_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
