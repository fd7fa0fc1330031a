#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "common/http_client_priv.h"
#include "common/str.h"

static void url_donep(CURLU **u)
{
	curl_url_cleanup(*u);
}

static void curl_freep(char **s)
{
	curl_free(*s);
}

static CURLU *url_parse(const char *text)
{
	CURLU *u = curl_url();
	if (u && curl_url_set(u, CURLUPART_URL, text, 0)) {
		curl_url_cleanup(u);
		return NULL;
	}
	return u;
}

char *http_url_public(const char *url)
{
	AUTO(url_donep) CURLU *u = url_parse(url);
	AUTO(curl_freep) char *text = NULL;
	if (!u)
		return strdup("(unreadable URL)");
	curl_url_set(u, CURLUPART_USER, NULL, 0);
	curl_url_set(u, CURLUPART_PASSWORD, NULL, 0);
	curl_url_set(u, CURLUPART_QUERY, NULL, 0);
	curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0);
	if (curl_url_get(u, CURLUPART_URL, &text, 0))
		return strdup("(unreadable URL)");
	return strdup(text);
}

static bool same_part(CURLU *a, CURLU *b, CURLUPart part)
{
	AUTO(curl_freep) char *x = NULL;
	AUTO(curl_freep) char *y = NULL;
	return !curl_url_get(a, part, &x, CURLU_DEFAULT_PORT) &&
	       !curl_url_get(b, part, &y, CURLU_DEFAULT_PORT) && !strcasecmp(x, y);
}

static bool has_scheme(CURLU *u, const char *scheme)
{
	AUTO(curl_freep) char *s = NULL;
	return !curl_url_get(u, CURLUPART_SCHEME, &s, 0) && !strcasecmp(s, scheme);
}

bool http_url_is_usable(const char *url)
{
	AUTO(url_donep) CURLU *u = url_parse(url);
	return u && (has_scheme(u, "http") || has_scheme(u, "https"));
}

/* Headers that open doors: they were meant for the first origin. */
static bool is_credential(const char *line)
{
	static const char *const names[] = { "Authorization", "X-Secret-Key", "Cookie",
					     "Proxy-Authorization" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t len = strlen(names[i]);
		if (!strncasecmp(line, names[i], len) && (line[len] == ':' || line[len] == ';'))
			return true;
	}
	return false;
}

static int drop_credentials(struct http_call *call)
{
	struct curl_slist *kept = NULL;
	for (const struct curl_slist *h = call->headers; h; h = h->next) {
		if (is_credential(h->data))
			continue;
		struct curl_slist *more = curl_slist_append(kept, h->data);
		if (!more) {
			curl_slist_free_all(kept);
			return -ENOMEM;
		}
		kept = more;
	}
	curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, kept);
	curl_slist_free_all(call->headers);
	call->headers = kept;
	return 0;
}

/* 303 always asks for GET; 301 and 302 do in practice after POST (RFC 9110 §15.4.2). */
static void become_get(struct http_call *call)
{
	free(TAKE(call->request_body));
	call->request_len = 0;
	curl_easy_setopt(call->easy, CURLOPT_CUSTOMREQUEST, NULL);
	curl_easy_setopt(call->easy, CURLOPT_HTTPGET, 1L);
	if (!str_eq(call->method, "HEAD"))
		(void)str_set(&call->method, "GET");
	else
		curl_easy_setopt(call->easy, CURLOPT_NOBODY, 1L);
}

static bool is_same_origin(CURLU *a, CURLU *b)
{
	return same_part(a, b, CURLUPART_SCHEME) && same_part(a, b, CURLUPART_HOST) &&
	       same_part(a, b, CURLUPART_PORT);
}

static int may_go(struct http_call *call, CURLU *from, CURLU *to, struct fault *err)
{
	if (++call->redirects > HTTP_REDIRECTS_MAX)
		return fault_set(err, -EPROTO, "more than %d redirects", HTTP_REDIRECTS_MAX);
	if (!from || !to || !(has_scheme(to, "http") || has_scheme(to, "https")))
		return fault_set(err, -EPROTO, "redirected to something that is not http or https");
	if (has_scheme(from, "https") && !has_scheme(to, "https"))
		return fault_set(err, -EPROTO,
				 "redirected from https to http, which is not followed");
	return 0;
}

int http_redirect_apply(struct http_call *call, const char *url, struct fault *err)
{
	AUTO(url_donep) CURLU *from = url_parse(call->url);
	AUTO(url_donep) CURLU *to = url_parse(url);
	int r = may_go(call, from, to, err);
	if (r)
		return r;
	bool stays = is_same_origin(from, to);
	if (call->status == 303 || (call->status <= 302 && str_eq(call->method, "POST")))
		become_get(call);
	if (!stays && call->request_body)
		return fault_set(
			err, -EPROTO,
			"redirected to another host, to which the request's body is not sent");
	if (!stays && drop_credentials(call))
		return fault_oom(err);
	if (str_set(&call->url, url))
		return fault_oom(err);
	curl_easy_setopt(call->easy, CURLOPT_URL, call->url);
	return 0;
}
