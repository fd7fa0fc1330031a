#include "rules_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include "common/slx.h"
#include "service/images.h"
#include "service/store.h"

/* The program has its own clock; here every image is a second younger than the one before. */
int64_t service_now_us(const struct service *s)
{
	static int64_t now_us = FIX_NOW_US;
	return now_us += 1000000;
}

struct world {
	char path[64];
	int fd;
	struct store *store;
	struct service_config config;
	struct service svc;
};

static void open_state(struct world *w)
{
	static const uint8_t key[SEAL_KEY_LEN] = { 1 };
	struct fault err = FAULT_INIT;

	if (store_open("sqlite", w->fd, key, &w->store, &err) < 0 ||
	    state_new(w->store, &w->svc.state, &err) < 0)
		fail_msg("%s", fault_text(&err));
	if (images_new(&w->svc, &w->svc.images, &err) < 0)
		fail_msg("%s", fault_text(&err));
}

static void close_state(struct world *w)
{
	assert_int_equal(state_commit(w->svc.state, NULL), 0);
	images_free(w->svc.images);
	state_free(w->svc.state);
	store_close(w->store);
	w->svc.images = NULL;
}

static void world_make(struct world *w)
{
	memset(w, 0, sizeof(*w));
	strcpy(w->path, "/tmp/slipway-test.XXXXXX");
	assert_non_null(mkdtemp(w->path));
	w->fd = open(w->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	w->config.default_version = (char *)"1.0";
	w->svc.config = &w->config;
	w->svc.state_dirfd = w->fd;
	w->svc.payload_url = (char *)"http://s:8090";
	open_state(w);
}

static void world_remove(struct world *w)
{
	close_state(w);
	close(w->fd);
	assert_int_equal(dir_remove_at(AT_FDCWD, w->path, NULL), 0);
}

/* An image of one chunk whose digest begins with @mark. */
static struct os_image *add(struct world *w, uint8_t mark, const char *version, const char *arch,
			    bool make_default)
{
	struct slx_entry entry = { .offset = 0, .length = 10, .hash = { mark } };
	struct slx index = { .image_size = 1 << 20,
			     .chunk_size = 1 << 20,
			     .sector_size = 512,
			     .count = 1,
			     .codec = SLX_CODEC_ZSTD,
			     .hash = 1,
			     .payload_size = 10,
			     .entries = &entry };
	AUTO(freep) void *data = NULL;
	size_t len;
	char tmp[32];
	int fd;
	struct fault err = FAULT_INIT;
	const struct os_image_info info = {
		.label = "x", .version = version, .arch = arch, .make_default = make_default
	};
	struct os_image *o = NULL;

	if (slx_format(&index, &data, &len, &err) < 0 ||
	    images_tmp_make(w->svc.images, IMAGES_OS, tmp, &fd, &err) < 0)
		fail_msg("%s", fault_text(&err));
	assert_int_equal(file_create_at(fd, OS_INDEX_NAME, data, len, 0600, NULL), 0);
	assert_int_equal(file_create_at(fd, OS_PAYLOAD_NAME, "0123456789", 10, 0600, NULL), 0);
	close(fd);
	if (images_os_install(&w->svc, tmp, &info, &o, &err) < 0)
		fail_msg("%s", fault_text(&err));
	return o;
}

static bool url_is_of(const char *url, const struct os_image *o)
{
	return url && o && strstr(url, o->id) && str_starts(url, "http://s:8090/os-images/") &&
	       str_ends(url, "/image.raw.zst");
}

static void test_default(void **state)
{
	struct world w;
	world_make(&w);
	assert_null(w.svc.rules.os_image_url);
	struct os_image *a = add(&w, 1, "1.0", "x86_64", false);
	assert_true(a->is_default); /* the first one */
	struct os_image *b = add(&w, 2, "1.0", "x86_64", false);
	assert_false(b->is_default);
	assert_true(url_is_of(w.svc.rules.os_image_url, a));
	assert_int_equal(images_os_set_default(&w.svc, b, NULL), 0);
	assert_true(b->is_default && !a->is_default);
	assert_true(url_is_of(w.svc.rules.os_image_url, b));
	assert_int_equal(images_os_remove(&w.svc, b, NULL), 0);
	assert_true(a->is_default);
	assert_true(url_is_of(w.svc.rules.os_image_url, a));
	assert_int_equal(images_os_remove(&w.svc, a, NULL), 0);
	assert_null(w.svc.rules.os_image_url);
	world_remove(&w);
}

static void test_choice(void **state)
{
	struct world w;
	struct infra_env ie = { .openshift_version = (char *)"2.0",
				.cpu_architecture = (char *)"x86_64" };
	world_make(&w);
	assert_null(images_os_url(&w.svc, &ie));
	struct os_image *plain =
		add(&w, 1, NULL, NULL, false); /* default version and architecture */
	assert_true(url_is_of(images_os_url(&w.svc, &ie), plain));
	struct os_image *two = add(&w, 2, "2.0", "x86_64", false);
	assert_true(url_is_of(images_os_url(&w.svc, &ie), two));
	add(&w, 3, "2.0", "arm64", false);
	assert_true(url_is_of(images_os_url(&w.svc, &ie), two));
	struct os_image *newer = add(&w, 4, "2.0", "x86_64", false);
	assert_true(url_is_of(images_os_url(&w.svc, &ie), newer));
	assert_int_equal(images_os_set_default(&w.svc, two, NULL), 0);
	assert_true(url_is_of(images_os_url(&w.svc, &ie), two));
	ie.openshift_version = (char *)"1.0";
	assert_true(url_is_of(images_os_url(&w.svc, &ie), plain));
	world_remove(&w);
}

static void test_again_and_restart(void **state)
{
	struct world w;
	char id[65];
	world_make(&w);
	struct os_image *o = add(&w, 1, "1.0", "x86_64", false);
	strcpy(id, o->id);
	assert_ptr_equal(add(&w, 1, "1.1", "x86_64", false), o); /* the same content: new words */
	assert_string_equal(o->version, "1.1");
	assert_null(state_os_image_at(w.svc.state, 1));

	assert_int_equal(mkdirat(w.fd, "os-images/tmp-left", 0700), 0);
	close_state(&w);
	open_state(&w);
	assert_int_equal(faccessat(w.fd, "os-images/tmp-left", F_OK, 0), -1);
	o = state_os_image(w.svc.state, id);
	assert_non_null(o);
	assert_true(o->is_default);
	assert_true(url_is_of(w.svc.rules.os_image_url, o));
	int fd = images_os_open(w.svc.images, id, OS_PAYLOAD_NAME, NULL);
	struct http_source src;
	char text[16] = "";
	assert_true(fd >= 0);
	assert_int_equal(images_file_source(fd, &src, NULL), 0);
	assert_int_equal(src.size, 10);
	assert_int_equal(src.pread(src.ctx, text, 4, 3), 4);
	assert_string_equal(text, "3456");
	assert_true(src.pread(src.ctx, text, 4, 10) <
		    0); /* shorter than it was: an error, never an endless loop */
	src.free(src.ctx);
	assert_true(images_os_open(w.svc.images, "nothing", OS_PAYLOAD_NAME, NULL) < 0);
	world_remove(&w);
}

static void test_bad_index(void **state)
{
	struct world w;
	char tmp[32];
	int fd;
	struct os_image *o = NULL;
	const struct os_image_info info = { 0 };
	struct fault err = FAULT_INIT;
	world_make(&w);
	assert_int_equal(images_tmp_make(w.svc.images, IMAGES_OS, tmp, &fd, NULL), 0);
	assert_int_equal(file_create_at(fd, OS_INDEX_NAME, "x", 1, 0600, NULL), 0);
	close(fd);
	assert_true(images_os_install(&w.svc, tmp, &info, &o, &err) < 0);
	assert_true(err.text[0]);
	assert_null(state_os_image_at(w.svc.state, 0));
	images_tmp_remove(w.svc.images, IMAGES_OS, tmp);
	world_remove(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_again_and_restart),
		cmocka_unit_test(test_bad_index),
	};
	return FIX_RUN(tests, 0);
}
