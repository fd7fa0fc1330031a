/*
 * load URL: requests over many keep-alive connections, plain or TLS, as fast as answers come or at an interval; prints one JSON
 * object. It does little per request, so that it can share the cores with what it measures.
 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/mbedtls_compat.h"
#include "common/str.h"
#include "common/verb.h"

#define SAMPLES_MAX (1u << 21)
#define REPLY_MAX (64u << 10) /* head and first part of the body that must fit */
#define HEADERS_MAX 16
#define CONNECTIONS_MAX 60000
#define OPENING_MAX 64 /* at once: a burst would overflow the listen queue */

enum state { OPENING, SHAKING, IDLE, WAITING };

struct load;

struct conn {
	struct load *load;
	int fd;
	enum state state;
	bool has_session;
	mbedtls_ssl_context *ssl; /* NULL = plain */
	struct event *ev, *timer;
	int64_t sent_us;
	size_t head_len; /* bytes of the reply's head in @head */
	uint64_t body_left;
	bool in_body;
	char head[2048];
};

struct load {
	/* options */
	uint64_t connections, seconds, interval_ms;
	const char *headers[HEADERS_MAX];
	size_t n_headers;
	/* target */
	char *host, *port, *request;
	bool is_tls;
	struct addrinfo *address;
	mbedtls_ssl_config config;
	/* run */
	struct event_base *base;
	struct conn *conns;
	uint64_t n_started, n_open;
	bool is_measuring, is_over;
	int64_t begin_us, end_us;
	uint64_t done, bad, errors;
	uint32_t *samples; /* microseconds */
	size_t n_samples;
};

static int64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void conn_open_next(struct load *l);
static void conn_request(struct conn *c);

static void conn_failed(struct conn *c)
{
	struct load *l = c->load;
	if (!l->is_over && l->errors++ < 3)
		fprintf(stderr, "load: connection failed: %s\n", strerror(errno));
	if (c->ev)
		event_free(c->ev);
	c->ev = NULL;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	if (c->state <= SHAKING)
		conn_open_next(l);
}

static long conn_read(struct conn *c, char *data, size_t size)
{
	if (!c->ssl)
		return recv(c->fd, data, size, 0);
	int n = mbedtls_ssl_read(c->ssl, (unsigned char *)data, size);
	if (n == MBEDTLS_ERR_SSL_WANT_READ || n == MBEDTLS_ERR_SSL_WANT_WRITE) {
		errno = EAGAIN;
		return -1;
	}
	if (n < 0)
		errno = EPROTO;
	return n < 0 ? -1 : n;
}

static long conn_write(struct conn *c, const char *data, size_t len)
{
	return c->ssl ? mbedtls_ssl_write(c->ssl, (const unsigned char *)data, len)
		      : send(c->fd, data, len, MSG_NOSIGNAL);
}

static void conn_replied(struct conn *c)
{
	struct load *l = c->load;
	int64_t now = now_us();
	c->state = IDLE;
	if (strncmp(c->head, "HTTP/1.1 2", 10) != 0)
		l->bad++;
	if (l->is_measuring) {
		l->done++;
		if (l->n_samples < SAMPLES_MAX)
			l->samples[l->n_samples++] = (uint32_t)(now - c->sent_us);
	}
	c->head_len = 0;
	c->in_body = false;
	if (!l->interval_ms && !l->is_over)
		conn_request(c);
}

/* Feeds @len bytes of a reply; true when they were all right. */
static bool conn_feed(struct conn *c, const char *data, size_t len)
{
	while (len) {
		if (c->state != WAITING)
			return false;
		if (c->in_body) {
			uint64_t n = MIN_OF(len, c->body_left);
			c->body_left -= n;
			data += n;
			len -= n;
		} else {
			c->head[c->head_len++] = *data++;
			len--;
			c->head[c->head_len] = '\0';
			if (c->head_len + 1 == sizeof(c->head))
				return false;
			if (c->head_len < 4 ||
			    memcmp(c->head + c->head_len - 4, "\r\n\r\n", 4) != 0)
				continue;
			const char *cl = strcasestr(c->head, "\r\nContent-Length:");
			c->body_left = cl ? strtoull(cl + 17, NULL, 10) : 0;
			c->in_body = true;
		}
		if (c->in_body && !c->body_left)
			conn_replied(c);
	}
	return true;
}

static void conn_request(struct conn *c)
{
	size_t len = strlen(c->load->request);
	c->sent_us = now_us();
	c->state = WAITING;
	if (conn_write(c, c->load->request, len) != (long)len)
		conn_failed(c);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct conn *c = ctx;
	if (c->fd >= 0 && c->state == IDLE && !c->load->is_over)
		conn_request(c);
}

/* The first request of a connection, at its own place in the interval. */
static void on_first(evutil_socket_t fd, short what, void *ctx)
{
	struct conn *c = ctx;
	uint64_t ms = c->load->interval_ms;
	struct timeval every = { .tv_sec = (time_t)(ms / 1000),
				 .tv_usec = (suseconds_t)(ms % 1000 * 1000) };
	c->timer = event_new(c->load->base, -1, EV_PERSIST, on_timer, c);
	event_add(c->timer, &every);
	on_timer(fd, what, ctx);
}

/* All connections stand: the measurement begins. */
static void begin(struct load *l)
{
	l->is_measuring = true;
	l->begin_us = now_us();
	struct timeval tv = { .tv_sec = (time_t)l->seconds };
	event_base_loopexit(l->base, &tv);
	for (uint64_t i = 0; i < l->connections; i++) {
		struct conn *c = &l->conns[i];
		if (c->fd < 0)
			continue;
		if (!l->interval_ms) {
			conn_request(c);
			continue;
		}
		uint64_t first_us = l->interval_ms * 1000 * i / l->connections;
		struct timeval first = { .tv_sec = (time_t)(first_us / 1000000),
					 .tv_usec = (suseconds_t)(first_us % 1000000) };
		event_base_once(l->base, -1, EV_TIMEOUT, on_first, c, &first);
	}
}

static void conn_is_open(struct conn *c)
{
	struct load *l = c->load;
	c->state = IDLE;
	l->n_open++;
	conn_open_next(l);
}

static void on_event(evutil_socket_t fd, short what, void *ctx)
{
	struct conn *c = ctx;
	static char data[REPLY_MAX];
	if (c->state == OPENING) {
		int error = 0;
		socklen_t len = sizeof(error);
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
		errno = error;
		if (error) {
			conn_failed(c);
			return;
		}
		event_free(c->ev);
		c->ev = event_new(c->load->base, fd, EV_READ | EV_PERSIST, on_event, c);
		event_add(c->ev, NULL);
		c->state = SHAKING;
		if (!c->ssl) {
			conn_is_open(c);
			return;
		}
	}
	if (c->state == SHAKING) {
		int r = mbedtls_ssl_handshake(c->ssl);
		if (r == MBEDTLS_ERR_SSL_WANT_READ || r == MBEDTLS_ERR_SSL_WANT_WRITE)
			return;
		if (r)
			conn_failed(c);
		else
			conn_is_open(c);
		return;
	}
	for (;;) {
		long n = conn_read(c, data, sizeof(data));
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0 || !conn_feed(c, data, (size_t)n)) {
			conn_failed(c);
			return;
		}
		if (!c->ssl)
			return;
	}
}

static void conn_open_next(struct load *l)
{
	if (l->n_started == l->connections) {
		if (!l->is_measuring && l->n_open + l->errors >= l->connections)
			begin(l);
		return;
	}
	struct conn *c = &l->conns[l->n_started++];
	int on = 1;
	c->load = l;
	c->fd = socket(l->address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0) {
		conn_failed(c);
		return;
	}
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (l->is_tls) {
		c->ssl = malloc(sizeof(*c->ssl));
		if (!c->ssl)
			abort();
		mbedtls_ssl_init(c->ssl);
		if (mbedtls_ssl_setup(c->ssl, &l->config))
			abort();
		/* The descriptor is the first member of mbedtls_net_context. */
		mbedtls_ssl_set_bio(c->ssl, &c->fd, mbedtls_net_send, mbedtls_net_recv, NULL);
	}
	c->ev = event_new(l->base, c->fd, EV_WRITE, on_event, c);
	event_add(c->ev, NULL);
	if (connect(c->fd, l->address->ai_addr, l->address->ai_addrlen) && errno != EINPROGRESS)
		conn_failed(c);
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static void report(struct load *l)
{
	double seconds = (double)(l->end_us - l->begin_us) / 1e6;
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	double cpu = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
		     (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
	size_t n = l->n_samples;
	qsort(l->samples, n, sizeof(*l->samples), compare);
	printf("{\"connections\":%llu,\"seconds\":%.3f,\"requests\":%llu,\"per_second\":%.1f,\"not_2xx\":%llu,\"errors\":%llu,"
	       "\"p50_us\":%u,\"p99_us\":%u,\"max_us\":%u,\"own_cpu_seconds\":%.2f}\n",
	       (unsigned long long)l->n_open, seconds, (unsigned long long)l->done,
	       (double)l->done / seconds, (unsigned long long)l->bad, (unsigned long long)l->errors,
	       n ? l->samples[n / 2] : 0, n ? l->samples[n * 99 / 100] : 0,
	       n ? l->samples[n - 1] : 0, cpu);
}

static int url_split(struct load *l, const char *url)
{
	l->is_tls = str_starts(url, "https://");
	if (!l->is_tls && !str_starts(url, "http://"))
		return -EINVAL;
	const char *host = strstr(url, "://") + 3, *path = host + strcspn(host, "/");
	const char *colon = memrchr(host, ':', (size_t)(path - host));
	bool is_v6 = *host == '[';
	if (!colon || (is_v6 && colon[-1] != ']'))
		return -EINVAL;
	l->host = is_v6 ? strndup(host + 1, (size_t)(colon - host - 2))
			: strndup(host, (size_t)(colon - host));
	l->port = strndup(colon + 1, (size_t)(path - colon - 1));
	AUTO(freep) char *extra = strdup("");
	for (size_t i = 0; i < l->n_headers; i++) {
		char *more = str_printf("%s%s\r\n", extra, l->headers[i]);
		free(extra);
		extra = more;
	}
	l->request = str_printf("GET %s HTTP/1.1\r\nHost: %s:%s\r\n%s\r\n", *path ? path : "/",
				l->host, l->port, extra);
	return l->request ? 0 : -ENOMEM;
}

static int prepare(struct load *l, const char *url)
{
	struct rlimit files;
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (url_split(l, url)) {
		fprintf(stderr, "load: the URL must be http[s]://HOST:PORT/PATH\n");
		return -EINVAL;
	}
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	int r = getaddrinfo(l->host, l->port, &hints, &l->address);
	if (r) {
		fprintf(stderr, "load: %s: %s\n", l->host, gai_strerror(r));
		return -EINVAL;
	}
	/* A load generator, not a client: certificates are not looked at. */
	mbedtls_ssl_config_init(&l->config);
	r = mbedtls_ssl_config_defaults(&l->config, MBEDTLS_SSL_IS_CLIENT,
					MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
	mbedtls_ssl_conf_authmode(&l->config, MBEDTLS_SSL_VERIFY_NONE);
	mbedtls_ssl_conf_rng(&l->config, mbed_random, NULL);
	l->base = event_base_new();
	l->conns = calloc(l->connections, sizeof(*l->conns));
	l->samples = calloc(SAMPLES_MAX, sizeof(*l->samples));
	return !r && l->base && l->conns && l->samples ? 0 : -ENOMEM;
}

static int run(void *ctx, int argc, char **argv)
{
	struct load *l = ctx;
	if (prepare(l, argv[0]))
		return EXIT_FAILED;
	for (uint64_t i = 0; i < OPENING_MAX; i++)
		conn_open_next(l);
	event_base_dispatch(l->base);
	l->end_us = now_us();
	l->is_over = true;
	report(l);
	return l->bad || l->errors || !l->done ? EXIT_FAILED : EXIT_DONE;
}

static int set_connections(void *ctx, const char *value, struct fault *err)
{
	struct load *l = ctx;
	if (str_to_u64(value, &l->connections) || !l->connections ||
	    l->connections > CONNECTIONS_MAX)
		return fault_set(err, -EINVAL, "1 to %d connections", CONNECTIONS_MAX);
	return 0;
}

static int set_seconds(void *ctx, const char *value, struct fault *err)
{
	struct load *l = ctx;
	return str_to_u64(value, &l->seconds) || !l->seconds
		       ? fault_set(err, -EINVAL, "a number of seconds")
		       : 0;
}

static int set_interval(void *ctx, const char *value, struct fault *err)
{
	struct load *l = ctx;
	return str_to_ms(value, &l->interval_ms)
		       ? fault_set(err, -EINVAL, "a time like 500ms or 60s")
		       : 0;
}

static int add_header(void *ctx, const char *value, struct fault *err)
{
	struct load *l = ctx;
	if (l->n_headers == HEADERS_MAX)
		return fault_set(err, -EINVAL, "at most %d headers", HEADERS_MAX);
	l->headers[l->n_headers++] = value;
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option_spec options[] = {
		{ "connections", 'c', "N", "keep-alive connections (default 32)", set_connections },
		{ "seconds", 's', "N", "length of the measurement (default 5)", set_seconds },
		{ "interval", 'i', "TIME",
		  "each connection asks once per TIME (default: at once again)", set_interval },
		{ "header", 'H', "LINE", "one more request header", add_header },
		{ 0 },
	};
	static const struct program program = {
		.name = "load",
		.summary =
			"Request a URL over many keep-alive connections and print figures as JSON.",
		.options = options,
		.args = "URL",
		.min_operands = 1,
		.max_operands = 1,
		.run = run,
	};
	struct load l = { .connections = 32, .seconds = 5 };
	return program_main(&program, &l, argc, argv);
}
