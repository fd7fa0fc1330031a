#pragma once
/*
 * The two listeners, and the way of a request: match, credentials, scope, body, handler, commit, answer. Requests that change something are answered
 * after the commit that ends the loop's turn; so are reads while something uncommitted could show in them.
 */
#include "common/fault.h"
#include "service/service.h"

struct server;

int server_new(struct service *svc, struct server **ret, struct fault *err);
/* @cert_pem, @key_pem: of the HTTPS listener. Fills svc->https_addr and svc->http_addr. */
int server_listen(struct server *s, const char *cert_pem, const char *key_pem, struct fault *err);
/* No new connections; open ones go on. */
void server_stop_accepting(struct server *s);
/*
 * A request that was answered by answer_after_body() goes on: @next is called like a handler, and its answer, or its failure, ends the
 * request.
 */
struct request;
void server_continue(struct server *s, struct request *r,
		     int (*next)(struct request *r, void *ctx, struct fault *err), void *ctx);
/* Commits and answers whatever waits. */
void server_flush(struct server *s);
unsigned server_connections(const struct server *s);
void server_free(struct server *s);
