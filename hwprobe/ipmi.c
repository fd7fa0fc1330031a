#include "hwprobe/ipmi.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ipmi.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "common/cleanup.h"
#include "common/str.h"

enum { COMPLETION_INVALID_COMMAND = 0xc1 };

const char *const ipmi_nodes[] = { "dev/ipmi0", "dev/ipmi/0", "dev/ipmidev/0", NULL };

int ipmi_open(struct ipmi *i, ipmi_exchange_fn *exchange, unsigned timeout_ms)
{
	*i = (struct ipmi){ .fd = -1, .exchange = exchange, .end_ms = time_mono_ms() + timeout_ms };
	int rc = exchange ? 0 : -ENOENT;
	for (size_t n = 0; rc == -ENOENT && ipmi_nodes[n]; n++) {
		char path[32];
		snprintf(path, sizeof(path), "/%s", ipmi_nodes[n]);
		i->fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		rc = i->fd < 0 ? -errno : 0;
	}
	return rc;
}

void ipmi_open_record(struct ipmi *i, const char *text)
{
	*i = (struct ipmi){ .fd = -1, .record = text };
}

void ipmi_done(struct ipmi *i)
{
	if (i->fd >= 0)
		close(i->fd);
	i->fd = -1;
}

/* --- replay: lines "netfn cmd data… > completion-code data…", hex bytes ------------------------------------ */

/* Bytes up to ">" or the end of the line; -1 = no hex bytes. */
static int parse_bytes(const char **p, uint8_t *bytes, size_t max)
{
	size_t n = 0;
	for (;;) {
		*p += strspn(*p, " \t");
		if (!**p || **p == '\n' || **p == '>')
			return (int)n;
		char *end;
		unsigned long v = strtoul(*p, &end, 16);
		if (end == *p || v > 0xff || n == max)
			return -1;
		bytes[n++] = (uint8_t)v;
		*p = end;
	}
}

bool ipmi_is_record(const char *text)
{
	uint8_t bytes[IPMI_DATA_MAX + 2];
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		const char *p = line;
		if (parse_bytes(&p, bytes, sizeof(bytes)) >= 2 && *p == '>')
			return true;
	}
	return false;
}

static int replay(const struct ipmi *i, const uint8_t *want, size_t want_len, uint8_t *ret,
		  size_t *ret_len)
{
	uint8_t ask[IPMI_DATA_MAX + 2], answer[IPMI_DATA_MAX + 1];
	for (const char *line = i->record; line && *line;
	     line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		const char *p = line;
		int n = parse_bytes(&p, ask, sizeof(ask));
		if (n < 2 || *p != '>' || (size_t)n != want_len || memcmp(ask, want, want_len))
			continue;
		p++;
		n = parse_bytes(&p, answer, sizeof(answer));
		if (n < 1)
			continue;
		*ret_len = (size_t)n - 1;
		memcpy(ret, answer + 1, *ret_len);
		return answer[0];
	}
	return COMPLETION_INVALID_COMMAND;
}

/* --- the kernel (include/uapi/linux/ipmi.h) ------------------------------------------------------------------- */

static int send_command(struct ipmi *i, uint8_t netfn, uint8_t cmd, const uint8_t *data, size_t len)
{
	struct ipmi_system_interface_addr addr = { .addr_type = IPMI_SYSTEM_INTERFACE_ADDR_TYPE,
						   .channel = IPMI_BMC_CHANNEL };
	struct ipmi_req req = {
		.addr = (unsigned char *)&addr,
		.addr_len = sizeof(addr),
		.msgid = ++i->next_id,
		.msg = { .netfn = netfn,
			 .cmd = cmd,
			 .data_len = (unsigned short)len,
			 .data = (unsigned char *)data },
	};
	return ioctl(i->fd, IPMICTL_SEND_COMMAND, &req) < 0 ? -errno : 0;
}

/* One message; -EAGAIN = it answers an earlier question. */
static int receive(struct ipmi *i, uint8_t *ret, size_t *ret_len)
{
	struct ipmi_addr addr;
	uint8_t data[IPMI_DATA_MAX + 1];
	struct ipmi_recv recv = {
		.addr = (unsigned char *)&addr,
		.addr_len = sizeof(addr),
		.msg = { .data = data, .data_len = sizeof(data) },
	};
	if (ioctl(i->fd, IPMICTL_RECEIVE_MSG_TRUNC, &recv) < 0)
		return errno == EMSGSIZE ? -EMSGSIZE : -errno;
	if (recv.recv_type != IPMI_RESPONSE_RECV_TYPE || recv.msgid != i->next_id ||
	    !recv.msg.data_len)
		return -EAGAIN;
	*ret_len = (size_t)recv.msg.data_len - 1;
	memcpy(ret, data + 1, *ret_len);
	return data[0];
}

static int wait_answer(struct ipmi *i, uint8_t *ret, size_t *ret_len)
{
	int64_t end = MIN_OF(time_mono_ms() + IPMI_COMMAND_TIMEOUT_MS, i->end_ms);
	for (;;) {
		int64_t left = end - time_mono_ms();
		struct pollfd p = { .fd = i->fd, .events = POLLIN };
		int n = left > 0 ? poll(&p, 1, (int)left) : 0;
		if (n == 0)
			return -ETIMEDOUT;
		if (n < 0 && errno != EINTR)
			return -errno;
		int rc = n > 0 ? receive(i, ret, ret_len) : -EAGAIN;
		if (rc != -EAGAIN)
			return rc;
	}
}

/* " aa bb" */
static const char *hex_bytes(char *text, size_t size, const uint8_t *data, size_t len)
{
	*text = '\0';
	for (size_t n = 0; n < len && n * 3 + 4 <= size; n++)
		snprintf(text + n * 3, size - n * 3, " %02x", data[n]);
	return text;
}

static void keep_exchange(struct buf *out, const uint8_t *asked, size_t asked_len, int code,
			  const uint8_t *answer, size_t len)
{
	char question[(IPMI_DATA_MAX + 2) * 3 + 4], text[(IPMI_DATA_MAX + 1) * 3 + 4];
	const char *q = hex_bytes(question, sizeof(question), asked, asked_len);
	/* A line that does not fit any more is a question without an answer for the replay. */
	(void)buf_printf(out, "%s > %02x%s\n", q + 1, code,
			 hex_bytes(text, sizeof(text), answer, len));
}

static int ask_device(struct ipmi *i, uint8_t netfn, uint8_t cmd, const uint8_t *data, size_t len,
		      uint8_t *ret, size_t *ret_len)
{
	if (i->exchange)
		return i->exchange(netfn, cmd, data, len, ret, ret_len);
	int rc = send_command(i, netfn, cmd, data, len);
	return rc < 0 ? rc : wait_answer(i, ret, ret_len);
}

int ipmi_ask(struct ipmi *i, uint8_t netfn, uint8_t cmd, const uint8_t *data, size_t len,
	     uint8_t *ret, size_t *ret_len)
{
	if (len > IPMI_DATA_MAX)
		return -EMSGSIZE;
	uint8_t asked[IPMI_DATA_MAX + 2] = { netfn, cmd };
	if (len)
		memcpy(asked + 2, data, len);
	if (i->record)
		return replay(i, asked, len + 2, ret, ret_len);
	int rc = ask_device(i, netfn, cmd, data, len, ret, ret_len);
	if (rc >= 0 && i->transcript)
		keep_exchange(i->transcript, asked, len + 2, rc, ret, *ret_len);
	return rc;
}
