#pragma once
/* LLDP frames made by a test (IEEE 802.1AB-2016, clause 8). */
#include <string.h>
#include "tests/unit/hwprobe/tree.h"

struct frame {
	unsigned char data[2048];
	size_t len;
};

UNUSED static void frame_start(struct frame *f)
{
	static const unsigned char head[] = { 0x01, 0x80, 0xc2, 0,    0,    0x0e, 0x02,
					      0,    0,    0,    0x0a, 0x01, 0x88, 0xcc };
	memcpy(f->data, head, sizeof(head));
	f->len = sizeof(head);
}

UNUSED static void frame_add(struct frame *f, unsigned type, const void *value, size_t len)
{
	f->data[f->len++] = (unsigned char)(type << 1 | len >> 8);
	f->data[f->len++] = (unsigned char)len;
	memcpy(f->data + f->len, value, len);
	f->len += len;
}

#define FRAME_ADD(f, type, text) frame_add(f, type, text, sizeof(text) - 1)

/* Chassis, port and time to live of a switch. */
UNUSED static void frame_start_as(struct frame *f, const char *port)
{
	char id[64];
	frame_start(f);
	FRAME_ADD(f, 1, "\4\x44\x38\x39\0\0\1");
	snprintf(id, sizeof(id), "\5%s", port);
	frame_add(f, 2, id, strlen(id));
	FRAME_ADD(f, 3, "\0\x78");
}

/* Appends it as a recorded file has it. */
UNUSED static void frame_append(struct frame *file, const struct frame *f)
{
	file->data[file->len++] = (unsigned char)(f->len >> 8);
	file->data[file->len++] = (unsigned char)f->len;
	memcpy(file->data + file->len, f->data, f->len);
	file->len += f->len;
}
