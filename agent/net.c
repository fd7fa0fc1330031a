#include "agent/net.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include "agent/medium.h"
#include "agent/net_sandbox.h"
#include "common/cleanup.h"
#include "common/log.h"

#define CONFIG_WAIT_MS 30000

int net_init(struct net *n, struct event_base *base, int ipc_fd, struct agent_config *config,
	     struct fault *err)
{
	n->base = base;
	n->config = *config;
	*config = (struct agent_config){ 0 };
	struct http_client_options http = { .ca_pem = n->config.ca_pem,
					    .insecure = n->config.insecure };

	int r = session_init(&n->session, &n->config);
	if (!r)
		r = net_ipc_init(n, ipc_fd);
	if (r < 0)
		return fault_set(err, r, "%s", strerror(-r));
	r = http_client_new(base, &http, &n->http, err);
	if (r < 0)
		return r;
	replies_init(&n->replies, base, &n->session, n->http);
	r = report_init(&n->report, base, &n->session, n->http);
	return r < 0 ? fault_oom(err) : 0;
}

void net_begin(struct net *n, bool is_registered)
{
	n->is_registered = is_registered;
	net_links_begin(n);
	/* An installation that goes on comes right behind the configuration, and decides how the service is spoken to. */
	if (net_ipc_drain(n) < 0)
		n->exit_status = 1;
	if (n->config.installed)
		net_installed_begin(n);
	else
		net_go(n);
}

void net_done(struct net *n)
{
	if (n->call)
		http_call_cancel(n->call);
	net_install_done(n);
	report_done(&n->report);
	replies_done(&n->replies);
	if (n->timer)
		event_free(n->timer);
	if (n->links) {
		closep(&(int){ event_get_fd(n->links) });
		event_free(n->links);
	}
	net_ipc_done(n);
	http_client_free(n->http);
	session_done(&n->session);
	agent_config_done(&n->config);
	free(n->state);
	free(n->last_error);
}

/* libcurl reads these; both spellings, as programs differ in which they honour. */
static void set_proxies(const struct agent_config *c)
{
	const struct {
		const char *name, *value;
	} vars[] = {
		{ "http_proxy", c->proxy_http },   { "https_proxy", c->proxy_https },
		{ "HTTPS_PROXY", c->proxy_https }, { "no_proxy", c->proxy_no },
		{ "NO_PROXY", c->proxy_no },
	};
	for (size_t i = 0; i < ARRAY_SIZE(vars); i++)
		if (!str_empty(vars[i].value))
			setenv(vars[i].name, vars[i].value, 1);
}

/* The first message. */
static int receive_config(struct net *n, struct agent_config *ret, bool *ret_registered,
			  struct fault *err)
{
	struct ipc_msg m = { .fd = -1 };

	int r = ipc_recv_timeout(&n->ipc, &m, CONFIG_WAIT_MS);
	if (r <= 0)
		return fault_set(err, r ? r : -ECONNRESET,
				 "no configuration came from the root process");
	AUTO(json_decrefp)
	json_t *obj = json_parse(m.data ? m.data : "", m.len, MSG_PAYLOAD_MAX, true, err);
	bool is_config = m.type == MSG_CONFIG;
	if (m.data)
		secret_wipe(m.data, m.len);
	ipc_msg_done(&m);
	if (!is_config || !obj)
		return fault_set(err, -EPROTO, "the first message is no configuration");
	*ret_registered = json_flag(obj, "is_registered");
	n->has_medium = json_flag(obj, "has_medium");
	json_object_del(obj, "is_registered");
	json_object_del(obj, "has_medium");
	return agent_config_decode(obj, ret, err);
}

static void event_base_freep(struct event_base **b)
{
	if (*b)
		event_base_free(*b);
}

static int run(struct net *n, int fd, struct fault *err)
{
	AUTO(agent_config_done) struct agent_config config = { 0 };
	bool is_registered = false;

	ipc_init(&n->ipc, fd, MSG_PAYLOAD_MAX);
	int r = receive_config(n, &config, &is_registered, err);
	if (r < 0)
		return r;
	if (n->has_medium && medium_pin() < 0)
		log_debug("this process may need the medium again");
	bool only_log = config.sandbox_log;
	set_proxies(&config);
	r = sandbox_drop_user(config.user, err);
	if (r < 0)
		return r;
	/* After the change of user, which resets it: without its parent this process must not live on. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return fault_set(err, -errno, "prctl: %s", strerror(errno));

	AUTO(event_base_freep) struct event_base *base = event_base_new();
	if (!base)
		return fault_oom(err);
	r = net_init(n, base, fd, &config, err);
	if (!r)
		r = sandbox_enter(only_log, err);
	if (!r) {
		net_begin(n, is_registered);
		event_base_dispatch(base);
	}
	net_done(n);
	return r;
}

int net_main(int fd)
{
	struct net n = { 0 };
	struct fault err = FAULT_INIT;

	/* Started through /proc/self/exe it would be called "exe". */
	(void)prctl(PR_SET_NAME, "slipway-net");
	signal(SIGPIPE, SIG_IGN);
	/* Ctrl-C on a terminal goes to both processes: the root process decides. */
	signal(SIGINT, SIG_IGN);
	log_init("slipway-agent[net]", LOG_INFO);
	if (run(&n, fd, &err) < 0) {
		log_error("network process: %s", fault_text(&err));
		return 1;
	}
	return n.exit_status;
}
