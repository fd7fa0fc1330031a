/*
 * register URL FILE: many hosts register and report the inventory in FILE, over keep-alive connections, all at once; prints one JSON object.
 * URL: http://HOST:PORT/…/hosts of an infra-env.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/fd.h"
#include "common/json_map.h"
#include "common/str.h"
#include "common/verb.h"

#define CONNECTIONS_MAX 2000
#define INVENTORY_MAX (4u << 20)
#define HEAD_MAX 4096

struct run {
	uint64_t hosts, connections;
	char *host, *port;
	const char *path;
	char *inventory; /* as a JSON string, quotes included */
	struct addrinfo *address;
	atomic_ullong next, failed, registered;
};

static int dial(const struct run *r)
{
	int one = 1, fd = socket(r->address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, r->address->ai_addr, r->address->ai_addrlen))
		abort();
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* The status of the next reply, whose body is read and dropped; 0 = none came. */
static int hear(int fd)
{
	char head[HEAD_MAX + 1], drop[65536];
	size_t len = 0;
	char *end = NULL;

	while (!end && len < HEAD_MAX) {
		ssize_t n = recv(fd, head + len, HEAD_MAX - len, 0);
		if (n <= 0)
			return 0;
		len += (size_t)n;
		head[len] = '\0';
		end = strstr(head, "\r\n\r\n");
	}
	const char *text = end ? strcasestr(head, "\r\nContent-Length: ") : NULL;
	size_t left = text && text < end ? strtoul(text + 18, NULL, 10) : 0;
	size_t have = end ? len - (size_t)(end + 4 - head) : 0;
	for (left -= MIN_OF(left, have); left;) {
		ssize_t n = recv(fd, drop, MIN_OF(left, sizeof(drop)), 0);
		if (n <= 0)
			return 0;
		left -= (size_t)n;
	}
	return end ? atoi(head + 9) : 0;
}

static int post(const struct run *r, int fd, const char *suffix, const char *body)
{
	AUTO(freep)
	char *request =
		str_printf("POST %s%s HTTP/1.1\r\nHost: %s:%s\r\nContent-Type: application/json\r\n"
			   "Content-Length: %zu\r\n\r\n%s",
			   r->path, suffix, r->host, r->port, strlen(body), body);
	if (!request || fd_write(fd, request, strlen(request)) < 0)
		return 0;
	return hear(fd);
}

static void one_host(struct run *r, int fd, uint64_t number)
{
	char id[UUID_LEN + 1], body[128], suffix[64];

	snprintf(id, sizeof(id), "5f0c0000-0000-4000-8000-%012x", (unsigned)number);
	snprintf(body, sizeof(body), "{\"host_id\":\"%s\"}", id);
	snprintf(suffix, sizeof(suffix), "/%s/instructions", id);
	if (post(r, fd, "", body) != 201)
		r->failed++;
	else
		r->registered++;
	AUTO(freep)
	char *reply = str_printf("{\"step_type\":\"inventory\",\"output\":%s}", r->inventory);
	if (!reply || post(r, fd, suffix, reply) != 204)
		r->failed++;
}

static void *work(void *ctx)
{
	struct run *r = ctx;
	AUTO(closep) int fd = dial(r);

	for (uint64_t i; (i = r->next++) < r->hosts;)
		one_host(r, fd, i);
	return NULL;
}

static int prepare(struct run *r, const char *url, const char *file)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	const char *host = str_starts(url, "http://") ? url + 7 : NULL;
	const char *colon = host ? strchr(host, ':') : NULL;
	AUTO(freep) char *text = NULL;
	size_t len;

	if (!colon || !strchr(colon, '/'))
		return -EINVAL;
	r->path = strchr(colon, '/');
	r->host = strndup(host, (size_t)(colon - host));
	r->port = strndup(colon + 1, (size_t)(r->path - colon - 1));
	if (getaddrinfo(r->host, r->port, &hints, &r->address) ||
	    file_read_at(AT_FDCWD, file, INVENTORY_MAX, &text, &len, NULL))
		return -EINVAL;
	json_t *string = json_string(text);
	r->inventory = string ? json_dumps(string, JSON_ENCODE_ANY) : NULL;
	json_decref(string);
	return r->inventory ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
	struct run r = { .hosts = 10000, .connections = 200 };
	pthread_t threads[CONNECTIONS_MAX];

	if (argc < 3 || (argc > 3 && str_to_u64(argv[3], &r.hosts)) ||
	    (argc > 4 && str_to_u64(argv[4], &r.connections)) || !r.connections ||
	    r.connections > CONNECTIONS_MAX || prepare(&r, argv[1], argv[2])) {
		fprintf(stderr,
			"usage: bench-register http://HOST:PORT/PATH INVENTORY [HOSTS [CONNECTIONS]]\n");
		return 2;
	}
	int64_t begin = time_mono_ms();
	for (uint64_t i = 0; i < r.connections; i++) {
		if (pthread_create(&threads[i], NULL, work, &r))
			abort();
	}
	for (uint64_t i = 0; i < r.connections; i++)
		pthread_join(threads[i], NULL);
	printf("{\"hosts\":%llu,\"seconds\":%.3f,\"failed\":%llu}\n", (unsigned long long)r.hosts,
	       (double)(time_mono_ms() - begin) / 1000, (unsigned long long)r.failed);
	return r.failed != 0;
}
