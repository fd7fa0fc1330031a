#include "service/ctl/client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "common/cleanup.h"
#include "common/ipc.h"
#include "common/json_map.h"
#include "common/progress.h"
#include "common/str.h"
#include "common/wire/ctl.h"

static void ipc_donep(struct ipc *c)
{
	ipc_done(c);
}

/* By the open folder: its path may be longer than a socket address holds. */
static int connect_socket(const struct ctl *ctl, int *ret, struct fault *err)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	AUTO(closep) int dir = open(ctl->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return fault_set(err, -errno, "cannot open the state folder %s: %s", ctl->state_dir,
				 strerror(errno));
	AUTO(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fault_set(err, -errno, "cannot make a socket: %s", strerror(errno));
	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/" CTL_SOCKET_NAME, dir);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return fault_set(err, -errno, "cannot talk to slipwayd in %s (%s): is it running?",
				 ctl->state_dir, strerror(errno));
	*ret = TAKE_FD(fd);
	return 0;
}

static int send_request(struct ipc *ipc, const char *verb, json_t *args, int fd, struct fault *err)
{
	AUTO(json_decrefp)
	json_t *request =
		json_pack("{s:s, s:o}", "verb", verb, "args", args ? args : json_object());
	AUTO(freep) char *text = request ? json_text(request, false) : NULL;
	if (!text)
		return fault_oom(err);
	int r = ipc_send(ipc, CTL_REQUEST, 1, text, strlen(text), fd);
	return r < 0 ? fault_set(err, r, "cannot send the request: %s", strerror(-r)) : 0;
}

/* A bar for a person, a line per change for a log. */
static void show_progress(const json_t *v, char last[128])
{
	const char *step = json_str(v, "step");
	unsigned percent = (unsigned)json_i64(v, "percent");
	char text[128];

	if (isatty(STDERR_FILENO)) {
		progress_sink_bar(NULL, percent, step ? step : "", percent, 100);
		return;
	}
	snprintf(text, sizeof(text), "%s: %u %%", step ? step : "", percent / 10 * 10);
	if (strcmp(text, last) != 0)
		fprintf(stderr, "%s\n", text);
	str_copy(last, 128, text);
}

static int take_result(json_t *v, json_t **ret, struct fault *err)
{
	const char *error = json_str(v, "error");

	if (!json_flag(v, "ok"))
		return fault_set(err, -EIO, "%s", error ? error : "the service gave no reason");
	*ret = json_incref(v);
	return 0;
}

static int receive_one(struct ipc *ipc, struct ipc_msg *m, struct fault *err)
{
	int r = ipc_recv(ipc, m);

	if (r == 0)
		return fault_set(err, -ECONNRESET, "slipwayd ended the connection");
	return r < 0 ? fault_set(err, r, "cannot read the answer: %s", strerror(-r)) : 0;
}

static int wait_for_result(struct ipc *ipc, json_t **ret, struct fault *err)
{
	char last[128] = "";

	for (;;) {
		struct ipc_msg m;
		int r = receive_one(ipc, &m, err);
		if (r < 0)
			return r;
		AUTO(json_decrefp) json_t *v = json_parse(m.data, m.len, CTL_MAX, false, err);
		uint16_t type = m.type;
		ipc_msg_done(&m);
		if (!v)
			return -EPROTO;
		if (type == CTL_RESULT)
			return take_result(v, ret, err);
		if (type == CTL_PROGRESS)
			show_progress(v, last);
	}
}

int ctl_request(const struct ctl *ctl, const char *verb, json_t *args, int fd, json_t **ret,
		struct fault *err)
{
	AUTO(json_decrefp) json_t *owned = args;
	int sock = -1;
	int r = connect_socket(ctl, &sock, err);
	if (r < 0)
		return r;
	AUTO(ipc_donep) struct ipc ipc;
	ipc_init(&ipc, sock, CTL_MAX);
	r = send_request(&ipc, verb, TAKE(owned), fd, err);
	return r < 0 ? r : wait_for_result(&ipc, ret, err);
}

int ctl_fail(const struct fault *err)
{
	fprintf(stderr, "slipwayctl: %s\n", fault_text(err));
	return EXIT_FAILED;
}

void ctl_print_json(const json_t *v)
{
	json_dumpf(v, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
	putchar('\n');
}

int ctl_simple(const struct ctl *ctl, const char *verb, json_t *args, int fd)
{
	struct fault err = FAULT_INIT;
	AUTO(json_decrefp) json_t *result = NULL;

	if (ctl_request(ctl, verb, args, fd, &result, &err) < 0)
		return ctl_fail(&err);
	if (ctl->json)
		ctl_print_json(result);
	return EXIT_DONE;
}

int ctl_set_json(void *ctx, const char *value, struct fault *err)
{
	((struct ctl *)ctx)->json = true;
	return 0;
}
