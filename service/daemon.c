#include "service/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/cleanup.h"
#include "common/fd.h"
#include "common/json_map.h"
#include "common/log.h"
#include "service/ctl_server.h"
#include "service/host_logs.h"
#include "service/images.h"
#include "service/life.h"
#include "service/server.h"
#include "service/setup.h"
#include "service/store.h"

#define LINGER_US 200000 /* for answers that are on their way when the service ends */

struct daemon {
	struct service svc;
	struct store *store;
	int dirfd, lockfd;
	char **names;
	struct setup_tls tls;
	char *token_key;
	struct event *signals[2], *flush;
};

int64_t service_now_us(const struct service *s)
{
	return time_now_us();
}

static void daemon_done(struct daemon *d)
{
	struct service *svc = &d->svc;

	for (size_t i = 0; i < ARRAY_SIZE(d->signals); i++) {
		if (d->signals[i])
			event_free(d->signals[i]);
	}
	if (d->flush)
		event_free(d->flush);
	ctl_server_free(svc->ctl);
	server_free(svc->server);
	images_free(svc->images);
	host_logs_free(svc->logs);
	if (svc->state)
		life_stop(svc);
	auth_free(svc->auth);
	state_free(svc->state);
	store_close(d->store);
	if (svc->base)
		event_base_free(svc->base);
	setup_tls_done(&d->tls);
	setup_names_free(d->names);
	if (d->token_key)
		secret_wipe(d->token_key, strlen(d->token_key));
	free(d->token_key);
	free(svc->service_url);
	free(svc->image_url);
	free(svc->payload_url);
	free(svc->ca_pem);
	free(svc->https_addr);
	free(svc->http_addr);
	closep(&d->dirfd);
	closep(&d->lockfd); /* last: another slipwayd may start now */
}

/* --- putting it together --- */

static void rules_from_config(struct rule_config *rules, const struct service_config *c)
{
	rule_config_init(rules);
	rules->max_disconnection_ms = c->max_disconnection_ms;
	/* agents are told whole seconds */
	rules->instruction_interval_s = (c->instruction_interval_ms + 999) / 1000;
	rules->slow_interval_s = (c->slow_interval_ms + 999) / 1000;
	rules->no_progress_timeout_ms = c->no_progress_timeout_ms;
	for (size_t i = 0; i < STAGE_COUNT; i++) {
		if (c->stage_timeout_ms[i])
			rules->stage_timeout_ms[i] = c->stage_timeout_ms[i];
	}
	rules->agent_image = c->agent_image;
	rules->installer_image = c->installer_image;
	rules->controller_image = c->controller_image;
	rules->upgrade_agent = c->upgrade_agent;
	rules->inventory_max_size = c->inventory_max_size;
	rules->disk_min_size = c->disk_min_size;
	rules->disabled_validations = c->disabled_validations;
	rules->disabled_steps = c->disabled_steps;
}

static int open_state(struct daemon *d, struct fault *err)
{
	uint8_t key[SEAL_KEY_LEN];
	struct service *svc = &d->svc;

	int r = setup_state_dir(svc->config->state_dir, &d->dirfd, err);
	svc->state_dirfd = d->dirfd;
	if (r == 0)
		r = setup_lock(d->dirfd, &d->lockfd, err);
	if (r == 0)
		r = seal_key_load(d->dirfd, FILE_SEAL_KEY, 1, key, err);
	if (r == 0)
		r = store_open(svc->config->store, d->dirfd, key, &d->store, err);
	secret_wipe(key, sizeof(key));
	return r < 0 ? r : state_new(d->store, &svc->state, err);
}

static int make_identity(struct daemon *d, struct fault *err)
{
	struct service *svc = &d->svc;

	bool is_lost = faccessat(d->dirfd, FILE_TOKEN_KEY, F_OK, 0) < 0 &&
		       state_user_at(svc->state, 0);

	int r = setup_key(d->dirfd, FILE_TOKEN_KEY, &d->token_key, err);
	if (r == 0 && is_lost)
		log_warning(
			FILE_TOKEN_KEY
			" was missing and is new: all tokens made so far are refused, media must be downloaded again");
	if (r == 0)
		r = auth_new(service_config_auth(svc->config), d->token_key, svc->state, &svc->auth,
			     err);
	if (r == 0)
		r = setup_names(svc->config, &d->names, err);
	if (r == 0)
		r = setup_tls(d->dirfd, (const char *const *)d->names, &d->tls, err);
	if (r == 0)
		r = str_set(&svc->ca_pem, d->tls.ca_pem);
	return r < 0 ? r : setup_admin(svc, err);
}

/* The name under which others reach this machine when nobody said so: the listen address, or the host name. */
static char *default_host(const char *address)
{
	AUTO(freep) char *host = setup_host_of(address);
	char own[256] = "localhost";

	if (!host || !*host || !strcmp(host, "::") || !strcmp(host, "0.0.0.0")) {
		(void)gethostname(own, sizeof(own) - 1);
		return strdup(own);
	}
	return strchr(host, ':') ? str_printf("[%s]", host) : TAKE(host);
}

static char *default_url(const char *scheme, const char *host, const char *address)
{
	const char *colon = strrchr(address, ':');

	return str_printf("%s://%s%s", scheme, host, colon ? colon : "");
}

static char *bracketed_host_of(const char *url)
{
	AUTO(freep) char *host = setup_host_of(url);

	if (!host)
		return NULL;
	return strchr(host, ':') ? str_printf("[%s]", host) : TAKE(host);
}

static int resolve_urls(struct service *svc, struct fault *err)
{
	const struct service_config *c = svc->config;
	AUTO(freep) char *own = default_host(svc->https_addr);

	svc->service_url = c->service_base_url
				   ? setup_resolve_url(c->service_base_url, svc->https_addr)
			   : own ? default_url("https", own, svc->https_addr)
				 : NULL;
	if (!svc->service_url)
		return fault_oom(err);
	const char *image = c->image_base_url ? c->image_base_url : svc->service_url;
	bool is_plain = str_starts(image, "http://") && svc->http_addr;
	svc->image_url = setup_resolve_url(image, is_plain ? svc->http_addr : svc->https_addr);
	if (!svc->image_url)
		return fault_oom(err);
	if (!svc->http_addr)
		return 0;
	AUTO(freep) char *host = bracketed_host_of(svc->service_url);
	svc->payload_url = c->payload_base_url
				   ? setup_resolve_url(c->payload_base_url, svc->http_addr)
			   : host ? default_url("http", host, svc->http_addr)
				  : NULL;
	return svc->payload_url ? 0 : fault_oom(err);
}

static int start_serving(struct daemon *d, struct fault *err)
{
	struct service *svc = &d->svc;

	int r = server_new(svc, &svc->server, err);
	if (r == 0)
		r = server_listen(svc->server, d->tls.cert_pem, d->tls.key_pem, err);
	if (r == 0)
		r = resolve_urls(svc, err);
	if (r == 0)
		r = images_new(svc, &svc->images, err);
	if (r == 0)
		r = host_logs_new(svc, &svc->logs, err);
	return r < 0 ? r : ctl_server_new(svc, &svc->ctl, err);
}

/* --- the loop --- */

static void on_signal(evutil_socket_t number, short what, void *ctx)
{
	struct daemon *d = ctx;
	const struct timeval linger = { 0, LINGER_US };

	log_notice("ending on signal %d", (int)number);
	server_stop_accepting(d->svc.server);
	server_flush(d->svc.server);
	event_base_loopexit(d->svc.base, &linger);
}

static void on_flush(evutil_socket_t fd, short what, void *ctx)
{
	struct daemon *d = ctx;
	struct fault why = FAULT_INIT;

	int r = state_flush_checkins(d->svc.state, &why);
	if (r < 0)
		log_error("check-in times were not written: %s", fault_text(&why));
}

static int add_events(struct daemon *d, struct fault *err)
{
	static const int numbers[] = { SIGTERM, SIGINT };
	uint64_t ms = d->svc.config->checkin_flush_ms;
	const struct timeval period = { .tv_sec = (time_t)(ms / 1000),
					.tv_usec = (suseconds_t)(ms % 1000 * 1000) };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		d->signals[i] = evsignal_new(d->svc.base, numbers[i], on_signal, d);
		if (!d->signals[i] || evsignal_add(d->signals[i], NULL) < 0)
			return fault_oom(err);
	}
	d->flush = event_new(d->svc.base, -1, EV_PERSIST, on_flush, d);
	if (!d->flush || event_add(d->flush, &period) < 0)
		return fault_oom(err);
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

/* sd_notify(3) without the library: a datagram to $NOTIFY_SOCKET. */
static void notify_systemd(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	if (str_empty(path) || !str_copy(sa.sun_path, sizeof(sa.sun_path), path))
		return;
	if (sa.sun_path[0] == '@')
		sa.sun_path[0] = '\0';
	AUTO(closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&sa,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))) < 0)
		log_warning("cannot tell systemd: %s", strerror(errno));
}

/* State folder and @name, absolute, as other programs need it. */
static char *state_path(const struct service *svc, const char *name)
{
	AUTO(freep) char *dir = realpath(svc->config->state_dir, NULL);

	return dir ? str_printf("%s/%s", dir, name) : NULL;
}

static int tell_ready(const struct service *svc, int fd, struct fault *err)
{
	AUTO(freep) char *ca = state_path(svc, FILE_CA);
	AUTO(freep) char *password = state_path(svc, FILE_ADMIN_PASSWORD);

	notify_systemd("READY=1");
	if (fd < 0)
		return 0;
	AUTO(json_decrefp)
	json_t *v = json_pack("{s:s, s:s?, s:s?, s:s, s:s?}", "https", svc->https_addr, "http",
			      svc->http_addr, "ca", ca, "admin_user", ADMIN_USER,
			      "admin_password_file", password);
	AUTO(freep) char *text = v ? json_text(v, false) : NULL;
	AUTO(freep) char *line = text ? str_printf("%s\n", text) : NULL;
	if (!line)
		return fault_oom(err);
	int r = fd_write(fd, line, strlen(line));
	close(fd);
	return r < 0 ? fault_set(err, r, "cannot write to the descriptor of --ready-fd: %s",
				 strerror(-r))
		     : 0;
}

static int serve(struct daemon *d, int ready_fd, struct fault *err)
{
	struct service *svc = &d->svc;

	life_start(svc);
	int r = add_events(d, err);
	if (r == 0)
		r = tell_ready(svc, ready_fd, err);
	if (r < 0)
		return r;
	log_notice(
		"serving on https://%s%s%s%s", svc->https_addr,
		svc->http_addr ? " and http://" : "", svc->http_addr ? svc->http_addr : "",
		auth_mode(svc->auth) == AUTH_MODE_NONE
			? ": WITHOUT any authentication, everybody who reaches it is its administrator"
			: "");
	if (event_base_dispatch(svc->base) < 0)
		return fault_set(err, -EIO, "the event loop failed");
	notify_systemd("STOPPING=1");
	server_flush(svc->server);
	return state_flush_checkins(svc->state, err);
}

int daemon_run(const struct service_config *config, int ready_fd, struct fault *err)
{
	struct daemon d = { .dirfd = -1, .lockfd = -1 };
	struct service *svc = &d.svc;

	svc->config = config;
	svc->started_us = svc->silence_from_us = time_now_us();
	rules_from_config(&svc->rules, config);
	svc->base = event_base_new();
	int r = svc->base ? open_state(&d, err) : fault_oom(err);
	if (r == 0)
		r = make_identity(&d, err);
	if (r == 0)
		r = start_serving(&d, err);
	if (r == 0)
		r = serve(&d, ready_fd, err);
	daemon_done(&d);
	return r;
}
