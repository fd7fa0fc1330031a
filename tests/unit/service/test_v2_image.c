#include "api_fixture.h"

#include <sys/stat.h>

#define ISO_SIZE (512 * 1024)
#define AREA_OFFSET 65536
#define AREA_LENGTH (256 * 1024)
#define KERNEL "a kernel"
#define INITRD "an initrd of seventeen" /* 22 bytes: two short of a multiple of four */

#define BYID "/byid/" API_POOL "/4.18/x86_64/full.iso"
#define BYAPIKEY "/byapikey/" API_HANDLE "/4.18/x86_64/full.iso"
#define PXE "/images/" API_POOL "/pxe-initrd"

static void put(struct api *f, const char *path, const void *data, size_t len)
{
	struct fault err = FAULT_INIT;

	if (file_create_at(f->fd, path, data, len, 0600, &err) < 0)
		fail_msg("%s", fault_text(&err));
}

/* A base image whose ISO is full of 'b' around the area for the token. */
static void add_base(struct api *f)
{
	static const struct base_image known = {
		.id = "b0",
		.arch = "x86_64",
		.created = 1780000000,
		.files = { { ISO_SIZE, "aa000000000000000000000000000000" },
			   { sizeof(KERNEL) - 1, "bb" },
			   { sizeof(INITRD) - 1, "cc000000000000000000000000000000" } },
		.area = { .offset = AREA_OFFSET, .length = AREA_LENGTH, .path = TOKEN_AREA_PATH },
	};
	AUTO(freep) char *iso = malloc(ISO_SIZE);

	memset(iso, 'b', ISO_SIZE);
	memset(iso + AREA_OFFSET, 0, AREA_LENGTH);
	assert_int_equal(mkdirat(f->fd, "base-images/x86_64", 0700), 0);
	put(f, "base-images/x86_64/base.iso", iso, ISO_SIZE);
	put(f, "base-images/x86_64/vmlinuz", KERNEL, sizeof(KERNEL) - 1);
	put(f, "base-images/x86_64/initrd.img", INITRD, sizeof(INITRD) - 1);
	struct base_image *b = &f->svc.images->base[f->svc.images->n_base++];
	*b = known;
	b->iso_fd = openat(f->fd, "base-images/x86_64/base.iso", O_RDONLY | O_CLOEXEC);
	assert_true(b->iso_fd >= 0);
}

/* Everything the answered source has, with a NUL behind. The caller's. */
static char *read_all(struct api *f, size_t *ret_len)
{
	size_t size = f->source.size, at = 0;
	char *data = calloc(1, size + 1);

	assert_non_null(f->source.pread);
	while (at < size) {
		long n = f->source.pread(f->source.ctx, data + at, size - at, at);
		assert_true(n > 0);
		at += (size_t)n;
	}
	*ret_len = size;
	return data;
}

static bool contains(const char *data, size_t len, const char *text)
{
	return memmem(data, len, text, strlen(text)) != NULL;
}

/* --- discovery media --- */

static void test_iso(void **state)
{
	struct api *f = *state;
	size_t len;

	add_base(f);
	api_call(f, "GET", BYID, NULL);
	api_expect(f, 200);
	assert_string_equal(f->type, "application/octet-stream");
	assert_true(api_has_header(f, "Content-Disposition: attachment; filename=" API_POOL
				      "-discovery.iso"));
	AUTO(freep) char *iso = read_all(f, &len);
	assert_int_equal(len, ISO_SIZE);
	/* only the area differs from the base image: it tells the agent where to go, and as whom */
	for (size_t i = 0; i < len; i++) {
		if (i < AREA_OFFSET || i >= AREA_OFFSET + AREA_LENGTH)
			assert_int_equal(iso[i], 'b');
	}
	const char *area = iso + AREA_OFFSET;
	assert_true(contains(area, AREA_LENGTH, "070701"));
	assert_true(contains(area, AREA_LENGTH, "infra_env_id = " API_POOL));
	assert_true(contains(area, AREA_LENGTH, "https://s.example.com:9543"));
	assert_true(contains(area, AREA_LENGTH, "BEGIN CERTIFICATE"));
	assert_false(contains(area, AREA_LENGTH, API_EARLY));
	assert_int_equal(f->mtime_s, FIX_NOW_US / 1000000);

	/* the same bytes under the same tag as long as nothing changes, also a day later */
	char etag[sizeof(f->etag)];
	memcpy(etag, f->etag, sizeof(etag));
	api_advance(f, 86400 * 1000000ll);
	api_call(f, "HEAD", BYID, NULL);
	api_expect(f, 200);
	assert_string_equal(f->etag, etag);
	AUTO(freep) char *again = read_all(f, &len);
	assert_memory_equal(iso, again, ISO_SIZE);
	/* and others when something does */
	api_call(f, "PATCH", "/v2/infra-envs/" API_POOL, "{\"additional_ntp_sources\":\"ntp1\"}");
	api_expect(f, 201);
	api_call(f, "GET", BYID, NULL);
	assert_string_not_equal(f->etag, etag);
	assert_int_equal(f->mtime_s, f->now_us / 1000000);
	AUTO(freep) char *changed = read_all(f, &len);
	assert_true(contains(changed, len, "ntp1"));
}

static void test_iso_names(void **state)
{
	static const struct {
		const char *path;
		int status;
	} rows[] = {
		{ "/byid/" API_POOL "/4.18/x86_64/minimal.iso", 200 },
		{ "/byid/" API_POOL "/anything/x86_64/full.iso", 200 },
		{ "/byid/" API_POOL "/4.18/x86_64/disconnected.iso", 404 },
		{ "/byid/" API_POOL "/4.18/x86_64/base.iso", 404 },
		{ "/byid/" API_POOL "/4.18/arm64/full.iso", 404 },
		{ "/byid/" API_POOL "/4.18/aarch64/full.iso", 404 },
		{ "/byid/" API_NOBODY "/4.18/x86_64/full.iso", 404 },
		{ "/byapikey/" API_HANDLE "/4.18/x86_64/full.iso", 200 },
		{ "/byapikey/" API_HANDLE "/4.18/x86_64/other.iso", 404 },
		{ "/byapikey/" API_HANDLE "x/4.18/x86_64/full.iso", 404 },
		{ "/byapikey/" API_POOL "/4.18/x86_64/full.iso", 404 },
	};
	struct api *f = *state;

	add_base(f);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		api_call(f, "GET", rows[i].path, NULL);
		if (rows[i].status == 200) {
			api_expect(f, 200);
			assert_int_equal(f->source.size, ISO_SIZE);
		} else {
			api_refused(f, rows[i].status, "Object Not Found");
			assert_string_equal(f->type, "application/octet-stream");
		}
	}
	api_call(f, "GET", "/byid/pool1/4.18/x86_64/full.iso", NULL);
	api_invalid(f, 400, "infra_env_id in path must be of type uuid");
	api_call(f, "PUT", BYID, NULL);
	api_invalid(f, 405, "but [GET,HEAD] are");
}

static void test_iso_callers(void **state)
{
	struct api *f = *state;

	add_base(f);
	api_as_nobody(f);
	api_call(f, "GET", BYID, NULL);
	api_invalid(f, 401, "");
	/* the handle in the path is the credential, on both listeners: firmware can send no other */
	for (int plain = 0; plain < 2; plain++) {
		f->is_plain = plain;
		api_call(f, "GET", BYAPIKEY, NULL);
		api_expect(f, 200);
	}
	f->is_plain = false;
	AUTO(freep) char *token = api_as_agent(f, API_POOL, NULL);
	api_call(f, "GET", BYID, NULL);
	api_invalid(f, 403, "");
	/* a new signing key ends all handles that were given out */
	api_as_user(f);
	api_call(f, "POST", "/v2/infra-envs/" API_POOL "/regenerate-signing-key", NULL);
	api_expect(f, 204);
	api_call(f, "GET", BYAPIKEY, NULL);
	api_refused(f, 404, "Object Not Found");
}

/* Where image-url leads there is the medium. */
static void test_iso_of_image_url(void **state)
{
	static const char base[] = "https://s.example.com:9543";
	struct api *f = *state;

	add_base(f);
	api_call(f, "GET", "/v2/infra-envs/" API_POOL "/downloads/image-url", NULL);
	api_expect(f, 200);
	AUTO(freep) char *url = strdup(api_str(f, "url"));
	assert_true(str_starts(url, base));
	api_call(f, "GET", url + strlen(base), NULL);
	api_expect(f, 200);
	assert_int_equal(f->source.size, ISO_SIZE);
}

static void test_no_base_image(void **state)
{
	static const char *const paths[] = { BYID, BYAPIKEY, PXE };
	struct api *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		api_call(f, "GET", paths[i], NULL);
		api_refused(f, 503, "there is no base image for x86_64 yet");
	}
	api_call(f, "GET", "/boot-artifacts/kernel", NULL);
	api_refused(f, 503, "there is no base image for x86_64 yet");
	api_call(f, "GET", "/boot-artifacts/kernel?arch=arm64", NULL);
	api_refused(f, 503, "there is no base image for arm64 yet");
}

/* --- what a network boot fetches --- */

static void test_pxe_initrd(void **state)
{
	struct api *f = *state;
	size_t len;

	add_base(f);
	api_call(f, "GET", PXE "?arch=x86_64&version=4.18", NULL);
	api_expect(f, 200);
	assert_true(api_has_header(f, "Content-Disposition: attachment; filename=initrd.img"));
	AUTO(freep) char *data = read_all(f, &len);
	assert_memory_equal(data, INITRD, sizeof(INITRD) - 1);
	/* the segment behind it begins at a multiple of four */
	assert_memory_equal(data + sizeof(INITRD) - 1,
			    "\0\0"
			    "070701",
			    8);
	assert_true(contains(data, len, "infra_env_id = " API_POOL));
	/* read in pieces it is the same, over every border */
	for (size_t at = 0; at < 64; at++) {
		char piece[8];
		long n = f->source.pread(f->source.ctx, piece, sizeof(piece), at);
		assert_true(n > 0 && n <= 8);
		assert_memory_equal(piece, data + at, (size_t)n);
	}
	api_call(f, "GET", "/images/" API_NOBODY "/pxe-initrd", NULL);
	api_refused(f, 404, "Object Not Found");
	api_as_nobody(f);
	api_call(f, "GET", PXE "?api_key=" API_HANDLE, NULL);
	api_expect(f, 200);
	api_call(f, "GET", "/images/" API_EARLY "/pxe-initrd?api_key=" API_HANDLE, NULL);
	api_refused(f, 404, "Object Not Found");
	api_call(f, "GET", PXE, NULL);
	api_invalid(f, 401, "");
}

static void test_boot_artifacts(void **state)
{
	struct api *f = *state;
	size_t len;

	add_base(f);
	api_as_nobody(f); /* there is no secret in them */
	f->is_plain = true;
	api_call(f, "GET", "/boot-artifacts/kernel?version=4.18&arch=x86_64", NULL);
	api_expect(f, 200);
	assert_string_equal(f->etag, "\"bb\"");
	assert_int_equal(f->mtime_s, 1780000000);
	assert_true(api_has_header(f, "Content-Disposition: attachment; filename=vmlinuz"));
	AUTO(freep) char *kernel = read_all(f, &len);
	assert_string_equal(kernel, KERNEL);
	api_call(f, "HEAD", "/boot-artifacts/initrd", NULL);
	AUTO(freep) char *initrd = read_all(f, &len);
	assert_string_equal(initrd, INITRD);
	api_call(f, "GET", "/boot-artifacts/rootfs", NULL);
	api_refused(f, 404, "Object Not Found");
	api_call(f, "GET", "/boot-artifacts/base.iso", NULL);
	api_refused(f, 404, "Object Not Found");
}

/* --- OS images --- */

#define OS_ID "ab00000000000000000000000000000000000000000000000000000000000001"

static void add_os_image(struct api *f)
{
	struct os_image *o;

	assert_int_equal(mkdirat(f->fd, "os-images/" OS_ID, 0700), 0);
	put(f, "os-images/" OS_ID "/image.raw.zst", "payload", 7);
	put(f, "os-images/" OS_ID "/image.slx", "index", 5);
	state_begin(f->svc.state);
	assert_int_equal(state_add_os_image(f->svc.state, OS_ID, &o), 0);
	o->created_at = 1785000000000000;
	api_commit(f);
}

static void test_os_payload(void **state)
{
	static const char path[] = "/os-images/" OS_ID "/image.raw.zst";
	struct api *f = *state;
	size_t len;

	add_os_image(f);
	api_as_nobody(f); /* whoever has the index cannot be given a wrong payload */
	f->is_plain = true;
	api_call(f, "GET", path, NULL);
	api_expect(f, 200);
	assert_string_equal(f->etag, "\"" OS_ID "\"");
	assert_int_equal(f->mtime_s, 1785000000);
	assert_true(api_has_header(f, "Cache-Control: public, max-age=31536000, immutable"));
	AUTO(freep) char *data = read_all(f, &len);
	assert_string_equal(data, "payload");
	api_call(f, "HEAD", path, NULL);
	api_expect(f, 200);
	api_call(f, "GET", "/os-images/" OS_ID "/other", NULL);
	api_invalid(f, 404, "was not found");
	api_call(f, "GET", "/os-images/..%2f" OS_ID "/image.raw.zst", NULL);
	api_refused(f, 404, "Object Not Found");
	api_call(f, "GET", "/os-images/ab/image.raw.zst", NULL);
	api_refused(f, 404, "Object Not Found");
}

static void test_os_index(void **state)
{
	static const char path[] = "/os-images/" OS_ID "/image.slx";
	struct api *f = *state;
	size_t len;

	add_os_image(f);
	api_as_nobody(f);
	api_call(f, "GET", path, NULL);
	api_invalid(f, 401, "");
	AUTO(freep) char *token = api_as_agent(f, API_POOL, NULL);
	api_call(f, "GET", path, NULL);
	api_expect(f, 200);
	assert_string_equal(f->etag, "\"" OS_ID "-index\"");
	AUTO(freep) char *data = read_all(f, &len);
	assert_string_equal(data, "index");
	/* what everything is compared with does not come by a wire that anybody can write on */
	f->is_plain = true;
	api_call(f, "GET", path, NULL);
	api_refused(f, 404, "is served over HTTPS only");
	f->is_plain = false;
	/* a file that is gone is not there */
	assert_int_equal(unlinkat(f->fd, "os-images/" OS_ID "/image.slx", 0), 0);
	api_call(f, "GET", path, NULL);
	api_refused(f, 404, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		API_TEST(test_iso),
		API_TEST(test_iso_names),
		API_TEST(test_iso_callers),
		API_TEST(test_iso_of_image_url),
		API_TEST_OPEN(test_iso_of_image_url),
		API_TEST(test_no_base_image),
		API_TEST(test_pxe_initrd),
		API_TEST(test_boot_artifacts),
		API_TEST(test_os_payload),
		API_TEST(test_os_index),
	};
	return cmocka_run_group_tests_name("v2_image", tests, NULL, NULL);
}
