/*
 * ntp-synchronizer: which of these time servers answer? A discovery system runs no chrony; each source is asked once by SNTP, all at the same time,
 * and is "synced" when it gives a usable time, else "unreachable". The first good answer also sets a clock that nobody else looks after.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <event2/dns.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "agent/sntp.h"
#include "agent/step.h"
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/log.h"
#include "common/pki.h"
#include "common/str.h"

#define SOURCES_MAX 16
#define SOURCE_LEN_MAX 254
#define WAIT_MS 4000 /* names and answers together: 2 s for a server, 2 s for its name */
#define NTP_PORT "123"
#define DHCP_PATH \
	"/run/slipway/dhcp-ntp" /* option 42 of the leases, one address per line: written by the discovery system */
#define DHCP_MAX 4096

struct sync;
struct source {
	struct sync *all;
	char *name;
	struct evdns_getaddrinfo_request *request;
	int fd;
	struct event *readable;
	uint64_t cookie;
	int64_t sent_us;
	bool has_answered, is_settled;
};

struct sync {
	struct step_run *run;
	struct evdns_base *dns;
	struct event *deadline;
	struct source sources[SOURCES_MAX];
	size_t n, waiting;
};

static void sync_free(struct sync *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++) {
		if (s->sources[i].readable)
			event_free(s->sources[i].readable);
		closep(&s->sources[i].fd);
		free(s->sources[i].name);
	}
	if (s->deadline)
		event_free(s->deadline);
	if (s->dns)
		evdns_base_free(s->dns, 0);
	free(s);
}

static void sync_freep(struct sync **s)
{
	sync_free(*s);
}

static json_t *reply_of(const struct sync *s)
{
	AUTO(json_decrefp) json_t *list = json_array();
	for (size_t i = 0; i < s->n; i++) {
		const struct source *src = &s->sources[i];
		json_array_append_new(
			list, json_pack("{s:s, s:s}", "source_name", src->name, "source_state",
					src->has_answered ? "synced" : "unreachable"));
	}
	return json_pack("{s:O}", "ntp_sources", list);
}

static void on_end(evutil_socket_t fd, short what, void *ctx)
{
	AUTO(sync_freep) struct sync *s = ctx;
	AUTO(json_decrefp) json_t *reply = reply_of(s);
	AUTO(freep) char *output = reply ? json_text(reply, true) : NULL;

	step_finish(s->run, output ? STEP_EXIT_OK : STEP_EXIT_FAILED, output,
		    output ? NULL : "out of memory");
}

static void end(struct sync *s)
{
	const struct timeval now = { 0 };
	if (event_base_once(s->run->net->base, -1, EV_TIMEOUT, on_end, s, &now) < 0)
		abort(); /* only out of memory: the process is started again */
}

static void settle(struct source *src)
{
	if (src->is_settled)
		return;
	src->is_settled = true;
	if (--src->all->waiting == 0)
		end(src->all);
}

static void on_deadline(evutil_socket_t fd, short what, void *ctx)
{
	struct sync *s = ctx;
	/* Cancelling calls on_resolved() a turn later, which settles the source: nothing is freed before that. */
	for (size_t i = 0; i < s->n; i++) {
		if (s->sources[i].request)
			evdns_getaddrinfo_cancel(s->sources[i].request);
		else
			settle(&s->sources[i]);
	}
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct source *src = ctx;
	struct fault err = FAULT_INIT;
	uint8_t data[SNTP_LEN * 2];
	int64_t offset_us;

	ssize_t n = recv(fd, data, sizeof(data), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	int r = n < 0 ? fault_set(&err, -errno, "%s", strerror(errno))
		      : sntp_answer(data, (size_t)n, src->cookie, src->sent_us, time_now_us(),
				    &offset_us, &err);
	if (r < 0) {
		log_debug("time server %s: %s", src->name, fault_text(&err));
		if (n < 0)
			settle(src);
		return;
	}
	src->has_answered = true;
	net_send_json(src->all->run->net, MSG_CLOCK,
		      json_pack("{s:I}", "offset_us", (json_int_t)offset_us), -1);
	settle(src);
}

static int ask(struct source *src, const struct sockaddr *address, socklen_t len)
{
	uint8_t query[SNTP_LEN];

	src->fd = socket(address->sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (src->fd < 0 || connect(src->fd, address, len) < 0)
		return -errno;
	src->readable = event_new(src->all->run->net->base, src->fd, EV_READ | EV_PERSIST,
				  on_readable, src);
	if (!src->readable)
		return -ENOMEM;
	event_add(src->readable, NULL);
	random_bytes(&src->cookie, sizeof(src->cookie));
	sntp_query(src->cookie, query);
	src->sent_us = time_now_us();
	return send(src->fd, query, sizeof(query), 0) == sizeof(query) ? 0 : -EIO;
}

static void on_resolved(int result, struct evutil_addrinfo *list, void *ctx)
{
	struct source *src = ctx;

	src->request = NULL;
	if (!list || ask(src, list->ai_addr, (socklen_t)list->ai_addrlen) < 0)
		settle(src);
	if (list)
		evutil_freeaddrinfo(list);
}

/* Comma-separated names and addresses; the same one twice is asked once. */
static int add_sources(struct sync *s, const char *text)
{
	AUTO(freep) char *copy = str_dup(text);
	char *rest = copy;

	if (text && !copy)
		return -ENOMEM;
	for (char *word; (word = strsep(&rest, ","));) {
		word = str_trim(word);
		bool is_known = false;
		for (size_t i = 0; i < s->n; i++)
			is_known |= !strcmp(s->sources[i].name, word);
		if (!*word || is_known)
			continue;
		if (s->n == SOURCES_MAX || strlen(word) > SOURCE_LEN_MAX || !str_is_text(word) ||
		    strpbrk(word, " \t\r\n"))
			return -EINVAL;
		s->sources[s->n] = (struct source){ .all = s, .fd = -1, .name = str_dup(word) };
		if (!s->sources[s->n].name)
			return -ENOMEM;
		s->n++;
	}
	return 0;
}

/* Whatever a DHCP server said: from the first word on that cannot be used it is left out, and is no fault of the instruction. */
static void add_dhcp(struct sync *s, const char *path)
{
	AUTO(freep) char *text = NULL;
	size_t len;

	if (file_read_at(AT_FDCWD, path ? path : DHCP_PATH, DHCP_MAX, &text, &len, NULL) < 0)
		return;
	for (char *p = text; *p; p++)
		if (*p == '\n')
			*p = ',';
	if (add_sources(s, text) < 0)
		log_debug("not all time servers of the lease are asked");
}

static void ask_all(struct sync *s)
{
	const struct evutil_addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM };
	uint64_t ms = s->run->net->step_wait_ms ? s->run->net->step_wait_ms : WAIT_MS;
	const struct timeval wait = { .tv_sec = (time_t)(ms / 1000),
				      .tv_usec = (suseconds_t)(ms % 1000 * 1000) };

	evtimer_add(s->deadline, &wait);
	s->waiting = s->n + 1; /* one for this function: answers may come before it returns */
	for (size_t i = 0; i < s->n; i++) {
		/* host:port is for servers on another port, as in tests and behind port forwarding */
		struct source *src = &s->sources[i];
		struct sockaddr_storage ss;
		int len = sizeof(ss);
		if (strrchr(src->name, ':') &&
		    !evutil_parse_sockaddr_port(src->name, (struct sockaddr *)&ss, &len) &&
		    ((struct sockaddr_in *)&ss)->sin_port) {
			if (ask(src, (struct sockaddr *)&ss, (socklen_t)len) < 0)
				settle(src);
			continue;
		}
		struct evdns_getaddrinfo_request *request =
			evdns_getaddrinfo(s->dns, src->name, NTP_PORT, &hints, on_resolved, src);
		if (request)
			src->request = request;
	}
	if (--s->waiting == 0)
		end(s);
}

static void start(struct step_run *run, const struct json_strs *args)
{
	AUTO(json_decrefp) json_t *arg = step_json_arg(run, args);
	if (!arg)
		return;
	AUTO(sync_freep) struct sync *s = calloc(1, sizeof(*s));
	if (!s || add_sources(s, json_str(arg, "ntp_source")) < 0 ||
	    add_sources(s, run->net->config.ntp_sources) < 0) {
		step_finish(run, STEP_EXIT_BAD_ARGS, NULL,
			    "ntp-synchronizer: \"ntp_source\" cannot be used");
		return;
	}
	add_dhcp(s, run->net->dhcp_ntp);
	s->run = run;
	s->dns = evdns_base_new(run->net->base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	s->deadline = evtimer_new(run->net->base, on_deadline, s);
	if (!s->dns || !s->deadline) {
		step_finish(run, STEP_EXIT_FAILED, NULL, "out of memory");
		return;
	}
	const char *resolv_conf = run->net->resolv_conf;
	(void)evdns_base_resolv_conf_parse(s->dns, DNS_OPTIONS_ALL,
					   resolv_conf ? resolv_conf : "/etc/resolv.conf");
	ask_all(s);
	s = NULL;
}

const struct step_ops step_ntp = { .type = STEP_NTP_SYNCHRONIZER, .start = start };
