#include "unit.h"
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include "common/http_client.h"
#include "common/json_map.h"
#include "common/str.h"
#include "service/daemon.h"

#define WAIT_MS 30000

/* slipwayd in a child process, on free ports of the loopback. */
struct rig {
	char path[64];
	int fd;
	struct service_config config;
	pid_t pid;
	json_t *ready;   /* what it said on the descriptor of --ready-fd */
	char text[4096]; /* its standard error, once it has ended */
	char *ca;
};

static int setup(void **state)
{
	static const char *const proxies[] = { "http_proxy",    "https_proxy", "all_proxy",
					       "HTTPS_PROXY",   "ALL_PROXY",   "NOTIFY_SOCKET",
					       "JOURNAL_STREAM" };
	struct rig *g = calloc(1, sizeof(*g));
	char dir[128];

	for (size_t i = 0; i < ARRAY_SIZE(proxies); i++)
		unsetenv(proxies[i]);
	g->fd = unit_tmp_open(g->path);
	snprintf(dir, sizeof(dir), "%s/state", g->path);
	assert_int_equal(service_config_init(&g->config), 0);
	str_set(&g->config.state_dir, dir);
	str_set(&g->config.https, "127.0.0.1:0");
	str_set(&g->config.http, "127.0.0.1:0");
	*state = g;
	return 0;
}

/* Begins; the descriptor from which the ready line comes. */
static int begin(struct rig *g)
{
	int ready[2], text;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	text = openat(g->fd, "stderr", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	fflush(NULL);
	g->pid = fork();
	if (!g->pid) {
		/* a crash shall end this process and not, by cmocka's handlers, go on with the next test */
		static const int crashes[] = { SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGSYS };
		struct fault err = FAULT_INIT;
		for (size_t i = 0; i < ARRAY_SIZE(crashes); i++)
			signal(crashes[i], SIG_DFL);
		dup2(text, STDERR_FILENO);
		close(ready[0]);
		int r = daemon_run(&g->config, ready[1], &err);
		if (r < 0)
			fprintf(stderr, "%d %s\n", r, fault_text(&err));
		fflush(NULL);
		_exit(r < 0); /* what this process has of its parent is no leak */
	}
	close(text);
	close(ready[1]);
	return ready[0];
}

static void start(struct rig *g)
{
	char line[2048] = "";
	size_t len;
	AUTO(closep) int fd = begin(g);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	while (!strchr(line, '\n') && poll(&p, 1, WAIT_MS) == 1) {
		ssize_t n = read(fd, line + strlen(line), sizeof(line) - 1 - strlen(line));
		if (n <= 0)
			break;
	}
	json_decref(g->ready);
	g->ready = json_loads(line, 0, NULL);
	if (!g->ready)
		fail_msg("it said: \"%s\"", line);
	free(g->ca);
	g->ca = NULL;
	assert_int_equal(
		file_read_at(AT_FDCWD, json_str(g->ready, "ca"), 10000, &g->ca, &len, NULL), 0);
}

/* Its exit status, and its words in g->text. */
static int wait_end(struct rig *g)
{
	int status;
	AUTO(freep) char *text = NULL;

	assert_int_equal(waitpid(g->pid, &status, 0), g->pid);
	g->pid = 0;
	assert_int_equal(file_read_at(g->fd, "stderr", 1 << 20, &text, NULL, NULL), 0);
	str_copy(g->text, sizeof(g->text), text);
	if (!WIFEXITED(status))
		fail_msg("ended by signal %d: %s", WTERMSIG(status), g->text);
	return WEXITSTATUS(status);
}

static int end(struct rig *g, int signal_number)
{
	assert_int_equal(kill(g->pid, signal_number), 0);
	return wait_end(g);
}

static int teardown(void **state)
{
	struct rig *g = *state;

	if (g->pid) {
		kill(g->pid, SIGKILL);
		waitpid(g->pid, NULL, 0);
	}
	json_decref(g->ready);
	free(g->ca);
	service_config_done(&g->config);
	unit_tmp_close(g->fd, g->path);
	free(g);
	return 0;
}

/* @scheme: "https" or "http"; the status. *ret_body (may be NULL): owned by the caller. */
static long get(struct rig *g, const char *scheme, const char *path, const char *header,
		char **ret_body)
{
	AUTO(freep) char *url = str_printf("%s://%s%s", scheme, json_str(g->ready, scheme), path);
	struct http_client_options opt = { .ca_pem = g->ca };
	struct http_request_spec spec = { .url = url,
					  .headers = (const char *const[]){ header, NULL },
					  .total_timeout_ms = WAIT_MS };
	struct http_answer a;
	struct fault err = FAULT_INIT;

	if (http_fetch(&opt, &spec, &a, &err) < 0)
		fail_msg("%s: %s", url, err.text);
	long status = a.status;
	if (ret_body)
		*ret_body = strdup(a.body);
	http_answer_done(&a);
	return status;
}

/* What it says when it is ready is so: addresses, CA, the administrator and his password. */
static void test_ready(void **state)
{
	struct rig *g = *state;
	AUTO(freep) char *password = NULL;
	struct stat st;

	start(g);
	assert_int_equal(strncmp(json_str(g->ready, "https"), "127.0.0.1:", 10), 0);
	assert_string_not_equal(json_str(g->ready, "https"), "127.0.0.1:0");
	assert_string_equal(json_str(g->ready, "admin_user"), "admin");
	const char *file = json_str(g->ready, "admin_password_file");
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(file_read_line_at(AT_FDCWD, file, 200, &password, NULL), 0);

	assert_int_equal(get(g, "https", "/health", NULL, NULL), 200);
	assert_int_equal(get(g, "http", "/health", NULL, NULL), 200);
	static const char pools[] = "/api/assisted-install/v2/infra-envs";
	assert_int_equal(get(g, "https", pools, NULL, NULL), 401);
	assert_int_equal(get(g, "http", pools, NULL, NULL), 404);
	AUTO(freep) char *plain = str_printf("admin:%s", password);
	AUTO(freep) char *basic = base64_encode(plain, strlen(plain));
	AUTO(freep) char *header = str_printf("Authorization: Basic %s", basic);
	assert_int_equal(get(g, "https", pools, header, NULL), 200);

	assert_int_equal(end(g, SIGTERM), 0);
	/* the password is shown to whoever started it, once; the journal would have the file's name only */
	assert_non_null(strstr(g->text, password));
	assert_non_null(strstr(g->text, "serving on https://127.0.0.1:"));
	assert_non_null(strstr(g->text, "ending on signal 15"));
	start(g);
	assert_int_equal(end(g, SIGINT), 0);
	assert_null(strstr(g->text, password));
}

/* The same identity after a restart, also after a kill. */
static void test_restart(void **state)
{
	struct rig *g = *state;
	int status;

	start(g);
	AUTO(freep) char *ca = strdup(g->ca);
	assert_int_equal(kill(g->pid, SIGKILL), 0);
	assert_int_equal(waitpid(g->pid, &status, 0), g->pid);
	g->pid = 0;
	start(g);
	assert_string_equal(g->ca, ca);
	assert_int_equal(get(g, "https", "/ready", NULL, NULL), 200);
	assert_int_equal(end(g, SIGTERM), 0);
}

/* One service for a state folder: the second one says so and the first one goes on. */
static void test_second(void **state)
{
	struct rig *g = *state;

	start(g);
	pid_t first = g->pid;
	close(begin(g));
	assert_int_equal(wait_end(g), 1);
	assert_non_null(strstr(g->text, "another slipwayd is running on this state folder"));
	g->pid = first;
	assert_int_equal(get(g, "https", "/health", NULL, NULL), 200);
	assert_int_equal(end(g, SIGTERM), 0);
}

/* Without the plain listener there is none, and nothing claims one. */
static void test_plain_off(void **state)
{
	struct rig *g = *state;

	str_set(&g->config.http, "off");
	start(g);
	assert_true(json_is_null(json_object_get(g->ready, "http")));
	assert_int_equal(get(g, "https", "/health", NULL, NULL), 200);
	assert_int_equal(end(g, SIGTERM), 0);
	assert_null(strstr(g->text, "http://"));
}

static void test_open_to_all(void **state)
{
	struct rig *g = *state;

	str_set(&g->config.auth, "none");
	start(g);
	assert_int_equal(get(g, "http", "/api/assisted-install/v2/infra-envs", NULL, NULL), 200);
	assert_int_equal(end(g, SIGTERM), 0);
	assert_non_null(strstr(g->text, "WITHOUT any authentication"));
}

/* What cannot be had is said, with a status that is not 0, and nothing waits. */
static void test_cannot_start(void **state)
{
	struct rig *g = *state;
	static const struct {
		const char *https, *http, *store, *says;
	} cases[] = {
		{ "192.0.2.1:0", "off", "sqlite", "192.0.2.1" },
		{ "127.0.0.1:0", "192.0.2.1:0", "sqlite", "192.0.2.1" },
		{ "nonsense", "off", "sqlite", "nonsense" },
		{ "127.0.0.1:0", "off", "oracle", "no store called oracle" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		str_set(&g->config.https, cases[i].https);
		str_set(&g->config.http, cases[i].http);
		str_set(&g->config.store, cases[i].store);
		AUTO(closep) int fd = begin(g);
		char byte;
		assert_int_equal(read(fd, &byte, 1), 0); /* never ready */
		assert_int_equal(wait_end(g), 1);
		if (!strstr(g->text, cases[i].says))
			fail_msg("case %zu: %s", i, g->text);
	}
	/* it can be started afterwards: no lock, no half-made identity is left */
	str_set(&g->config.https, "127.0.0.1:0");
	str_set(&g->config.http, "off");
	str_set(&g->config.store, "sqlite");
	start(g);
	assert_int_equal(end(g, SIGTERM), 0);
}

/* A store that was emptied is refused with its remedy, and so is a file in the folder's place. */
static void test_lost_store(void **state)
{
	struct rig *g = *state;

	start(g);
	assert_int_equal(end(g, SIGTERM), 0);
	AUTO(closep) int db = openat(g->fd, "state/slipway.db", O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_true(db >= 0);
	close(begin(g));
	assert_int_equal(wait_end(g), 1);
	assert_non_null(strstr(g->text, "slipway.db is empty"));
	AUTO(freep) char *file = str_printf("%s/stderr", g->path);
	str_set(&g->config.state_dir, file);
	close(begin(g));
	assert_int_equal(wait_end(g), 1);
	assert_non_null(strstr(g->text, "is there but no folder"));
}

/* systemd hears of the beginning and of the end (sd_notify(3)), by a path or an abstract name. */
static void test_notify(void **state)
{
	struct rig *g = *state;

	for (int abstract = 0; abstract < 2; abstract++) {
		struct sockaddr_un a = { .sun_family = AF_UNIX };
		char text[64];
		AUTO(closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		snprintf(a.sun_path, sizeof(a.sun_path), "%s/notify", g->path);
		if (abstract)
			snprintf(a.sun_path, sizeof(a.sun_path), "@slipway-unit-%d", (int)getpid());
		setenv("NOTIFY_SOCKET", a.sun_path, 1);
		socklen_t len =
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(a.sun_path));
		if (abstract)
			a.sun_path[0] = '\0';
		assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
		start(g);
		ssize_t n = recv(fd, text, sizeof(text), 0);
		assert_int_equal(n, 7);
		assert_memory_equal(text, "READY=1", 7);
		assert_int_equal(end(g, SIGTERM), 0);
		n = recv(fd, text, sizeof(text), MSG_DONTWAIT);
		assert_int_equal(n, 10);
		assert_memory_equal(text, "STOPPING=1", 10);
		unsetenv("NOTIFY_SOCKET");
	}
	/* nobody there: a warning, no more */
	setenv("NOTIFY_SOCKET", "/none/notify", 1);
	start(g);
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(end(g, SIGTERM), 0);
	assert_non_null(strstr(g->text, "cannot tell systemd"));
}

/* The URLs that go into media: as configured, with the real port for 0; what was not said follows from the listener. */
static void test_urls(void **state)
{
	static const struct {
		const char *service_base_url, *image_base_url;
		const char *image; /* the image URL's start, without the port; NULL = the service's */
	} cases[] = {
		{ NULL, NULL, "https://127.0.0.1:" },
		{ "https://localhost:0", NULL, "https://localhost:" },
		{ "https://localhost:0", "http://127.0.0.1:0", "http://127.0.0.1:" },
		{ "https://localhost:0", "https://images.example.com:444",
		  "https://images.example.com:444" },
	};
	struct rig *g = *state;
	static const char pools[] = "/api/assisted-install/v2/infra-envs";

	str_set(&g->config.auth, "none");
	str_set(&g->config.default_version, "4.18");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		str_set(&g->config.service_base_url, cases[i].service_base_url);
		str_set(&g->config.image_base_url, cases[i].image_base_url);
		start(g);
		AUTO(freep)
		char *list_url = str_printf("http://%s%s", json_str(g->ready, "http"), pools);
		static const char body[] =
			"{\"name\":\"p\",\"pull_secret\":\"{\\\"auths\\\":{\\\"r\\\":{\\\"auth\\\":\\\"dTpw\\\"}}}\"}";
		struct http_request_spec spec = {
			.url = list_url,
			.body = body,
			.body_len = strlen(body),
			.headers = (const char *const[]){ "Content-Type: application/json", NULL }
		};
		struct http_answer a;
		assert_int_equal(http_fetch(NULL, &spec, &a, NULL), 0);
		assert_int_equal(a.status, 201);
		AUTO(json_decrefp) json_t *v = json_loads(a.body, 0, NULL);
		http_answer_done(&a);
		const char *url = json_str(v, "download_url");
		if (!url || strncmp(url, cases[i].image, strlen(cases[i].image)) != 0)
			fail_msg("case %zu: %s", i, url ? url : "(none)");
		/* the port is the listener's own */
		if (cases[i].image[strlen(cases[i].image) - 1] == ':') {
			const char *scheme = strncmp(url, "https", 5) ? "http" : "https";
			const char *port = strrchr(json_str(g->ready, scheme), ':') + 1;
			assert_int_equal(strncmp(url + strlen(cases[i].image), port, strlen(port)),
					 0);
		}
		assert_int_equal(end(g, SIGTERM), 0);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_ready),      T(test_restart),     T(test_second),
		T(test_plain_off),  T(test_open_to_all), T(test_cannot_start),
		T(test_lost_store), T(test_notify),      T(test_urls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
