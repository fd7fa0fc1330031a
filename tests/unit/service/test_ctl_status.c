#include "ctl_rig.h"

static json_t *status(struct ctl_rig *g)
{
	json_t *v = NULL;

	assert_int_equal(ctl_rig_run(g, &ctl_status, "{}", -1, &v, NULL), 0);
	return v;
}

static void add_host(struct ctl_rig *g, const char *id, enum host_status s)
{
	struct host *h;

	state_begin(g->svc.state);
	assert_int_equal(state_add_host(g->svc.state, RIG_POOL, id, &h), 0);
	h->status = s;
	assert_int_equal(state_commit(g->svc.state, NULL), 0);
}

static void test_empty(void **state)
{
	struct ctl_rig *g = *state;
	AUTO(json_decrefp) json_t *v = status(g);
	AUTO(freep) char *text = json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS);

	assert_string_equal(
		text,
		"{\"auth\":\"local\",\"base_images\":[],\"clusters\":0,\"hosts\":{},\"http\":null,\"https\":\"[::]:9543\","
		"\"infra_envs\":1,\"os_images\":0,\"service_url\":\"https://s.example.com:9543\",\"uptime_seconds\":0,"
		"\"version\":\"" SLIPWAY_VERSION "\"}");
}

/* Every object is counted, hosts by their status, and only those that there are. */
static void test_counts(void **state)
{
	struct ctl_rig *g = *state;
	struct cluster *c;
	struct os_image *o;

	state_begin(g->svc.state);
	assert_int_equal(state_add_cluster(g->svc.state, "c1", &c), 0);
	assert_int_equal(state_add_cluster(g->svc.state, "c2", &c), 0);
	assert_int_equal(state_add_os_image(g->svc.state, "o1", &o), 0);
	assert_int_equal(state_commit(g->svc.state, NULL), 0);
	add_host(g, "h1", HOST_KNOWN);
	add_host(g, "h2", HOST_KNOWN);
	add_host(g, "h3", HOST_ERROR);
	g->now_us += 90500000;
	g->svc.http_addr = (char *)"[::]:8090";
	AUTO(closep) int base = ctl_rig_base_folder(g, "in", "x86_64", 10);
	char tmp[32];
	int tmp_fd;
	const struct base_image *b;
	assert_int_equal(images_tmp_make(g->svc.images, IMAGES_BASE, tmp, &tmp_fd, NULL), 0);
	assert_int_equal(base_image_copy(base, tmp_fd, NULL, NULL), 0);
	close(tmp_fd);
	assert_int_equal(images_base_install(g->svc.images, tmp, &b, NULL), 0);

	AUTO(json_decrefp) json_t *v = status(g);
	assert_int_equal(json_i64(v, "clusters"), 2);
	assert_int_equal(json_i64(v, "os_images"), 1);
	assert_int_equal(json_i64(v, "uptime_seconds"), 90);
	assert_string_equal(json_str(v, "http"), "[::]:8090");
	AUTO(freep) char *hosts = json_dumps(json_child(v, "hosts"), JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(hosts, "{\"error\":1,\"known\":2}");
	const json_t *image = json_array_get(json_child(v, "base_images"), 0);
	assert_string_equal(json_str(image, "arch"), "x86_64");
	assert_string_equal(json_str(image, "kernel"), "6.1");
	assert_int_equal(json_i64(image, "size_bytes"), TINY_SIZE);
	assert_string_equal(json_str(image, "id"), b->id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CTL_TEST(test_empty),
		CTL_TEST(test_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
