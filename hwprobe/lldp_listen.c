/*
 * Waits for the neighbours on all wires at once. A socket of an interface joins the groups that LLDP is sent to: no interface is made promiscuous,
 * nothing is sent. Frames are recorded in lldp/<interface>. (Some NICs' firmware speaks LLDP itself and keeps the frames: i40e, ice.)
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/lldp.h"
#include "hwprobe/record.h"

#define LLDP_DIR "lldp"

enum { WIRES_MAX = 1024, EVENTS_MAX = 64, FILE_MAX = LLDP_NEIGHBOURS_MAX * (LLDP_FRAME_MAX + 2) };

struct wire {
	size_t nic; /* its place in the inventory */
	int fd;
	bool is_heard;
	struct hwp_lldp *neighbours;
	struct buf frames; /* as they are recorded */
};

struct wires {
	struct wire *v;
	size_t n, heard;
	int epoll;
};

static bool is_flagged(const struct hwp_nic *n, const char *flag)
{
	for (size_t i = 0; i < n->flags.n; i++)
		if (!strcmp(n->flags.v[i], flag))
			return true;
	return false;
}

/* Ethernet with a live wire, of the type asked for. InfiniBand, tunnels and the like have no LLDP. */
static bool is_wire(const struct hwp_nic *n, const char *type)
{
	return str_eq(n->type.s, type) && n->has_carrier.v && n->mac_address.s &&
	       strlen(n->mac_address.s) == 17 && is_flagged(n, "broadcast");
}

/* --- neighbours ----------------------------------------------------------------------------------------------- */

static bool is_known(const struct hwp_nic *nic, const struct hwp_lldp *n)
{
	for (size_t i = 0; i < nic->lldp_count; i++)
		if (str_eq(nic->lldp[i].chassis_id.s, n->chassis_id.s) &&
		    str_eq(nic->lldp[i].port_id.s, n->port_id.s))
			return true;
	return false;
}

/* true = it was a neighbour that was not known yet. */
static bool take_frame(struct survey *s, struct wire *w, const uint8_t *frame, size_t len)
{
	struct hwp_lldp found;
	struct hwp_nic *nic = &s->inv->nics[w->nic];
	if (nic->lldp_count == LLDP_NEIGHBOURS_MAX || lldp_parse(s, frame, len, &found) < 0 ||
	    is_known(nic, &found))
		return false;
	struct hwp_lldp *n = arena_append(s->mem, &w->neighbours, &nic->lldp_count, sizeof(*n));
	if (!n)
		return false;
	nic->lldp = w->neighbours;
	/* Once more, in its place: so --explain knows what its values were taken from. */
	return lldp_parse(s, frame, len, n) == 0;
}

/* --- the running machine -------------------------------------------------------------------------------------- */

/* 802.1AB-2016 table 7-1: nearest bridge, nearest non-TPMR bridge, nearest customer bridge. */
static const uint8_t groups[][ETHER_ADDR_LEN] = { { 0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e },
						  { 0x01, 0x80, 0xc2, 0x00, 0x00, 0x03 },
						  { 0x01, 0x80, 0xc2, 0x00, 0x00, 0x00 } };

static int open_wire(int ifindex)
{
	/* Without a protocol nothing comes in until the socket is bound to its interface. */
	AUTO(closep) int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(LLDP_ETHERTYPE),
				  .sll_ifindex = ifindex };
	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		struct packet_mreq m = { .mr_ifindex = ifindex,
					 .mr_type = PACKET_MR_MULTICAST,
					 .mr_alen = ETHER_ADDR_LEN };
		memcpy(m.mr_address, groups[i], ETHER_ADDR_LEN);
		if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &m, sizeof(m)) < 0)
			return -errno;
	}
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static int add_wire(struct survey *s, struct wires *all, size_t nic)
{
	int fd = open_wire((int)s->inv->nics[nic].ifindex.v);
	if (fd < 0)
		return fd;
	struct wire *w = arena_append(s->tmp, &all->v, &all->n, sizeof(*w));
	if (!w) {
		close(fd);
		return -ENOMEM;
	}
	w->nic = nic;
	w->fd = fd;
	buf_init(&w->frames, FILE_MAX);
	struct epoll_event e = { .events = EPOLLIN, .data.u64 = all->n - 1 };
	return epoll_ctl(all->epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

static void open_wires(struct survey *s, struct wires *all, const char *type)
{
	for (size_t i = 0; i < s->inv->nic_count; i++) {
		const struct hwp_nic *n = &s->inv->nics[i];
		if (!is_wire(n, type))
			continue;
		if (all->n == WIRES_MAX) {
			survey_error(s, "AF_PACKET", E2BIG, "listens on %d interfaces only",
				     WIRES_MAX);
			return;
		}
		int rc = add_wire(s, all, i);
		if (rc < 0)
			survey_error(s, "AF_PACKET", -rc, "cannot listen on %s: %s", n->name.s,
				     strerror(-rc));
	}
}

static void keep_frame(struct wire *w, const uint8_t *frame, size_t len)
{
	const uint8_t head[2] = { (uint8_t)(len >> 8), (uint8_t)len };
	if (buf_append(&w->frames, head, sizeof(head)) == 0)
		(void)buf_append(&w->frames, frame, len); /* there are few enough of them */
}

static void receive(struct survey *s, struct wires *all, struct wire *w)
{
	uint8_t frame[LLDP_FRAME_MAX];
	for (int i = 0; i < EVENTS_MAX; i++) {
		struct sockaddr_ll from;
		socklen_t from_len = sizeof(from);
		ssize_t n = recvfrom(w->fd, frame, sizeof(frame), MSG_TRUNC,
				     (struct sockaddr *)&from, &from_len);
		if (n < 0)
			return;
		/* What other programs of this machine send comes here, too. */
		if ((size_t)n > sizeof(frame) || from.sll_pkttype == PACKET_OUTGOING ||
		    !take_frame(s, w, frame, (size_t)n))
			continue;
		keep_frame(w, frame, (size_t)n);
		all->heard += !w->is_heard;
		w->is_heard = true;
	}
}

/* Until there is a neighbour on every wire, or the time is over. */
static void wait_all(struct survey *s, struct wires *all)
{
	struct epoll_event events[EVENTS_MAX];
	unsigned limit_ms = s->opt->lldp_timeout_ms ? s->opt->lldp_timeout_ms : LLDP_TIMEOUT_MS;
	int64_t end_ms = time_mono_ms() + limit_ms, left_ms;
	while (all->heard < all->n && (left_ms = end_ms - time_mono_ms()) > 0) {
		int n = epoll_wait(all->epoll, events, EVENTS_MAX, (int)MIN_OF(left_ms, INT32_MAX));
		if (n < 0 && errno != EINTR)
			return;
		for (int i = 0; i < n; i++)
			receive(s, all, &all->v[events[i].data.u64]);
	}
}

static void wires_done(struct wires *all)
{
	for (size_t i = 0; i < all->n; i++) {
		close(all->v[i].fd);
		buf_done(&all->v[i].frames);
	}
	if (all->epoll >= 0)
		close(all->epoll);
}

static void listen_live(struct survey *s)
{
	AUTO(wires_done) struct wires all = { .epoll = epoll_create1(EPOLL_CLOEXEC) };
	if (all.epoll < 0)
		return;
	open_wires(s, &all, "physical");
	/* In a container the ends of veth pairs are what NICs are elsewhere. */
	if (!all.n)
		open_wires(s, &all, "veth");
	wait_all(s, &all);
	for (size_t i = 0; i < all.n; i++) {
		const struct wire *w = &all.v[i];
		char *path = arena_printf(s->tmp, LLDP_DIR "/%s", s->inv->nics[w->nic].name.s);
		if (path && w->frames.len)
			record_file(s->root, path, w->frames.data, w->frames.len);
	}
}

/* --- a recorded machine --------------------------------------------------------------------------------------- */

static void read_recorded(struct survey *s, size_t nic)
{
	char *data = NULL, *path = arena_printf(s->tmp, LLDP_DIR "/%s", s->inv->nics[nic].name.s);
	size_t len = 0, pos = 0, n;
	struct wire w = { .nic = nic };
	if (!path || attr_file(s, path, FILE_MAX, &data, &len) < 0)
		return;
	for (const uint8_t *frame; (frame = lldp_file_next(data, len, &pos, &n));)
		(void)take_frame(s, &w, frame, n);
}

static void run(struct survey *s)
{
	if (s->root->is_live)
		listen_live(s);
	for (size_t i = 0; i < s->inv->nic_count && !s->root->is_live; i++)
		read_recorded(s, i);
}

const struct probe probe_lldp = { .name = "lldp", .part = HWP_LLDP, .run = run };
