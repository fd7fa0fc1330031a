/* An installation as the network process runs it; writer and root process are played by the test. */
#include <sys/mman.h>
#include "tests/unit/agent/net_rig.h"

#define CLUSTER "fc56491c-2703-4b95-b0cf-3418d90aff5b"

/* What the service answers; a test changes it to break something. */
struct shelf {
	int seed, ignition, index, cluster, rebooting;
	bool is_index_bad;
	char *steps;
};

static char *make_index(size_t *ret_len)
{
	struct slx_entry entries[2] = { { .offset = 0, .length = 100 },
					{ .offset = 100, .length = 50, .flags = SLX_ENTRY_ZERO } };
	struct slx x = { .image_size = 2u << 20,
			 .chunk_size = 1u << 20,
			 .sector_size = 512,
			 .count = 2,
			 .codec = SLX_CODEC_ZSTD,
			 .hash = 1,
			 .payload_size = 150,
			 .entries = entries };
	void *data = NULL;

	assert_int_equal(slx_format(&x, &data, ret_len, NULL), 0);
	return data;
}

static int answer(struct fake *f, const struct fake_seen *s, char **ret_body)
{
	const struct shelf *shelf = f->ctx;

	if (fake_is(s, "GET", "/downloads/seed")) {
		*ret_body = str_dup(
			"{\"install_id\":\"" CLUSTER
			"\",\"token\":\"t\",\"url\":\"https://192.0.2.1:9543\",\"infra_env_id\":\"" FAKE_IE
			"\",\"host_id\":\"" FAKE_HOST "\",\"ca\":\"PEM\"}");
		return shelf->seed;
	}
	if (fake_is(s, "GET", "/infra-env/" FAKE_IE "/hosts/" FAKE_HOST "/downloads/ignition")) {
		*ret_body = str_dup("{\"ignition\":{\"version\":\"3.2.0\"}}");
		return shelf->ignition;
	}
	if (fake_is(s, "GET", "/os-images/ab/image.slx")) {
		*ret_body = make_index(&f->body_len);
		if (shelf->is_index_bad)
			(*ret_body)[200] ^= 1;
		return shelf->index;
	}
	if (fake_is(s, "GET", "/clusters/" CLUSTER)) {
		*ret_body = str_dup("{\"kind\":\"AddHostsCluster\"}");
		return shelf->cluster;
	}
	if (fake_is(s, "PUT", "/progress") &&
	    str_eq(json_str(s->body, "current_stage"), "Rebooting"))
		return shelf->rebooting;
	return 0;
}

static char *install_step(void)
{
	AUTO(json_decrefp)
	json_t *arg = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "boot_device", "/dev/vda", "cluster_id",
		CLUSTER, "controller_image", "r/c:1", "host_id", FAKE_HOST, "infra_env_id", FAKE_IE,
		"installer_image", "r/i:1", "role", "worker", "installer_args",
		"[\"--image-url\",\"http://192.0.2.9/os-images/ab/image.raw.zst\"]");
	AUTO(freep) char *text = json_text(arg, false);
	AUTO(json_decrefp)
	json_t *steps = json_pack("{s:[{s:s, s:s, s:[s]}], s:i}", "instructions", "step_type",
				  "install", "step_id", "install-1", "args", text,
				  "next_instruction_seconds", 1);
	return json_text(steps, false);
}

static int setup(void **state)
{
	int r = rig_setup(state);
	struct net_rig *rig = *state;
	struct shelf *shelf = calloc(1, sizeof(*shelf));

	*shelf = (struct shelf){ .seed = 200,
				 .ignition = 200,
				 .index = 200,
				 .cluster = 200,
				 .rebooting = 200,
				 .steps = install_step() };
	rig->f->ctx = shelf;
	rig->f->answer = answer;
	rig->f->steps = shelf->steps;
	return r;
}

static int teardown(void **state)
{
	struct net_rig *rig = *state;
	struct shelf *shelf = rig->f->ctx;
	int r = rig_teardown(state);

	free(shelf->steps);
	free(shelf);
	return r;
}

static struct net_rig *rig_of(struct fake *f)
{
	return f->rig;
}

static bool is_handed_over(struct fake *f)
{
	return rig_of(f)->installs > 0;
}

static bool is_rebooted(struct fake *f)
{
	return rig_of(f)->reboots > 0 && fake_reply(f, "install", 0);
}

static bool is_replied(struct fake *f)
{
	return fake_reply(f, "install", 0);
}

static bool has_reported(struct fake *f)
{
	return fake_count(f, "PUT", "/progress") >= f->counter;
}

static void start(struct net_rig *r)
{
	struct agent_config config = { .agent_version = str_dup("r/a:1") };

	rig_start(r, &config, FAKE_HOST, FAKE_IE);
	net_begin(&r->net, false);
}

/* The stages and infos in the order in which they came, "stage|info" lines. */
static char *progress_of(const struct fake *f)
{
	struct buf b;
	buf_init(&b, 65536);
	for (size_t i = 0; i < f->n; i++)
		if (fake_is(&f->seen[i], "PUT", "/progress"))
			buf_printf(&b, "%s|%s\n", json_str(f->seen[i].body, "current_stage"),
				   json_str(f->seen[i].body, "progress_info"));
	return buf_take(&b);
}

/* One report, and until the service has seen it when one is due. */
static void report(struct net_rig *r, enum install_phase phase, unsigned percent, bool is_due)
{
	r->f->counter = (unsigned)fake_count(r->f, "PUT", "/progress") + is_due;
	rig_report(r, phase, percent, 0, NULL);
	fake_wait(r->f, 10, has_reported);
}

static void test_good(void **state)
{
	struct net_rig *r = *state;

	start(r);
	fake_wait(r->f, 30, is_handed_over);
	assert_string_equal(r->job.device, "/dev/vda");
	assert_string_equal(r->job.install_id, CLUSTER); /* the seed's */
	assert_string_equal(r->job.step_id, "install-1");
	assert_string_equal(r->job.image_url, "http://192.0.2.9/os-images/ab/image.raw.zst");
	assert_int_equal(r->job.files_n, 4);
	assert_int_equal(r->index_len, SLX_HEADER_SIZE + 2 * SLX_ENTRY_SIZE + 0);
	report(r, INSTALL_CHECK, 0, false);
	report(r, INSTALL_PREPARE, 0, true);
	report(r, INSTALL_WRITE, 0, true);
	report(r, INSTALL_WRITE, 4, false);
	report(r, INSTALL_WRITE, 37, true);
	report(r, INSTALL_VERIFY, 80, true);
	report(r, INSTALL_BOOT, 99, true);
	rig_report(r, INSTALL_DONE, 100, 0, NULL);
	fake_wait(r->f, 10, is_rebooted);

	AUTO(freep) char *progress = progress_of(r->f);
	assert_string_equal(
		progress,
		"Starting installation|worker\nInstalling|worker\nWriting image to disk|0%\nWriting image to disk|37%\n"
		"Writing image to disk|80%\nWaiting for control plane|\nRebooting|\n");
	assert_int_equal(fake_count(r->f, "GET", "/clusters/" CLUSTER), 1);
	const json_t *reply = fake_reply(r->f, "install", 0)->body;
	assert_null(json_object_get(reply, "exit_code"));
	/* the step came with every poll; it was begun once */
	assert_true(fake_polls(r->f) >= 1);
	assert_int_equal(fake_count(r->f, "GET", "/downloads/ignition"), 1);
}

/* The original service knows no seed: nothing of ours goes into the installed system. */
static void test_foreign_service(void **state)
{
	struct net_rig *r = *state;

	((struct shelf *)r->f->ctx)->seed = 404;
	start(r);
	fake_wait(r->f, 30, is_handed_over);
	assert_int_equal(r->job.files_n, 0);
	assert_true(uuid_is_valid(r->job.install_id));
}

static void expect_failure(struct net_rig *r, const char *words)
{
	fake_wait(r->f, 30, is_replied);
	AUTO(freep) char *progress = progress_of(r->f);
	assert_non_null(strstr(progress, "\nFailed|"));
	if (!strstr(progress, words))
		fail_msg("%s", progress);
	assert_int_equal(json_i64(fake_reply(r->f, "install", 0)->body, "exit_code"), 1);
	assert_non_null(strstr(json_str(fake_reply(r->f, "install", 0)->body, "error"), words));
	assert_int_equal(r->reboots, 0);
	r->f->steps = NULL;
}

static void test_refused_ignition(void **state)
{
	struct net_rig *r = *state;

	((struct shelf *)r->f->ctx)->ignition = 409;
	start(r);
	expect_failure(r, "cannot get the host's Ignition config: HTTP 409");
	assert_int_equal(r->installs, 0);
}

static void test_damaged_index(void **state)
{
	struct net_rig *r = *state;

	((struct shelf *)r->f->ctx)->is_index_bad = true;
	start(r);
	expect_failure(r, "cannot get the image's chunk index");
	assert_int_equal(r->installs, 0);
}

static void test_writer_fails(void **state)
{
	struct net_rig *r = *state;

	start(r);
	fake_wait(r->f, 30, is_handed_over);
	rig_report(r, INSTALL_FAILED, 40, -EIO, "write: EIO on vda (S1): replace the disk");
	expect_failure(r, "write: EIO on vda (S1): replace the disk");
}

/* Stopped by the service: it knows already, so nothing is reported as failed. */
static void test_stopped(void **state)
{
	struct net_rig *r = *state;

	start(r);
	fake_wait(r->f, 30, is_handed_over);
	r->f->steps =
		"{\"instructions\":[{\"step_type\":\"stop-installation\",\"step_id\":\"s\",\"args\":[]}],\"next_instruction_seconds\":1}";
	rig_report(r, INSTALL_FAILED, 40, -ECANCELED, "stopped");
	fake_wait(r->f, 30, is_replied);
	AUTO(freep) char *progress = progress_of(r->f);
	assert_null(strstr(progress, "Failed"));
	assert_int_equal(json_i64(fake_reply(r->f, "install", 0)->body, "exit_code"), 1);
}

/* The last report is not taken: five tries, then the machine is rebooted all the same. */
static void test_reboot_without_acknowledgement(void **state)
{
	struct net_rig *r = *state;

	((struct shelf *)r->f->ctx)->rebooting = 503;
	start(r);
	fake_wait(r->f, 30, is_handed_over);
	rig_report(r, INSTALL_DONE, 100, 0, NULL);
	fake_wait(r->f, 60, is_rebooted);
	AUTO(freep) char *progress = progress_of(r->f);
	size_t n = 0;
	for (const char *p = progress; (p = strstr(p, "Rebooting|")); p++)
		n++;
	assert_int_equal(n, REPORT_FINAL_TRIES);
}

/* After a restart: no registration, what the service knows better is not reported again, and a complete disk is only rebooted into. */
static void test_resumed_when_done(void **state)
{
	struct net_rig *r = *state;
	struct agent_config config = { .agent_version = str_dup("r/a:1") };
	AUTO(json_decrefp)
	json_t *job = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:i}", "step_id", "install-9",
				"install_id", CLUSTER, "device", "/dev/vda", "role", "worker",
				"cluster_id", CLUSTER, "image_url", "http://x/a.raw.zst", "is_done",
				1, "percent", 100);
	AUTO(freep) char *text = json_text(job, false);

	r->f->steps = NULL;
	rig_start(r, &config, FAKE_HOST, FAKE_IE);
	assert_int_equal(ipc_send(&r->root, MSG_RESUME, 0, text, strlen(text), -1), 0);
	net_begin(&r->net, true);
	fake_wait(r->f, 30, is_rebooted);
	assert_int_equal(fake_registrations(r->f), 0);
	assert_string_equal(json_str(fake_reply(r->f, "install", 0)->body, "step_id"), "install-9");
}

static void test_resumed_in_the_middle(void **state)
{
	struct net_rig *r = *state;
	struct agent_config config = { .agent_version = str_dup("r/a:1") };
	AUTO(json_decrefp)
	json_t *job = json_pack("{s:s, s:s, s:s, s:s, s:s, s:i}", "step_id", "install-9",
				"install_id", CLUSTER, "device", "/dev/vda", "role", "worker",
				"image_url", "http://x/a.raw.zst", "percent", 40);
	AUTO(freep) char *text = json_text(job, false);
	AUTO(closep) int fd = memfd_create("index", 0);
	size_t len;
	AUTO(freep) char *index = make_index(&len);

	assert_int_equal(fd_write(fd, index, len), 0);
	r->f->steps = NULL;
	rig_start(r, &config, FAKE_HOST, FAKE_IE);
	assert_int_equal(ipc_send(&r->root, MSG_RESUME, 0, text, strlen(text), fd), 0);
	net_begin(&r->net, true);
	r->f->counter = 0;
	report(r, INSTALL_CHECK, 0, false);
	report(r, INSTALL_PREPARE, 0, false);
	report(r, INSTALL_WRITE, 20, false);
	report(r, INSTALL_WRITE, 45, true);
	AUTO(freep) char *progress = progress_of(r->f);
	assert_string_equal(progress, "Writing image to disk|45%\n");
	assert_int_equal(fake_registrations(r->f), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_good),
		CASE(test_foreign_service),
		CASE(test_refused_ignition),
		CASE(test_damaged_index),
		CASE(test_writer_fails),
		CASE(test_stopped),
		CASE(test_reboot_without_acknowledgement),
		CASE(test_resumed_when_done),
		CASE(test_resumed_in_the_middle),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
