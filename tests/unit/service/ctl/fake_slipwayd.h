#pragma once
/*
 * The other end of the control socket, in a child process: takes one request, notes it, says what it was told to say. Verbs of slipwayctl
 * run against it as from the command line.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fd.h"
#include "common/ipc.h"
#include "common/json_map.h"
#include "common/str.h"
#include "common/wire/ctl.h"
#include "service/ctl/client.h"
#include "tests/unit/capture.h"

struct fake_reply {
	uint16_t type;
	const char *text;
	size_t len; /* 0 = of the text */
};

struct fake {
	char dir[64];
	pid_t pid;
	struct capture text; /* of the last verb */
	struct ctl ctl;
	json_t *request;  /* what came; NULL = nothing */
	char fd_kind[16]; /* of what came with it: "file", "folder", "other", "none" */
};

static inline void fake_path(const struct fake *f, const char *name, char ret[160])
{
	snprintf(ret, 160, "%s/%s", f->dir, name);
}

static inline int fake_listen(const struct fake *f)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s/" CTL_SOCKET_NAME, f->dir);
	(void)unlink(a.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 4) < 0)
		return -1;
	return fd;
}

static inline const char *fake_kind_of(int fd)
{
	struct stat st;

	if (fd < 0)
		return "none";
	if (fstat(fd, &st) < 0)
		return "bad";
	return S_ISREG(st.st_mode) ? "file" : S_ISDIR(st.st_mode) ? "folder" : "other";
}

static inline int fake_serve(const struct fake *f, int listener, const struct fake_reply *replies)
{
	struct ipc ipc;
	struct ipc_msg m;
	char path[160];
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	ipc_init(&ipc, fd, 4 * CTL_MAX);
	if (ipc_recv_timeout(&ipc, &m, 20000) != 1)
		return 1;
	fake_path(f, "request", path);
	AUTO(freep)
	char *note = str_printf("%u %s %s", m.type, fake_kind_of(m.fd), m.data);
	if (file_create_at(AT_FDCWD, path, note, strlen(note), 0600, NULL) < 0)
		return 2;
	/* what a service would write into a file that came open */
	if (m.fd >= 0 && str_eq(fake_kind_of(m.fd), "file"))
		(void)!write(m.fd, "written by the service", 22);
	for (; replies->text; replies++) {
		size_t len = replies->len ? replies->len : strlen(replies->text);
		int r = ipc_send(&ipc, replies->type, 1, replies->text, len, -1);
		if (r == -EPIPE || r == -ECONNRESET) /* it has heard enough */
			break;
		if (r < 0)
			return 3;
	}
	ipc_msg_done(&m);
	ipc_done(&ipc);
	return 0;
}

static inline int fake_setup(void **state)
{
	struct fake *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/slipway-ctl.XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	f->ctl.state_dir = f->dir;
	*state = f;
	return 0;
}

static inline int fake_teardown(void **state)
{
	struct fake *f = *state;

	json_decref(f->request);
	int r = dir_remove_at(AT_FDCWD, f->dir, NULL);
	free(f);
	return r;
}

/* Begins to serve one request. @replies end with .text == NULL. */
static inline void fake_begin(struct fake *f, const struct fake_reply *replies)
{
	char path[160];
	int listener = fake_listen(f);

	assert_true(listener >= 0);
	fake_path(f, "request", path);
	(void)unlink(path);
	fflush(NULL);
	f->pid = fork();
	assert_true(f->pid >= 0);
	if (!f->pid)
		_exit(fake_serve(f, listener, replies));
	close(listener);
}

/* Waits for the child; what came is in f->request then. */
static inline void fake_end(struct fake *f)
{
	char path[160];
	AUTO(freep) char *text = NULL;
	size_t len;
	int status, type, at = 0;

	assert_int_equal(waitpid(f->pid, &status, 0), f->pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	fake_path(f, "request", path);
	assert_int_equal(file_read_at(AT_FDCWD, path, CTL_MAX, &text, &len, NULL), 0);
	assert_int_equal(sscanf(text, "%d %15s %n", &type, f->fd_kind, &at), 2);
	assert_int_equal(type, CTL_REQUEST);
	json_decref(f->request);
	f->request = json_loads(text + at, 0, NULL);
	assert_non_null(f->request);
}

/* Runs "slipwayctl WORD…" with the options that f->ctl already holds. */
static inline int fake_run(struct fake *f, const struct verb *verb, const char *const *words)
{
	const struct verb *const verbs[] = { verb, NULL };
	const struct program program = { .name = "slipwayctl", .summary = "x", .verbs = verbs };
	struct ctl ctl = f->ctl;
	char name[64], *argv[16] = { (char *)"slipwayctl" };
	int argc = 1;

	str_copy(name, sizeof(name), verb->name);
	for (char *save = NULL, *word = strtok_r(name, " ", &save); word;
	     word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	for (; *words && argc < 15; words++)
		argv[argc++] = (char *)*words;
	capture_begin(&f->text);
	int status = program_main(&program, &ctl, argc, argv);
	capture_end(&f->text);
	return status;
}

/* A whole run against the result @result; the exit status. */
static inline int fake_verb(struct fake *f, const char *result, const struct verb *verb,
			    const char *const *words)
{
	const struct fake_reply replies[] = { { CTL_RESULT, result, 0 }, { 0, NULL, 0 } };

	fake_begin(f, replies);
	int status = fake_run(f, verb, words);
	fake_end(f);
	return status;
}

#define FAKE_VERB(f, result, verb, ...) \
	fake_verb(f, result, verb, (const char *const[]){ __VA_ARGS__ __VA_OPT__(, ) NULL })
#define FAKE_RUN(f, verb, ...) \
	fake_run(f, verb, (const char *const[]){ __VA_ARGS__ __VA_OPT__(, ) NULL })

/* The request was exactly this: the verb, and its arguments as JSON. */
static inline void fake_asked(const struct fake *f, const char *verb, const char *args)
{
	json_t *want = json_loads(args, 0, NULL);

	assert_non_null(want);
	assert_string_equal(json_str(f->request, "verb"), verb);
	if (!json_equal(json_object_get(f->request, "args"), want)) {
		char *have = json_dumps(f->request, JSON_COMPACT);
		fail_msg("asked %s instead of %s", have, args);
	}
	json_decref(want);
}

#define FAKE_TEST(fn) cmocka_unit_test_setup_teardown(fn, fake_setup, fake_teardown)
