#pragma once
/* Our own server and one that breaks the rules: what the tests of http_client.c, http_call.c and http_redirect.c share. */
#include "http_liar.h"

#include "common/http_client.h"

static struct test_server server; /* our own */
static struct test_server liar;   /* breaks the rules */

static inline int setup(void **state)
{
	/* The tests speak to loopback addresses, whatever the environment says of proxies. */
	static const char *const proxies[] = { "http_proxy",  "https_proxy", "all_proxy",
					       "HTTPS_PROXY", "ALL_PROXY",   "no_proxy",
					       "NO_PROXY" };
	for (size_t i = 0; i < ARRAY_SIZE(proxies); i++)
		unsetenv(proxies[i]);
	server = server_begin(NULL, NULL, NULL);
	liar = liar_begin(&server);
	return 0;
}

static inline int teardown(void **state)
{
	server_end(&server);
	server_end(&liar);
	return 0;
}

/* One request to its end. @spec gets the URL, which is gone afterwards. */
static inline int fetch(const struct test_server *t, const char *path,
			struct http_request_spec *spec, struct http_answer *a, struct fault *err)
{
	AUTO(freep) char *url = str_printf("%s%s", t->url, path);
	struct http_client_options opt = { .stall_timeout_ms = 1000 };
	spec->url = url;
	return http_fetch(&opt, spec, a, err);
}
