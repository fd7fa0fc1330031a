/*
 * domain-resolution: which addresses does the host's resolver give for these names? Not found is an answer: empty lists, exit 0 (assisted-v2 §5.7).
 * libevent's resolver asks all names at the same time with a deadline; getaddrinfo() would block for up to 30 s each.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/dns.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <string.h>
#include "agent/step.h"
#include "common/cleanup.h"
#include "common/str.h"

#define DOMAINS_MAX 64
#define DOMAIN_LEN_MAX 254 /* RFC 1035 §2.3.4, with a final dot */
#define DNS_TIMEOUT "3"    /* seconds per try */
#define DNS_ATTEMPTS "2"
#define DEADLINE_MS \
	15000 /* for all names together; also ends requests for which no name server works */

struct resolution;
struct domain {
	struct resolution *all;
	char *name;
	struct evdns_getaddrinfo_request *request; /* NULL = answered */
	json_t *ipv4, *ipv6, *cnames;              /* owned */
};

struct resolution {
	struct step_run *run;
	struct evdns_base *dns;
	struct event *deadline;
	struct domain domains[DOMAINS_MAX];
	size_t n, waiting;
};

static void resolution_free(struct resolution *r)
{
	if (!r)
		return;
	if (r->dns)
		evdns_base_free(r->dns, 0);
	if (r->deadline)
		event_free(r->deadline);
	for (size_t i = 0; i < r->n; i++) {
		free(r->domains[i].name);
		json_decref(r->domains[i].ipv4);
		json_decref(r->domains[i].ipv6);
		json_decref(r->domains[i].cnames);
	}
	free(r);
}

static void resolution_freep(struct resolution **r)
{
	resolution_free(*r);
}

static json_t *reply_of(struct resolution *r)
{
	AUTO(json_decrefp) json_t *list = json_array();
	for (size_t i = 0; i < r->n; i++) {
		struct domain *d = &r->domains[i];
		json_t *cnames = json_array_size(d->cnames) ? json_incref(d->cnames) : json_null();
		json_t *item = json_pack("{s:o, s:s, s:O, s:O}", "cnames", cnames, "domain_name",
					 d->name, "ipv4_addresses", d->ipv4, "ipv6_addresses",
					 d->ipv6);
		if (json_array_append_new(list, item) < 0)
			return NULL;
	}
	return json_pack("{s:O}", "resolutions", list);
}

static void on_end(evutil_socket_t fd, short what, void *ctx)
{
	AUTO(resolution_freep) struct resolution *r = ctx;
	AUTO(json_decrefp) json_t *reply = reply_of(r);
	AUTO(freep) char *output = reply ? json_text(reply, true) : NULL;

	step_finish(r->run, output ? STEP_EXIT_OK : STEP_EXIT_FAILED, output,
		    output ? NULL : "out of memory");
}

/* A turn of the loop later: the resolver must not be freed inside its own callback. */
static void one_less(struct resolution *r)
{
	const struct timeval now = { 0 };
	if (--r->waiting == 0 &&
	    event_base_once(r->run->net->base, -1, EV_TIMEOUT, on_end, r, &now) < 0)
		abort(); /* only out of memory: the process is started again */
}

static void add_address(struct domain *d, const struct evutil_addrinfo *ai)
{
	char text[INET6_ADDRSTRLEN];
	const void *address;
	json_t *list;

	if (ai->ai_family == AF_INET) {
		address = &((struct sockaddr_in *)ai->ai_addr)->sin_addr;
		list = d->ipv4;
	} else {
		address = &((struct sockaddr_in6 *)ai->ai_addr)->sin6_addr;
		list = d->ipv6;
	}
	if (inet_ntop(ai->ai_family, address, text, sizeof(text)))
		json_array_append_new(list, json_string(text));
}

/* Go names the canonical name with its final dot, which is the name itself when there is no alias; services know it that way. */
static void add_canonical(struct domain *d, const char *canonical)
{
	const char *name = canonical ? canonical : d->name;
	AUTO(freep) char *dotted = str_printf("%s%s", name, str_ends(name, ".") ? "" : ".");
	if (dotted)
		json_array_append_new(d->cnames, json_string(dotted));
}

static void on_resolved(int result, struct evutil_addrinfo *list, void *ctx)
{
	struct domain *d = ctx;
	const char *canonical = NULL;

	d->request = NULL;
	for (struct evutil_addrinfo *ai = list; ai; ai = ai->ai_next) {
		if (ai->ai_family != AF_INET && ai->ai_family != AF_INET6)
			continue;
		if (ai->ai_canonname)
			canonical = ai->ai_canonname;
		add_address(d, ai);
	}
	if (list)
		add_canonical(d, canonical);
	if (list)
		evutil_freeaddrinfo(list);
	one_less(d->all);
}

static int take_domains(struct resolution *r, json_t *list)
{
	json_t *item;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > DOMAINS_MAX)
		return -EINVAL;
	json_array_foreach(list, i, item) {
		const char *name = json_str(item, "domain_name");
		if (str_empty(name) || strlen(name) > DOMAIN_LEN_MAX || !str_is_text(name) ||
		    strpbrk(name, " \t\r\n"))
			return -EINVAL;
		struct domain *d = &r->domains[r->n++];
		*d = (struct domain){ .all = r,
				      .name = str_dup(name),
				      .ipv4 = json_array(),
				      .ipv6 = json_array(),
				      .cnames = json_array() };
		if (!d->name || !d->ipv4 || !d->ipv6 || !d->cnames)
			return -ENOMEM;
	}
	return 0;
}

/* Cancelling calls on_resolved() with an empty list: "not found". */
static void on_deadline(evutil_socket_t fd, short what, void *ctx)
{
	struct resolution *r = ctx;
	for (size_t i = 0; i < r->n; i++)
		if (r->domains[i].request)
			evdns_getaddrinfo_cancel(r->domains[i].request);
}

static void resolve_all(struct resolution *r)
{
	uint64_t ms = r->run->net->step_wait_ms ? r->run->net->step_wait_ms : DEADLINE_MS;
	const struct timeval deadline = { .tv_sec = (time_t)(ms / 1000),
					  .tv_usec = (suseconds_t)(ms % 1000 * 1000) };
	const struct evutil_addrinfo hints = { .ai_family = AF_UNSPEC,
					       .ai_socktype = SOCK_STREAM,
					       .ai_flags = EVUTIL_AI_CANONNAME };

	r->waiting = r->n + 1; /* one for this function: callbacks may come before it returns */
	for (size_t i = 0; i < r->n; i++) {
		/* A final dot says that the name is complete (RFC 1034 §3.1); the resolver itself would still try the search list. */
		if (str_ends(r->domains[i].name, "."))
			evdns_base_search_clear(r->dns);
	}
	evtimer_add(r->deadline, &deadline);
	for (size_t i = 0; i < r->n; i++) {
		struct domain *d = &r->domains[i];
		struct evdns_getaddrinfo_request *request =
			evdns_getaddrinfo(r->dns, d->name, NULL, &hints, on_resolved, d);
		if (request)
			d->request = request;
	}
	one_less(r);
}

static void start(struct step_run *run, const struct json_strs *args)
{
	AUTO(json_decrefp) json_t *arg = step_json_arg(run, args);
	if (!arg)
		return;
	AUTO(resolution_freep) struct resolution *r = calloc(1, sizeof(*r));
	if (!r || take_domains(r, json_child(arg, "domains")) < 0) {
		step_finish(run, STEP_EXIT_BAD_ARGS, NULL,
			    "domain-resolution: \"domains\" cannot be used");
		return;
	}
	r->run = run;
	/* Read anew each time: resolv.conf changes with the lease. Without a name server every name is simply not found. */
	r->dns = evdns_base_new(run->net->base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	if (r->dns)
		r->deadline = evtimer_new(run->net->base, on_deadline, r);
	if (!r->deadline) {
		step_finish(run, STEP_EXIT_FAILED, NULL, "out of memory");
		return;
	}
	const char *resolv_conf = run->net->resolv_conf;
	(void)evdns_base_resolv_conf_parse(r->dns, DNS_OPTIONS_ALL,
					   resolv_conf ? resolv_conf : "/etc/resolv.conf");
	evdns_base_set_option(r->dns, "timeout:", DNS_TIMEOUT);
	evdns_base_set_option(r->dns, "attempts:", DNS_ATTEMPTS);
	evdns_base_set_option(r->dns, "randomize-case:", "0");
	resolve_all(r);
	r = NULL;
}

const struct step_ops step_domain = { .type = STEP_DOMAIN_RESOLUTION, .start = start };
