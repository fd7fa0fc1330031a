#pragma once
/*
 * What the two processes of the agent tell each other over common/ipc. Payloads are JSON objects unless said otherwise. The root process
 * believes nothing: it checks types and values, and does only what is named here.
 */
enum agent_msg {
	/* root -> network */
	MSG_CONFIG =
		1, /* agent_config, first of all; with "is_registered" after a restart of the network process, and "has_medium" (medium.h) */
	MSG_ANSWER, /* to the MSG_ASK_* of the same id: {"code": 0 or -errno, "output", "error"}; a descriptor for logs */
	MSG_PING,   /* empty; the pong has the same id */
	MSG_RESUME, /* an installation goes on: its job (job.h); descriptor: the index */
	MSG_STREAM, /* empty; descriptor: the stream socket of a writer (install.h) */
	MSG_REPORT, /* struct install_report */
	MSG_JOINED, /* empty: slipway-join.target was reached */

	/* network -> root */
	MSG_ASK_INVENTORY = 32, /* {"output_max_bytes", "disk_min_bytes"}; empty = no limits */
	MSG_ASK_LOGS,           /* empty; the answer's descriptor is a memfd with a tar.gz */
	MSG_ASK_CANCEL, /* empty: stop the installation; the answer comes when it has stopped */
	MSG_ASK_MEDIUM, /* empty: can the live system's medium be read? -ENOMEDIUM: no */
	MSG_PONG,       /* empty */
	MSG_INSTALL,    /* a job (job.h); descriptor: memfd with the index */
	MSG_REBOOT,     /* empty; only after an installation is done */
	MSG_STATUS,     /* what status.json shows */
	MSG_CLOCK, /* {"offset_us"}: an NTP server's word; only while the kernel says the clock is not synchronised */
	MSG_FINISHED, /* empty: nothing is left to do (installed system, Done acknowledged) */
};

#define MSG_PAYLOAD_MAX (4u << 20) /* bytes: an inventory is the largest */
#define MSG_NET_FD 3               /* the network process finds its end of the channel here */
