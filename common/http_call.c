#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/http_client_priv.h"
#include "common/secret.h"
#include "common/str.h"

#define KEEPALIVE_IDLE_S 30L
#define KEEPALIVE_INTERVAL_S 10L

static const struct {
	CURLcode curl;
	int code;
} codes[] = {
	{ CURLE_URL_MALFORMAT, -EINVAL },
	{ CURLE_UNSUPPORTED_PROTOCOL,
	  -EPROTO }, /* HTTP/0.9; other schemes are refused at the start */
	{ CURLE_COULDNT_RESOLVE_HOST, -EHOSTUNREACH },
	{ CURLE_COULDNT_RESOLVE_PROXY, -EHOSTUNREACH },
	{ CURLE_COULDNT_CONNECT, -ECONNREFUSED },
	{ CURLE_OPERATION_TIMEDOUT, -ETIMEDOUT },
	{ CURLE_PEER_FAILED_VERIFICATION, -EKEYREJECTED },
	{ CURLE_SSL_CACERT_BADFILE, -EBADMSG },
	{ CURLE_SSL_CONNECT_ERROR, -EPROTO },
	{ CURLE_WEIRD_SERVER_REPLY, -EPROTO },
	{ CURLE_PARTIAL_FILE, -ECONNRESET },
	{ CURLE_GOT_NOTHING, -ECONNRESET },
	{ CURLE_RECV_ERROR, -ECONNRESET },
	{ CURLE_SEND_ERROR, -ECONNRESET },
	{ CURLE_FILESIZE_EXCEEDED, -EMSGSIZE },
	{ CURLE_OUT_OF_MEMORY, -ENOMEM },
};

static int code_of(CURLcode result)
{
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		if (codes[i].curl == result)
			return codes[i].code;
	}
	return -EIO;
}

/* Ends the call from inside a curl callback: the callback's own failure makes curl stop. */
static size_t stop(struct http_call *call, int code, const char *why)
{
	if (!call->code) {
		call->code = code;
		fault_set(&call->fault, code, "%s", why);
	}
	return 0;
}

/* --- the answer --------------------------------------------------------------------------------------- */

const char *http_call_header(struct http_call *call, const char *name)
{
	size_t n = strlen(name);
	const char *p = call->answer_headers.data, *end = p ? p + call->answer_headers.len : NULL;
	for (; p && p < end; p += strlen(p) + 1) {
		if (!strncasecmp(p, name, n) && p[n] == ':')
			return p + n + 1 + strspn(p + n + 1, " \t");
	}
	return NULL;
}

/* "bytes 5-9/100", or with an asterisk for an unknown total: exactly what was asked for? */
static bool is_our_range(const struct http_call *call, const char *text)
{
	char want[64];
	uint64_t total;
	int n = snprintf(want, sizeof(want), "bytes %llu-%llu/",
			 (unsigned long long)call->range_first,
			 (unsigned long long)call->range_last);
	if (!text || strncasecmp(text, want, (size_t)n) != 0)
		return false;
	return str_eq(text + n, "*") || (!str_to_u64(text + n, &total) && total > call->range_last);
}

/* All headers are there. 0, or the call has been stopped. */
static int judge_headers(struct http_call *call)
{
	if (!call->use_range || (call->status >= 300 && call->status < 400 && call->follow))
		return 0;
	if (call->status != 206) {
		char why[80];
		snprintf(why, sizeof(why), "answered %ld to a request for a range", call->status);
		stop(call, -EPROTO, why);
	} else if (!is_our_range(call, http_call_header(call, "Content-Range"))) {
		stop(call, -EPROTO, "answered with another range than was asked for");
	}
	return call->code;
}

static size_t on_header(char *data, size_t unit, size_t n, void *ctx)
{
	struct http_call *call = ctx;
	size_t len = n * unit;
	if (call->is_cancelled)
		return 0;
	if (len >= 5 && !strncasecmp(data, "HTTP/", 5)) {
		/* A new answer: after 100 Continue, or after a redirect. */
		buf_reset(&call->answer_headers);
		curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &call->status);
		return len;
	}
	size_t text = len;
	while (text && (data[text - 1] == '\r' || data[text - 1] == '\n'))
		text--;
	if (!text) {
		/* Interim answers (1xx) are followed by the real one. */
		return call->status >= 200 && judge_headers(call) ? 0 : len;
	}
	if (memchr(data, '\0', text))
		return stop(call, -EPROTO, "a header of the answer holds a NUL");
	if (buf_append(&call->answer_headers, data, text) ||
	    buf_append(&call->answer_headers, "", 1))
		return stop(call, -EMSGSIZE, "the headers of the answer are too long");
	return len;
}

static bool is_passed_on(const struct http_call *call)
{
	return call->on_data && call->status >= 200 && call->status < 300;
}

static bool is_redirect(const struct http_call *call)
{
	return call->follow && call->status >= 301 && call->status <= 308 && call->status != 304 &&
	       call->status != 305 && call->status != 306;
}

static size_t on_body(char *data, size_t unit, size_t n, void *ctx)
{
	struct http_call *call = ctx;
	size_t len = n * unit;
	if (call->is_cancelled || call->code)
		return 0;
	if (is_redirect(call))
		return len;
	call->received += len;
	if (call->use_range && call->received > call->range_last - call->range_first + 1)
		return stop(call, -EPROTO, "more bytes than were asked for");
	if (call->received > call->max_body)
		return stop(call, -EMSGSIZE, "the answer is too long");
	if (!is_passed_on(call))
		return buf_append(&call->body, data, len) ? stop(call, -ENOMEM, "out of memory")
							  : len;
	int r = call->on_data(call->ctx, data, len);
	/* It may have cancelled the call, which only takes effect outside of curl. */
	if (call->is_cancelled)
		return 0;
	return r < 0 ? stop(call, r, strerror(-r)) : len;
}

/* --- the request --------------------------------------------------------------------------------------- */

static int on_socket(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
	const struct http_client *c = ctx;
	unsigned ms = (unsigned)MIN_OF(c->stall_timeout_ms, 600000u);
	/* Sent data that nobody acknowledges (tcp(7)): curl's own stall check does not see it while it only waits. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
	return CURL_SOCKOPT_OK;
}

static bool has_header(const struct http_request_spec *spec, const char *name)
{
	size_t n = strlen(name);
	for (size_t i = 0; spec->headers && spec->headers[i]; i++) {
		if (!strncasecmp(spec->headers[i], name, n) && strchr(":;", spec->headers[i][n]))
			return true;
	}
	return false;
}

static int header_add(struct http_call *call, const char *line)
{
	if (strpbrk(line, "\r\n"))
		return -EINVAL;
	struct curl_slist *more = curl_slist_append(call->headers, line);
	if (!more)
		return -ENOMEM;
	call->headers = more;
	return 0;
}

static int headers_set(struct http_call *call, const struct http_request_spec *spec)
{
	int r = 0;
	for (size_t i = 0; !r && spec->headers && spec->headers[i]; i++)
		r = header_add(call, spec->headers[i]);
	/* curl would call every body a form, that of a POST without one, too. */
	if (!r && !has_header(spec, "Content-Type"))
		r = header_add(call, "Content-Type:");
	if (!r && spec->if_range) {
		AUTO(freep) char *line = str_printf("If-Range: %s", spec->if_range);
		r = line ? header_add(call, line) : -ENOMEM;
	}
	curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
	return r;
}

static int body_copy(struct http_call *call, const struct http_request_spec *spec)
{
	if (!spec->body)
		return 0;
	call->request_body = malloc(spec->body_len + 1);
	if (!call->request_body)
		return -ENOMEM;
	memcpy(call->request_body, spec->body, spec->body_len);
	call->request_len = spec->body_len;
	return 0;
}

static bool is_in(const char *word, const char *const *list)
{
	for (; *list; list++) {
		if (!strcmp(word, *list))
			return true;
	}
	return false;
}

static int method_set(struct http_call *call, const struct http_request_spec *spec)
{
	/* Methods with a body by nature say "Content-Length: 0" when they have none (RFC 9110 §8.6). */
	static const char *const with_length[] = { "POST", "PUT", "PATCH", NULL };
	const char *method = spec->method ? spec->method : spec->body ? "POST" : "GET";
	if (!*method || strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != strlen(method))
		return -EINVAL;
	call->method = strdup(method);
	if (!call->method || body_copy(call, spec))
		return -ENOMEM;

	bool is_get = !strcmp(method, "GET"), is_head = !strcmp(method, "HEAD");
	if (is_head)
		curl_easy_setopt(call->easy, CURLOPT_NOBODY, 1L);
	else if (!is_get || spec->body)
		curl_easy_setopt(call->easy, CURLOPT_CUSTOMREQUEST, call->method);
	if (spec->body || is_in(method, with_length)) {
		curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE,
				 (curl_off_t)call->request_len);
		curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS,
				 call->request_body ? call->request_body : "");
	}
	return 0;
}

static void tls_set(struct http_call *call)
{
	const struct http_client *c = call->client;
	if (c->insecure) {
		curl_easy_setopt(call->easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(call->easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	curl_easy_setopt(call->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (!c->ca_pem)
		return;
	struct curl_blob blob = { .data = (void *)c->ca_pem,
				  .len = strlen(c->ca_pem),
				  .flags = CURL_BLOB_NOCOPY };
	curl_easy_setopt(call->easy, CURLOPT_CAINFO_BLOB, &blob);
	/* Distributions build a folder in, which would be searched as well. */
	curl_easy_setopt(call->easy, CURLOPT_CAPATH, NULL);
}

static void options_set(struct http_call *call)
{
	const struct http_client *c = call->client;
	CURL *e = call->easy;
	curl_easy_setopt(e, CURLOPT_PRIVATE, call);
	curl_easy_setopt(e, CURLOPT_URL, call->url);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, call->curl_error);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L); /* http_redirect.c */
	curl_easy_setopt(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(e, CURLOPT_USERAGENT, c->user_agent);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)c->connect_timeout_ms);
	/* Less than a byte per second for that long; curl counts whole seconds. Paused calls are not judged. */
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, (long)((c->stall_timeout_ms + 999) / 1000));
	curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(e, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
	curl_easy_setopt(e, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
	curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, on_socket);
	curl_easy_setopt(e, CURLOPT_SOCKOPTDATA, c);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, call);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, call);
	tls_set(call);
}

static int range_set(struct http_call *call, const struct http_request_spec *spec)
{
	char text[48];
	uint64_t len;
	if (spec->range_last < spec->range_first ||
	    __builtin_add_overflow(spec->range_last - spec->range_first, 1, &len))
		return -EINVAL;
	call->use_range = true;
	call->range_first = spec->range_first;
	call->range_last = spec->range_last;
	if (!spec->max_body)
		call->max_body = MIN_OF(len, SIZE_MAX - 1);
	snprintf(text, sizeof(text), "%llu-%llu", (unsigned long long)spec->range_first,
		 (unsigned long long)spec->range_last);
	curl_easy_setopt(call->easy, CURLOPT_RANGE, text);
	return 0;
}

void http_call_free(struct http_call *call)
{
	struct http_client *c = call->client;
	if (call->is_added)
		curl_multi_remove_handle(c->multi, call->easy);
	if (call->easy)
		curl_easy_cleanup(call->easy);
	/* Tokens travel in headers and bodies. */
	for (struct curl_slist *h = call->headers; h; h = h->next)
		secret_wipe(h->data, strlen(h->data));
	curl_slist_free_all(call->headers);
	if (call->request_body)
		secret_wipe(call->request_body, call->request_len);
	free(call->request_body);
	free(call->method);
	free(call->url);
	buf_done(&call->answer_headers);
	buf_done(&call->body);
	TAILQ_REMOVE(&c->calls, call, link);
	free(call);
}

int http_call_add(struct http_call *call)
{
	if (call->deadline_ms) {
		int64_t left_ms = call->deadline_ms - time_mono_ms();
		curl_easy_setopt(call->easy, CURLOPT_TIMEOUT_MS, (long)MAX_OF(left_ms, 1));
	}
	CURLMcode r = curl_multi_add_handle(call->client->multi, call->easy);
	if (r) {
		stop(call, -EIO, curl_multi_strerror(r));
		return call->code;
	}
	call->is_added = true;
	return 0;
}

static int call_prepare(struct http_call *call, const struct http_request_spec *spec)
{
	call->url = str_dup(spec->url);
	call->easy = curl_easy_init();
	if (!call->url || !call->easy)
		return -ENOMEM;
	call->max_body = spec->max_body ? spec->max_body : HTTP_ANSWER_MAX_DEFAULT;
	call->follow = spec->follow;
	call->on_data = spec->on_data;
	call->done = spec->done;
	call->ctx = spec->ctx;
	if (spec->total_timeout_ms)
		call->deadline_ms = time_mono_ms() + (int64_t)spec->total_timeout_ms;
	options_set(call);
	int r = method_set(call, spec);
	if (!r)
		r = headers_set(call, spec);
	if (!r && spec->use_range)
		r = range_set(call, spec);
	/*
	 * What a Content-Length says beforehand. Not with a range (a 200 with the whole must be told from a too long answer) nor for HEAD,
	 * where no body follows.
	 */
	if (!r && !call->use_range && !str_eq(call->method, "HEAD"))
		curl_easy_setopt(call->easy, CURLOPT_MAXFILESIZE_LARGE,
				 (curl_off_t)MIN_OF(call->max_body, (size_t)INT64_MAX));
	buf_init(&call->answer_headers, HTTP_ANSWER_HEADERS_MAX);
	buf_init(&call->body, call->max_body);
	return r;
}

int http_call_start(struct http_client *c, const struct http_request_spec *spec,
		    struct http_call **ret, struct fault *err)
{
	if (!spec->url || !spec->done)
		return fault_set(err, -EINVAL, "a request needs a URL and a place for its answer");
	if (!http_url_is_usable(spec->url))
		return fault_set(err, -EINVAL, "not an http or https URL");
	struct http_call *call = calloc(1, sizeof(*call));
	if (!call)
		return fault_oom(err);
	call->client = c;
	TAILQ_INSERT_TAIL(&c->calls, call, link);
	int r = call_prepare(call, spec);
	if (!r && !c->is_in_curl)
		r = http_call_add(call);
	if (r) {
		http_call_free(call);
		return fault_set(err, r, "cannot start the request to %s: %s", spec->url,
				 strerror(-r));
	}
	/* From inside on_data() it is added when curl has returned. */
	if (c->is_in_curl)
		http_client_kick(c);
	if (ret)
		*ret = call;
	return 0;
}

/* --- the end -------------------------------------------------------------------------------------------- */

static void result_judge(struct http_call *call, CURLcode result)
{
	if (!call->code && result)
		stop(call, code_of(result),
		     *call->curl_error ? call->curl_error : curl_easy_strerror(result));
	if (!call->code && call->use_range &&
	    call->received != call->range_last - call->range_first + 1)
		stop(call, -EPROTO, "fewer bytes than were asked for");
	if (call->code) {
		AUTO(freep) char *url = http_url_public(call->url);
		(void)fault_prefix(&call->fault, call->code, "%s %s", call->method, url ? url : "");
	}
}

/* 1 = on its way to the new place, 0 = no redirect, or it may not be followed. */
static int redirect(struct http_call *call)
{
	char *url = NULL;
	if (!is_redirect(call) || curl_easy_getinfo(call->easy, CURLINFO_REDIRECT_URL, &url) ||
	    !url)
		return 0;
	AUTO(freep) char *copy = strdup(url);
	curl_multi_remove_handle(call->client->multi, call->easy);
	call->is_added = false;
	int r = copy ? http_redirect_apply(call, copy, &call->fault) : -ENOMEM;
	if (r) {
		call->code = r;
		return 0;
	}
	call->status = 0;
	call->received = 0;
	buf_reset(&call->answer_headers);
	return http_call_add(call) ? 0 : 1;
}

void http_call_finish(struct http_call *call, CURLcode result)
{
	if (!call->is_cancelled && !call->code && !result && redirect(call))
		return;
	call->is_done = true;
	if (call->is_added)
		curl_multi_remove_handle(call->client->multi, call->easy);
	call->is_added = false;
	if (!call->is_cancelled) {
		result_judge(call, result);
		struct http_answer a = {
			.code = call->code,
			.status = call->status,
			.body = call->body.data ? call->body.data : "",
			.body_len = call->body.len,
			.effective_url = call->url,
			.fault = call->fault,
		};
		call->done(call->ctx, &a);
	}
	http_call_free(call);
}

void http_call_cancel(struct http_call *call)
{
	if (!call)
		return;
	struct http_client *c = call->client;
	call->is_cancelled = true;
	/* Inside its own done() or inside curl it goes when those have returned. */
	if (call->is_done)
		return;
	if (c->is_in_curl)
		http_client_kick(c);
	else
		http_call_free(call);
}

void http_call_pause(struct http_call *call, bool paused)
{
	struct http_client *c = call->client;
	if (call->is_paused == paused || call->is_done)
		return;
	call->is_paused = paused;
	bool was_in_curl = c->is_in_curl;
	http_client_enter(c);
	c->is_in_curl = true;
	/* Going on may deliver kept data at once, through on_body(). */
	(void)curl_easy_pause(call->easy, paused ? CURLPAUSE_RECV : CURLPAUSE_CONT);
	c->is_in_curl = was_in_curl;
	if (call->code || call->is_cancelled || c->is_dead)
		http_client_kick(c);
	c->depth--;
}
