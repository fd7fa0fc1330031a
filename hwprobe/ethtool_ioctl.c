/*
 * SIOCETHTOOL: the version of an interface's firmware, which netlink does not tell; for kernels before 5.6 the permanent address, speeds, port and link;
 * where sysfs shows another network namespace the driver and the place on the bus.
 * Answers are recorded in ethtool.txt: "eth0 firmware TEXT", "eth0 driver NAME", "eth0 bus PLACE", "eth0 permaddr MAC", "eth0 link MBPS DUPLEX TOP",
 * "eth0 port NUMBER", "eth0 detected 1".
 */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/ethtool.h"
#include "hwprobe/netdump.h"
#include "hwprobe/nic.h"
#include "hwprobe/record.h"

#define ANSWERS_FILE "ethtool.txt"
#define INFO_SOURCE "ETHTOOL_GDRVINFO"

enum { ADDRESS_MAX = 32, WORDS_MAX = 127 /* link_mode_masks_nwords is an s8 */ };

struct answers {
	char firmware[ETHTOOL_FWVERS_LEN + 1], driver[33], bus[ETHTOOL_BUSINFO_LEN + 1];
	char mac[ADDRESS_MAX * 3];
	uint32_t mbps, top_mbps;
	uint8_t duplex, port;
	int detected; /* 1, 0; -1 = the driver cannot tell */
};

static const struct answers no_answers = { .duplex = DUPLEX_UNKNOWN,
					   .port = PORT_NONE,
					   .detected = -1 };

/* --- the running machine -------------------------------------------------------------------------------------- */

static bool ask(int fd, const char *name, void *command)
{
	struct ifreq r = { 0 };
	if (!str_copy(r.ifr_name, sizeof(r.ifr_name), name))
		return false;
	r.ifr_data = command;
	return ioctl(fd, SIOCETHTOOL, &r) == 0;
}

/* @text, which may lack its end, as a replay would read it. */
static void take_text(char *dst, size_t size, const char *text, size_t len)
{
	snprintf(dst, size, "%.*s", (int)len, text);
	for (char *p = dst; *p; p++)
		if ((unsigned char)*p < ' ')
			*p = ' ';
	char *trimmed = str_trim(dst);
	memmove(dst, trimmed, strlen(trimmed) + 1);
}

static void ask_info(int fd, const char *name, struct answers *a)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	if (!ask(fd, name, &info))
		return;
	take_text(a->firmware, sizeof(a->firmware), info.fw_version, sizeof(info.fw_version));
	take_text(a->driver, sizeof(a->driver), info.driver, sizeof(info.driver));
	take_text(a->bus, sizeof(a->bus), info.bus_info, sizeof(info.bus_info));
}

static void ask_mac(int fd, const char *name, struct answers *a)
{
	union {
		struct ethtool_perm_addr head;
		uint8_t room[sizeof(struct ethtool_perm_addr) + ADDRESS_MAX];
	} answer = { .head = { .cmd = ETHTOOL_GPERMADDR, .size = ADDRESS_MAX } };
	if (ask(fd, name, &answer) && answer.head.size <= ADDRESS_MAX &&
	    !mac_text(answer.head.data, answer.head.size, a->mac, sizeof(a->mac)))
		a->mac[0] = '\0';
}

/* The first question is how long the masks are: the kernel answers with the negative number of words. */
static void ask_link(int fd, const char *name, struct answers *a)
{
	union {
		struct ethtool_link_settings head;
		uint32_t room[sizeof(struct ethtool_link_settings) / 4 + 3 * WORDS_MAX];
	} answer = { .head = { .cmd = ETHTOOL_GLINKSETTINGS } };
	if (!ask(fd, name, &answer) || answer.head.link_mode_masks_nwords >= 0)
		return;
	int8_t words = (int8_t)-answer.head.link_mode_masks_nwords;
	memset(&answer, 0, sizeof(answer));
	answer.head.cmd = ETHTOOL_GLINKSETTINGS;
	answer.head.link_mode_masks_nwords = words;
	if (words <= 0 || !ask(fd, name, &answer) || answer.head.link_mode_masks_nwords != words)
		return;
	a->mbps = answer.head.speed;
	a->duplex = answer.head.duplex;
	a->port = answer.head.port;
	/* The first of the three masks is what is supported. */
	a->top_mbps = ethtool_top_mbps(answer.head.link_mode_masks, (size_t)words);
}

static void ask_detected(int fd, const char *name, struct answers *a)
{
	struct ethtool_value link = { .cmd = ETHTOOL_GLINK };
	if (ask(fd, name, &link))
		a->detected = link.data != 0;
}

static void keep(struct survey *s, const char *name, const char *what, const char *text)
{
	if (*text)
		record_line(s->root, ANSWERS_FILE, "%s %s %s", name, what, text);
}

static void ask_driver(struct survey *s, int fd, const struct hwp_nic *n, const char *name,
		       bool has_modes, struct answers *a)
{
	ask_info(fd, name, a);
	keep(s, name, "firmware", a->firmware);
	if (!n->driver.s)
		keep(s, name, "driver", a->driver);
	if (!n->driver.s && !str_eq(n->type.source, INFO_SOURCE)) /* else it is kept already */
		keep(s, name, "bus", a->bus);
	if (!n->permanent_mac.s)
		ask_mac(fd, name, a);
	keep(s, name, "permaddr", a->mac);
	if (has_modes)
		return;
	ask_link(fd, name, a);
	record_line(s->root, ANSWERS_FILE, "%s link %u %u %u", name, a->mbps, a->duplex,
		    a->top_mbps);
	record_line(s->root, ANSWERS_FILE, "%s port %u", name, a->port);
	ask_detected(fd, name, a);
	if (a->detected >= 0)
		record_line(s->root, ANSWERS_FILE, "%s detected %d", name, a->detected);
}

/* --- a recorded machine --------------------------------------------------------------------------------------- */

static void take_number(struct answers *a, const char *what, const char *value)
{
	unsigned mbps, duplex, top;
	if (sscanf(value, "%u %u %u", &mbps, &duplex, &top) == 3 && !strcmp(what, "link")) {
		a->mbps = mbps;
		a->duplex = duplex <= UINT8_MAX ? (uint8_t)duplex : DUPLEX_UNKNOWN;
		a->top_mbps = top;
	} else if (sscanf(value, "%u", &mbps) != 1) {
		return;
	} else if (!strcmp(what, "port")) {
		a->port = mbps <= UINT8_MAX ? (uint8_t)mbps : PORT_NONE;
	} else if (!strcmp(what, "detected")) {
		a->detected = mbps != 0;
	}
}

static void take_line(const char *line, const char *name, struct answers *a)
{
	char what[16];
	int at = 0;
	size_t n = strlen(name);
	if (strncmp(line, name, n) || sscanf(line + n, " %15s %n", what, &at) != 1 || !at)
		return;
	const char *value = line + n + at;
	if (!strcmp(what, "firmware"))
		str_copy(a->firmware, sizeof(a->firmware), value);
	else if (!strcmp(what, "driver"))
		str_copy(a->driver, sizeof(a->driver), value);
	else if (!strcmp(what, "bus"))
		str_copy(a->bus, sizeof(a->bus), value);
	else if (!strcmp(what, "permaddr"))
		str_copy(a->mac, sizeof(a->mac), value);
	else
		take_number(a, what, value);
}

enum { LINE_BYTES = 512 };

/* The line at *@text, advancing; false at the end, or when there is no text. */
static bool next_line(const char **text, char line[LINE_BYTES])
{
	if (str_empty(*text))
		return false;
	size_t n = strcspn(*text, "\n");
	snprintf(line, LINE_BYTES, "%.*s", (int)MIN_OF(n, (size_t)LINE_BYTES - 1), *text);
	*text += n + ((*text)[n] == '\n');
	return true;
}

static void find_recorded(const char *text, const char *name, struct answers *a)
{
	char line[LINE_BYTES];
	while (next_line(&text, line))
		take_line(line, name, a);
}

/* "eth0 driver virtio_net": is any line one of ours? */
static bool has_answers(const char *text)
{
	static const char *const kinds[] = { "firmware", "driver", "bus",     "permaddr",
					     "link",     "port",   "detected" };
	char line[LINE_BYTES], name[64], what[16];
	while (next_line(&text, line)) {
		bool is_pair = sscanf(line, "%63s %15s", name, what) == 2;
		for (size_t i = 0; is_pair && i < ARRAY_SIZE(kinds); i++)
			if (!strcmp(what, kinds[i]))
				return true;
	}
	return false;
}

/* NULL = nothing is recorded. */
static char *read_recorded(struct survey *s)
{
	char *text = NULL;
	if (attr_file(s, ANSWERS_FILE, ROOT_TABLE_MAX, &text, NULL) < 0)
		return NULL;
	if (*text && !has_answers(text))
		survey_error(s, ANSWERS_FILE, EBADMSG, "no answers of drivers");
	return text;
}

/* -------------------------------------------------------------------------------------------------------------- */

static void put_answers(struct survey *s, struct hwp_nic *n, const struct answers *a)
{
	if (strcmp(a->firmware, "N/A") != 0)
		put_str(s, &n->firmware, a->firmware, INFO_SOURCE);
	if (!n->driver.s)
		put_str(s, &n->driver, a->driver, INFO_SOURCE);
	if (!n->pci_address.s)
		put_str(s, &n->pci_address, pci_address_in(s->tmp, a->bus), INFO_SOURCE);
	if (!n->permanent_mac.s)
		put_str(s, &n->permanent_mac, a->mac, "ETHTOOL_GPERMADDR");
	if (!n->port.s)
		ethtool_put_port(s, n, a->port, "ETHTOOL_GLINKSETTINGS");
	if (!n->has_link.source && a->detected >= 0)
		put_bool(s, &n->has_link, a->detected, "ETHTOOL_GLINK");
	if (n->speed_current_mbps.source || n->speed_max_mbps.source || n->duplex.s)
		return;
	ethtool_put_link(s, n, a->mbps, a->duplex, "ETHTOOL_GLINKSETTINGS");
	if (a->top_mbps)
		put_num(s, &n->speed_max_mbps, a->top_mbps, "ETHTOOL_GLINKSETTINGS");
}

/* Drivers of virtual links say nothing, "N/A" (bridge), or "tun" and "tap"; the kernel names the parent device for drivers that do not. */
static bool is_bus(const char *text)
{
	static const char *const none[] = { "", "N/A", "tun", "tap" };
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		if (!strcmp(text, none[i]))
			return false;
	return true;
}

bool ethtool_has_bus(struct survey *s, const struct hwp_nic *n)
{
	struct answers a = no_answers;
	const char *name = link_name(s, (uint32_t)n->ifindex.v);
	if (!name)
		return false;
	if (!s->root->is_live) {
		find_recorded(read_recorded(s), name, &a);
		return is_bus(a.bus);
	}
	AUTO(closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		ask_info(fd, name, &a);
	if (!is_bus(a.bus))
		return false;
	keep(s, name, "bus", a.bus);
	return true;
}

void ethtool_ask_drivers(struct survey *s)
{
	bool has_modes = survey_netdump(s, NETDUMP_LINKMODES) != NULL;
	char *text = NULL;
	AUTO(closep) int fd = -1;
	if (s->root->is_live)
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	else
		text = read_recorded(s);
	if (fd < 0 && !text)
		return;
	for (size_t i = 0; i < s->inv->nic_count; i++) {
		struct hwp_nic *n = &s->inv->nics[i];
		const char *name = link_name(s, (uint32_t)n->ifindex.v);
		struct answers a = no_answers;
		if (!name || !str_eq(n->type.s, "physical"))
			continue;
		if (fd >= 0)
			ask_driver(s, fd, n, name, has_modes, &a);
		else
			find_recorded(text, name, &a);
		put_answers(s, n, &a);
	}
}
