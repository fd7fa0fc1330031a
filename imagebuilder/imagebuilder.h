#pragma once
/*
 * libimagebuilder: discovery media and OS images. Used by slipway-image, by slipwayd (which serves media by overlay), and by its forked converter.
 * Long functions take a progress that may be NULL and return -ECANCELED when it says so.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/fault.h"
#include "common/progress.h"
#include "common/slx.h"

/* --- token.c: everything that belongs to one infra-env, as one cpio segment (uncompressed newc; 4-byte aligned length) --- */
struct media_token {
	const char *service_url; /* https://HOST:PORT (no path) */
	const char *infra_env_id;
	const char *agent_token;   /* JWT; NULL = none (AUTH none) */
	const char *ca_pem;        /* NULL = system CAs */
	const char *agent_version; /* image name to report; NULL = ask the service */
	const char *ssh_authorized_keys, *http_proxy, *https_proxy, *no_proxy, *ntp_sources;
	const char *static_network_config; /* JSON text; NULL = none */
	const char *trust_bundle;          /* PEM appended to ca; NULL = none */
	const char *kernel_arguments;      /* JSON text, for information */
	int64_t created;                   /* seconds: clock floor */
	uint64_t interval_s;               /* 0 = agent's default */
};
/*
 * Members: etc/slipway/agent.conf (0644), etc/slipway/token (0600), etc/slipway/ca.pem, etc/slipway/authorized_keys,
 * etc/slipway/network.json, parents before them. The same token gives the same bytes. *ret owned by the caller.
 */
int media_token_segment(const struct media_token *t, void **ret, size_t *ret_len,
			struct fault *err);
/* Reads a segment back: *ret_text is a JSON description without secrets. For `show`. */
int media_token_describe(const void *segment, size_t len, char **ret_text, struct fault *err);

/* --- iso_area.c: reserved areas of an ISO --- */
#define TOKEN_AREA_PATH \
	"/boot/token.img" /* in our ISOs: zero-padded, loaded as the second initrd */
#define TOKEN_AREA_SIZE (256u << 10)
struct iso_area {
	uint64_t offset, length; /* bytes in the ISO */
	char path[256];          /* of the file that holds it */
	bool ignition;           /* a CoreOS ISO: content is a compressed cpio with config.ign */
};
/* Finds the area of one of our ISOs, else the Ignition area of a CoreOS live ISO (boot-media A6). -ENOENT when the ISO has none. */
int iso_area_find(int fd, struct iso_area *ret, struct fault *err);
/* Extent of a file (case-insensitive ECMA-119 walk). Several extents: -ENOTSUP. */
int iso_file_find(int fd, const char *path, uint64_t *ret_offset, uint64_t *ret_size,
		  struct fault *err);
/* Volume id, trimmed. */
int iso_volume_id(int fd, char ret[33], struct fault *err);
/* Writes @segment and zeros to the end of the area, in place: nothing else is touched. -EFBIG when it does not fit. */
int iso_area_write(int fd, const struct iso_area *a, const void *segment, size_t len,
		   struct fault *err);

/* --- overlay.c: a base ISO with areas replaced, as bytes; nothing is copied --- */
struct overlay;
/* Takes nothing: dup()s @base_fd; copies @segment. */
int overlay_open(int base_fd, const struct iso_area *a, const void *segment, size_t len,
		 struct overlay **ret, struct fault *err);
uint64_t overlay_size(const struct overlay *o);
long overlay_pread(void *overlay, void *data, size_t len,
		   uint64_t offset); /* >0, 0 at the end, -errno */
void overlay_free(void *overlay);
static inline void overlay_freep(struct overlay **o)
{
	overlay_free(*o);
}

/* --- build.c: a base image from packages (or the running system) --- */
struct build_spec {
	const char *
		root; /* tree with boot/vmlinuz-V, lib/modules/V, udev, busybox, …; "/" = this system; libraries it lacks come from this system */
	const char *kernel_version; /* NULL = the newest found */
	const char *agent;          /* slipway-agent to put in */
	const char *profile;        /* "virt" or "server" (module roots); NULL = server */
	const char *firmware_dir;   /* NULL = ROOT/lib/firmware */
	const char *grub_dir;       /* ROOT/usr/lib/grub; NULL = that, then the system's */
	const char *kernel_args;    /* default command line additions; NULL = none */
	const char *
		data_dir; /* has discovery/init and discovery/dhcp; NULL = as installed, else the source tree the program was built in */
	int64_t epoch; /* SOURCE_DATE_EPOCH: every date in the image; 0 = the date of the kernel file */
	int compression_level; /* zstd; 0 = 9 */
};
/*
 * Writes into the folder @out_dirfd: base.iso, vmlinuz, initrd.img, base.json (format, version, kernel, architecture, created, sizes, SHA-256
 * of each, list of modules and missing firmware). The same inputs give the same bytes.
 */
int build_base(const struct build_spec *spec, int out_dirfd, struct progress *p, struct fault *err);

/* --- os_image.c: a disk image as .raw.zst + .slx --- */
struct os_image_spec {
	int in_fd; /* seekable or not; raw, or gz/xz/zst/bz2 (by magic); container formats are refused with the tool to use */
	const char *label;     /* at most 32 bytes; NULL = "" */
	uint32_t chunk_size;   /* 0 = 1 MiB, which is also the least */
	int compression_level; /* 0 = 3 */
	unsigned threads;      /* 0 = number of CPUs */
	int64_t created;       /* seconds */
};
/*
 * Writes payload and index to the descriptors (empty regular files); both are fsynced. Checks that it is a bootable disk image: GPT or MBR, size >= 1 MiB.
 * *ret_index (may be NULL) is filled; slx_done() it.
 */
int os_image_convert(const struct os_image_spec *spec, int payload_fd, int index_fd,
		     struct slx *ret_index, struct progress *p, struct fault *err);
