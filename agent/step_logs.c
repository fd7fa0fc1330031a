/*
 * logs-gather: the root process collects, this one uploads (assisted-v2 §3.6, §5.9): logs-progress requested, collecting, the archive as multipart part
 * "upfile", completed.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "agent/logs.h"
#include "agent/step.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/log.h"

#define TURN_UPLOAD 3
#define UPLOAD_TIMEOUT_MS \
	(30 * 60 * 1000) /* 16 MiB at 9 KiB/s; one that stands still ends sooner */

struct gather {
	struct step_run *run;
	char *cluster_id;
	struct http_call *call;
	struct buf body;
	char boundary[UUID_LEN + 1];
	size_t turn;
};

static void next(struct gather *g);

static void end(struct gather *g, const char *error)
{
	struct step_run *run = g->run;

	buf_done(&g->body);
	free(g->cluster_id);
	free(g);
	step_finish(run, error ? STEP_EXIT_FAILED : STEP_EXIT_OK, NULL, error);
}

static int make_body(struct gather *g, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || st.st_size <= 0 || st.st_size > (off_t)LOGS_ARCHIVE_MAX)
		return -EFBIG;
	uuid_random(g->boundary);
	buf_init(&g->body, (size_t)st.st_size + 1024);
	int r = buf_printf(
		&g->body,
		"--%s\r\nContent-Disposition: form-data; name=\"upfile\"; filename=\"logs.tar.gz\"\r\n"
		"Content-Type: application/octet-stream\r\n\r\n",
		g->boundary);
	if (!r)
		r = buf_reserve(&g->body, (size_t)st.st_size);
	if (r < 0)
		return r;
	ssize_t n = fd_pread(fd, g->body.data + g->body.len, (size_t)st.st_size, 0);
	if (n != st.st_size)
		return -EIO;
	g->body.len += (size_t)n;
	return buf_printf(&g->body, "\r\n--%s--\r\n", g->boundary);
}

static void on_logs(void *ctx, int code, const char *output, const char *error, int fd)
{
	struct gather *g = ctx;
	AUTO(closep) int owned = fd;

	if (code < 0 || fd < 0) {
		end(g, error ? error : "there are no logs");
		return;
	}
	if (make_body(g, owned) < 0)
		end(g, "the logs cannot be read");
	else
		next(g);
}

static void on_answer(void *ctx, const struct http_answer *a)
{
	struct gather *g = ctx;
	char why[256];

	g->call = NULL;
	/* Only the upload counts; the progress of logs is a note for people. */
	if (a->code || a->status >= 300) {
		const char *text = session_reason(a, why, sizeof(why));
		log_info("step=%s %s", g->run->step_id, text);
		if (g->turn == TURN_UPLOAD + 1) {
			end(g, text);
			return;
		}
	}
	next(g);
}

static void send_progress(struct gather *g, const char *state)
{
	char body[64];
	struct fault err = FAULT_INIT;
	struct net *n = g->run->net;

	snprintf(body, sizeof(body), "{\"logs_state\":\"%s\"}", state);
	struct session_call call = {
		.method = "PUT",
		.url = session_host_url(&n->session, "logs-progress"),
		.body = body,
		.done = on_answer,
		.ctx = g,
	};
	if (session_start(&n->session, n->http, &call, &g->call, &err) < 0)
		end(g, fault_text(&err));
}

static void upload(struct gather *g)
{
	struct net *n = g->run->net;
	struct fault err = FAULT_INIT;
	AUTO(freep)
	char *path = str_printf("clusters/%s/logs?logs_type=host&host_id=%s&infra_env_id=%s",
				g->cluster_id, n->session.host_id, n->config.infra_env_id);
	AUTO(freep) char *type = str_printf("multipart/form-data; boundary=%s", g->boundary);
	struct session_call call = {
		.method = "POST",
		.url = path ? session_url(&n->session, path) : NULL,
		.body = g->body.data,
		.body_len = g->body.len,
		.content_type = type,
		.timeout_ms = UPLOAD_TIMEOUT_MS,
		.done = on_answer,
		.ctx = g,
	};
	if (!type || session_start(&n->session, n->http, &call, &g->call, &err) < 0)
		end(g, type ? fault_text(&err) : "out of memory");
}

static void next(struct gather *g)
{
	switch (g->turn++) {
	case 0:
		send_progress(g, "requested");
		break;
	case 1:
		net_ask(g->run->net, MSG_ASK_LOGS, on_logs, g);
		break;
	case 2:
		send_progress(g, "collecting");
		break;
	case TURN_UPLOAD:
		upload(g);
		break;
	case TURN_UPLOAD + 1:
		send_progress(g, "completed");
		break;
	default:
		end(g, NULL);
	}
}

static void start(struct step_run *run, const struct json_strs *args)
{
	AUTO(json_decrefp) json_t *arg = step_json_arg(run, args);
	if (!arg)
		return;
	const char *cluster = json_str(arg, "cluster_id");
	if (!cluster || !uuid_is_valid(cluster)) {
		step_finish(run, STEP_EXIT_BAD_ARGS, NULL, "logs-gather: cluster_id is no UUID");
		return;
	}
	struct gather *g = calloc(1, sizeof(*g));
	if (g)
		g->cluster_id = str_dup(cluster);
	if (!g || !g->cluster_id) {
		free(g);
		step_finish(run, STEP_EXIT_FAILED, NULL, "out of memory");
		return;
	}
	g->run = run;
	next(g);
}

const struct step_ops step_logs = { .type = STEP_LOGS_GATHER, .start = start };
