#include "ctl_rig.h"
#include <sys/mman.h>
#include "tests/unit/disk_rig.h"

#define MIB 16u

static bool is_ok(const json_t *v)
{
	return v && json_flag(v, "ok");
}

/* @v: a refusal whose sentence holds @text. Takes @v. */
static void refused(json_t *v, const char *text)
{
	const char *error = json_str(v, "error");

	if (!v || is_ok(v) || !error || !strstr(error, text))
		fail_msg("\"%s\" is not in %s", text, error ? error : "(no error)");
	json_decref(v);
}

/* --- base images --- */

static void test_base_image(void **state)
{
	struct ctl_rig *g = *state;
	AUTO(closep) int fd = ctl_rig_base_folder(g, "in", "x86_64", 1000);
	unsigned progress;

	ctl_rig_listen(g);
	AUTO(json_decrefp)
	json_t *v = ctl_rig_ask(g, "{\"verb\":\"base-image-add\"}", fd, &progress);
	assert_true(is_ok(v));
	assert_true(progress > 0);
	assert_string_equal(json_str(v, "arch"), "x86_64");
	const struct base_image *b = images_base(g->svc.images, "x86_64");
	assert_non_null(b);
	assert_string_equal(json_str(v, "id"), b->id);
	AUTO(json_decrefp)
	json_t *list = ctl_rig_ask(g, "{\"verb\":\"base-image-list\"}", -1, NULL);
	assert_int_equal(json_array_size(json_child(list, "base_images")), 1);
	/* again is no error, another architecture stands beside it */
	AUTO(json_decrefp)
	json_t *again = ctl_rig_ask(g, "{\"verb\":\"base-image-add\"}", fd, NULL);
	assert_true(is_ok(again));
	AUTO(closep) int arm = ctl_rig_base_folder(g, "arm", "aarch64", 10);
	AUTO(json_decrefp) json_t *two = ctl_rig_ask(g, "{\"verb\":\"base-image-add\"}", arm, NULL);
	assert_string_equal(json_str(two, "arch"), "arm64");
	assert_int_equal(ctl_rig_entries(g, "base-images"), 2);
	json_decref(ctl_rig_ask(
		g, "{\"verb\":\"base-image-remove\",\"args\":{\"arch\":\"x86_64\"}}", -1, NULL));
	assert_null(images_base(g->svc.images, "x86_64"));
	assert_int_equal(ctl_rig_entries(g, "base-images"), 1);
	ctl_rig_refused(g, &ctl_base_image_remove, "{}", -1, -EINVAL, "names no arch");
	ctl_rig_refused(g, &ctl_base_image_remove, "{\"arch\":\"../x\"}", -1, -ENOENT, "");
}

/* Descriptors that are no folder, folders that are none of ours: nothing begins to run. */
static void test_base_descriptors(void **state)
{
	struct ctl_rig *g = *state;
	int pair[2];

	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	ctl_rig_put(g->fd, "file", "x", 1);
	const int fds[] = {
		openat(g->fd, "file", O_RDWR | O_CLOEXEC),
		openat(g->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), /* has no base.json */
		open("/dev/null", O_RDONLY | O_CLOEXEC),
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
		pair[0],
		pair[1],
	};
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		struct fault err = FAULT_INIT;
		int r = ctl_rig_run(g, &ctl_base_image_add, "{}", fds[i], NULL, &err);
		if (r >= 0 || !*err.text)
			fail_msg("descriptor %zu: %d %s", i, r, err.text);
		close(fds[i]);
	}
	assert_int_equal(ctl_rig_entries(g, "base-images"), 0);
}

/* What stands in the folder instead of its files: links out of it, pipes, other bytes. The job refuses, and nothing of it stays. */
static void test_base_hostile_folder(void **state)
{
	static const struct {
		const char *name;
		enum { LINK, FIFO, OTHER, GONE, CUT, SOCKET } how;
	} cases[] = {
		{ "base.iso", LINK },     { "base.iso", FIFO },   { "base.iso", OTHER },
		{ "base.iso", CUT },      { "base.iso", GONE },   { "vmlinuz", LINK },
		{ "vmlinuz", OTHER },     { "initrd.img", FIFO }, { "initrd.img", OTHER },
		{ "base.json", LINK },    { "base.json", FIFO },  { "base.json", OTHER },
		{ "initrd.img", SOCKET },
	};
	struct ctl_rig *g = *state;

	ctl_rig_listen(g);
	ctl_rig_put(g->fd, "secret", "kernel", 6); /* even with the right content */
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(closep) int fd = ctl_rig_base_folder(g, "in", "x86_64", 100);
		AUTO(closep) int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		struct sockaddr_un a = { .sun_family = AF_UNIX };
		if (cases[i].how == CUT) {
			AUTO(closep) int iso = openat(fd, cases[i].name, O_RDWR | O_CLOEXEC);
			assert_int_equal(ftruncate(iso, 1000), 0);
		} else {
			assert_int_equal(unlinkat(fd, cases[i].name, 0), 0);
		}
		snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/%s", fd, cases[i].name);
		if (cases[i].how == LINK)
			assert_int_equal(symlinkat("../secret", fd, cases[i].name), 0);
		else if (cases[i].how == FIFO)
			assert_int_equal(mkfifoat(fd, cases[i].name, 0600), 0);
		else if (cases[i].how == OTHER)
			ctl_rig_put(fd, cases[i].name, "kernal", 6);
		else if (cases[i].how == SOCKET)
			assert_int_equal(bind(sock, (struct sockaddr *)&a, sizeof(a)), 0);
		AUTO(json_decrefp)
		json_t *v = ctl_rig_ask(g, "{\"verb\":\"base-image-add\"}", fd, NULL);
		if (!v || is_ok(v) || str_empty(json_str(v, "error")))
			fail_msg("case %zu was taken", i);
		assert_int_equal(ctl_rig_entries(g, "base-images"), 0);
		assert_null(images_base(g->svc.images, "x86_64"));
		assert_int_equal(dir_remove_at(g->fd, "in", NULL), 0);
	}
}

/* --- OS images --- */

static int image_file(uint32_t seed)
{
	AUTO(freep) uint8_t *image = rig_image(MIB, 512, seed);
	int fd = memfd_create("image", MFD_CLOEXEC);

	assert_int_equal(fd_pwrite(fd, image, (size_t)MIB * RIG_MIB, 0), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static char *add_os(struct ctl_rig *g, uint32_t seed, const char *args)
{
	AUTO(closep) int fd = image_file(seed);
	AUTO(freep) char *request = str_printf("{\"verb\":\"os-image-add\",\"args\":%s}", args);
	AUTO(json_decrefp) json_t *v = ctl_rig_ask(g, request, fd, NULL);

	if (!is_ok(v))
		fail_msg("%s", json_str(v, "error"));
	return strdup(json_str(v, "id"));
}

static void test_os_image(void **state)
{
	struct ctl_rig *g = *state;

	ctl_rig_listen(g);
	AUTO(freep) char *first = add_os(g, 1, "{\"label\":\"one\",\"version\":\"12\"}");
	AUTO(freep)
	char *second = add_os(g, 2, "{\"label\":\"two\",\"default\":true,\"arch\":\"aarch64\"}");
	assert_string_not_equal(first, second);
	assert_false(state_os_image(g->svc.state, first)->is_default);
	assert_true(state_os_image(g->svc.state, second)->is_default);
	assert_string_equal(state_os_image(g->svc.state, second)->cpu_architecture, "arm64");
	AUTO(json_decrefp) json_t *list = ctl_rig_ask(g, "{\"verb\":\"os-image-list\"}", -1, NULL);
	const json_t *item = json_array_get(json_child(list, "os_images"), 0);
	AUTO(freep)
	char *url = str_printf("http://s.example.com:8090/os-images/%s/image.raw.zst", first);
	assert_string_equal(json_str(item, "url"), url);
	assert_string_equal(json_str(item, "version"), "12");
	assert_int_equal(json_i64(item, "image_size"), (int64_t)MIB * RIG_MIB);
	/* by the start of the id */
	AUTO(freep)
	char *request =
		str_printf("{\"verb\":\"os-image-default\",\"args\":{\"id\":\"%.8s\"}}", first);
	AUTO(json_decrefp) json_t *v = ctl_rig_ask(g, request, -1, NULL);
	assert_true(is_ok(v));
	assert_true(state_os_image(g->svc.state, first)->is_default);
	AUTO(freep)
	char *removal =
		str_printf("{\"verb\":\"os-image-remove\",\"args\":{\"id\":\"%s\"}}", first);
	AUTO(json_decrefp) json_t *gone = ctl_rig_ask(g, removal, -1, NULL);
	assert_true(is_ok(gone));
	assert_int_equal(ctl_rig_entries(g, "os-images"), 1);
	assert_true(state_os_image(g->svc.state, second)->is_default);
}

/* Too short, ambiguous, not hexadecimal: never the wrong image. */
static void test_os_ids(void **state)
{
	static const char *const ids[] = { "aaaaaaaa11", "aaaaaaaa22", "bbbbbbbb33" };
	static const struct {
		const char *id, *says; /* NULL = found */
	} cases[] = {
		{ "bbbbbbbb", NULL },
		{ "aaaaaaaa1", NULL },
		{ "aaaaaaaa22", NULL },
		{ "aaaaaaaa", "more than one OS image begins with aaaaaaaa" },
		{ "bbbbbbb", "there is no OS image bbbbbbb" },
		{ "aaaaaaaa113", "there is no" },
		{ "BBBBBBBB", "there is no" },
		{ "../bbbbb", "there is no" },
		{ "", "names no id" },
	};
	struct ctl_rig *g = *state;

	state_begin(g->svc.state);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		struct os_image *o;
		assert_int_equal(state_add_os_image(g->svc.state, ids[i], &o), 0);
	}
	assert_int_equal(state_commit(g->svc.state, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(freep) char *args = str_printf("{\"id\":\"%s\"}", cases[i].id);
		if (cases[i].says)
			ctl_rig_refused(g, &ctl_os_image_default, args, -1, -ENOENT, cases[i].says);
		else
			assert_int_equal(
				ctl_rig_run(g, &ctl_os_image_default, args, -1, NULL, NULL), 0);
	}
}

static void test_os_words(void **state)
{
	struct ctl_rig *g = *state;
	char word[300];

	memset(word, 'w', sizeof(word));
	word[256] = '\0';
	AUTO(freep) char *too_long = str_printf("{\"label\":\"%s\"}", word);
	ctl_rig_refused(g, &ctl_os_image_add, too_long, 0, -EINVAL,
			"label must be one line of at most 255");
	ctl_rig_refused(g, &ctl_os_image_add, "{\"version\":\"1\\n2\"}", 0, -EINVAL,
			"version must be");
	ctl_rig_refused(g, &ctl_os_image_add, "{\"arch\":\"a\\tb\"}", 0, -EINVAL, "arch must be");
	word[255] = '\0';
	AUTO(freep) char *longest = str_printf("{\"label\":\"%s\"}", word);
	assert_int_equal(ctl_rig_run(g, &ctl_os_image_add, longest, 0, NULL, NULL), CTL_LATER);
	assert_int_equal(ctl_rig_entries(g, "os-images"), 0); /* the rig ends the job */
}

/* Descriptors that hold no disk image: refused by the child, nothing of the work stays. */
static void test_os_descriptors(void **state)
{
	struct ctl_rig *g = *state;
	int sock[2], pipes[2];

	ctl_rig_listen(g);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock), 0);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	close(sock[1]);
	close(pipes[1]);
	AUTO(closep) int image = image_file(3);
	assert_int_equal(ftruncate(image, 12u << 20), 0); /* cut */
	const struct {
		int fd;
		const char *says;
	} cases[] = {
		{ openat(g->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "cannot read the image" },
		{ open("/dev/null", O_RDONLY | O_CLOEXEC), "empty" },
		{ open("/dev/null", O_WRONLY | O_CLOEXEC), "cannot read the image" },
		{ open("/dev/zero", O_RDONLY | O_CLOEXEC), "no disk image" },
		{ openat(g->fd, "slipway.db", O_PATH | O_CLOEXEC), "cannot read the image" },
		{ sock[0], "empty" },
		{ pipes[0], "empty" },
		{ openat(g->fd, "slipway.db", O_RDONLY | O_CLOEXEC), "" },
		{ fcntl(image, F_DUPFD_CLOEXEC, 0), "cut short" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		refused(ctl_rig_ask(g, "{\"verb\":\"os-image-add\"}", cases[i].fd, NULL),
			cases[i].says);
		close(cases[i].fd);
		assert_int_equal(ctl_rig_entries(g, "os-images"), 0);
	}
	assert_null(state_os_image_at(g->svc.state, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CTL_TEST(test_base_image),
		CTL_TEST(test_base_descriptors),
		CTL_TEST(test_base_hostile_folder),
		CTL_TEST(test_os_image),
		CTL_TEST(test_os_ids),
		CTL_TEST(test_os_words),
		CTL_TEST(test_os_descriptors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
