#pragma once
/*
 * A name server of a few made-up names on the test's loop (RFC 1035 §4.1), some of which it answers in ways that no name server should.
 */
#include <arpa/inet.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DNS_A = 1, DNS_CNAME = 5, DNS_AAAA = 28 };
enum { DNS_HEADER = 12, DNS_NAMES_MAX = 512 };

struct dns_reply {
	uint8_t data[4096];
	size_t len;
};

struct dns_server {
	int fd;
	struct event *ev;
	char conf[128]; /* a resolv.conf that names it */
	unsigned queries;
	char asked[DNS_NAMES_MAX][64]; /* each name, in order */
};

static inline void dns_put(struct dns_reply *r, const void *data, size_t len)
{
	if (r->len + len > sizeof(r->data))
		abort();
	memcpy(r->data + r->len, data, len);
	r->len += len;
}

static inline void dns_put16(struct dns_reply *r, unsigned v)
{
	uint8_t b[] = { (uint8_t)(v >> 8), (uint8_t)v };
	dns_put(r, b, 2);
}

/* The dotted name of the question; returns its end, 0 = malformed. */
static inline size_t dns_name(const uint8_t *q, size_t len, char ret[64])
{
	size_t at = DNS_HEADER, n = 0;

	while (at < len && q[at]) {
		size_t label = q[at];
		if (label > 63 || at + 1 + label >= len || n + label + 2 > 64)
			return 0;
		if (n)
			ret[n++] = '.';
		memcpy(ret + n, q + at + 1, label);
		n += label;
		at += label + 1;
	}
	ret[n] = '\0';
	return at + 1;
}

/* One record of the question's own name. */
static inline void dns_record(struct dns_reply *r, unsigned type, const void *data, size_t len)
{
	dns_put16(r, 0xC000 | DNS_HEADER);
	dns_put16(r, type);
	dns_put16(r, 1);
	dns_put16(r, 0);
	dns_put16(r, 60);
	dns_put16(r, (unsigned)len);
	dns_put(r, data, len);
	r->data[7]++; /* ANCOUNT */
}

static inline void dns_address(struct dns_reply *r, unsigned type, uint8_t last)
{
	const uint8_t v4[] = { 192, 0, 2, last };
	const uint8_t v6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = last };

	if (type == DNS_A)
		dns_record(r, type, v4, sizeof(v4));
	else if (type == DNS_AAAA)
		dns_record(r, type, v6, sizeof(v6));
}

typedef void (*dns_fn)(struct dns_reply *r, unsigned type);

static inline void dns_good(struct dns_reply *r, unsigned type)
{
	dns_address(r, type, 1);
}
static inline void dns_only_v4(struct dns_reply *r, unsigned type)
{
	if (type == DNS_A)
		dns_address(r, type, 4);
}
static inline void dns_several(struct dns_reply *r, unsigned type)
{
	for (uint8_t i = 1; i <= 3; i++)
		dns_address(r, type, i);
}
static inline void dns_alias(struct dns_reply *r, unsigned type)
{
	static const uint8_t real[] = "\4real\4test";
	dns_record(r, DNS_CNAME, real, sizeof(real));
	dns_address(r, type, 7);
}
static inline void dns_missing(struct dns_reply *r, unsigned type)
{
	r->data[3] |= 3; /* NXDOMAIN */
}
static inline void dns_empty(struct dns_reply *r, unsigned type)
{
}
static inline void dns_failing(struct dns_reply *r, unsigned type)
{
	r->data[3] |= 2; /* SERVFAIL */
}
static inline void dns_wrong_id(struct dns_reply *r, unsigned type)
{
	dns_address(r, type, 66);
	r->data[0] ^= 0xFF;
}
static inline void dns_silent(struct dns_reply *r, unsigned type)
{
	r->len = 0;
}
static inline void dns_short(struct dns_reply *r, unsigned type)
{
	r->len = 5;
}
static inline void dns_no_question(struct dns_reply *r, unsigned type)
{
	r->len = DNS_HEADER;
}
static inline void dns_cut(struct dns_reply *r, unsigned type)
{
	dns_address(r, type, 66);
	r->len -= 2;
}
static inline void dns_loop(struct dns_reply *r, unsigned type)
{
	dns_put16(r, 0xC000 | (unsigned)r->len); /* a name that points at itself */
	dns_put16(r, type);
	r->data[7] = 1;
}
static inline void dns_beyond(struct dns_reply *r, unsigned type)
{
	dns_put16(r, 0xFFFF); /* a name behind the packet's end */
	dns_put16(r, type);
	r->data[7] = 1;
}
static inline void dns_wrong_length(struct dns_reply *r, unsigned type)
{
	static const uint8_t three[] = { 192, 0, 2 };
	dns_record(r, type, three, sizeof(three));
}
static inline void dns_liar(struct dns_reply *r, unsigned type)
{
	r->data[6] = r->data[7] = 0xFF; /* 65535 answers, of which none is there */
}
static inline void dns_cut_off(struct dns_reply *r, unsigned type)
{
	r->data[2] |= 2; /* TC */
}
static inline void dns_huge(struct dns_reply *r, unsigned type)
{
	for (int i = 0; i < 120; i++)
		dns_address(r, type, (uint8_t)i);
}

static const struct {
	const char *name;
	dns_fn fn;
} dns_zone[] = {
	{ "good.test", dns_good },
	{ "v4.test", dns_only_v4 },
	{ "several.test", dns_several },
	{ "alias.test", dns_alias },
	{ "missing.test", dns_missing },
	{ "empty.test", dns_empty },
	{ "failing.test", dns_failing },
	{ "wrong-id.test", dns_wrong_id },
	{ "silent.test", dns_silent },
	{ "short.test", dns_short },
	{ "no-question.test", dns_no_question },
	{ "cut.test", dns_cut },
	{ "loop.test", dns_loop },
	{ "beyond.test", dns_beyond },
	{ "wrong-length.test", dns_wrong_length },
	{ "liar.test", dns_liar },
	{ "cut-off.test", dns_cut_off },
	{ "huge.test", dns_huge },
	{ "good.search.test", dns_good },
};

static inline void dns_answer(const char *name, struct dns_reply *r, unsigned type)
{
	for (size_t i = 0; i < sizeof(dns_zone) / sizeof(dns_zone[0]); i++)
		if (!strcasecmp(dns_zone[i].name, name)) {
			dns_zone[i].fn(r, type);
			return;
		}
	dns_missing(r, type);
}

static inline void dns_on_query(evutil_socket_t fd, short what, void *ctx)
{
	struct dns_server *s = ctx;
	struct sockaddr_in peer;
	socklen_t peer_len = sizeof(peer);
	uint8_t q[512];
	struct dns_reply r = { .len = 0 };

	ssize_t n = recvfrom(fd, q, sizeof(q), 0, (struct sockaddr *)&peer, &peer_len);
	if (n < DNS_HEADER || s->queries == DNS_NAMES_MAX)
		return;
	size_t end = dns_name(q, (size_t)n, s->asked[s->queries]);
	if (!end || end + 4 > (size_t)n)
		return;
	dns_put(&r, q, end + 4);
	r.data[2] = 0x84 | (q[2] & 1); /* an answer, authoritative */
	r.data[3] = 0x80;
	memset(r.data + 6, 0, 6);
	dns_answer(s->asked[s->queries++], &r, (unsigned)(q[end] << 8 | q[end + 1]));
	if (r.len)
		(void)sendto(fd, r.data, r.len, 0, (struct sockaddr *)&peer, peer_len);
}

/* @dir: a folder for the resolv.conf. @search: its search list, NULL = none. */
static inline void dns_start(struct dns_server *s, struct event_base *base, const char *dir,
			     const char *search)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);

	*s = (struct dns_server){ .fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
					       0) };
	if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    getsockname(s->fd, (struct sockaddr *)&a, &len) < 0)
		abort();
	snprintf(s->conf, sizeof(s->conf), "%s/resolv.conf", dir);
	FILE *f = fopen(s->conf, "w");
	if (!f)
		abort();
	fprintf(f, "nameserver 127.0.0.1:%u\n", ntohs(a.sin_port));
	if (search)
		fprintf(f, "search %s\n", search);
	fclose(f);
	s->ev = event_new(base, s->fd, EV_READ | EV_PERSIST, dns_on_query, s);
	event_add(s->ev, NULL);
}

static inline void dns_stop(struct dns_server *s)
{
	event_free(s->ev);
	close(s->fd);
}

static inline bool dns_was_asked(const struct dns_server *s, const char *name)
{
	for (unsigned i = 0; i < s->queries; i++)
		if (!strcasecmp(s->asked[i], name))
			return true;
	return false;
}
