#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include "agent/net.h"
#include "common/cleanup.h"
#include "common/log.h"

#define RETRY_NOW_MS 200    /* a lease brings several messages: one try for all */
#define RETRY_SPACE_MS 1000 /* not more often than this */

static void on_change(evutil_socket_t fd, short what, void *ctx)
{
	struct net *n = ctx;
	char buf[8192];
	bool is_relevant = false;

	for (ssize_t len; (len = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0;)
		for (struct nlmsghdr *h = (struct nlmsghdr *)buf; NLMSG_OK(h, (size_t)len);
		     h = NLMSG_NEXT(h, len))
			is_relevant |= h->nlmsg_type == RTM_NEWADDR ||
				       h->nlmsg_type == RTM_NEWROUTE;
	/* RTM_NEWROUTE also tells of neighbours' routes that expire and come back: only a waiting agent cares. */
	if (!is_relevant || !n->is_waiting_to_retry ||
	    time_mono_ms() - n->last_try_ms < RETRY_SPACE_MS)
		return;
	log_debug("the network has changed: trying again");
	net_schedule(n, RETRY_NOW_MS, n->on_timer);
}

void net_links_begin(struct net *n)
{
	struct sockaddr_nl address = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE |
			     RTMGRP_IPV6_ROUTE,
	};

	AUTO(closep)
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		log_debug("no news of the network: %s", strerror(errno));
		return;
	}
	n->links = event_new(n->base, fd, EV_READ | EV_PERSIST, on_change, n);
	if (n->links && !event_add(n->links, NULL))
		fd = -1; /* closed with the event in net_done() */
}
