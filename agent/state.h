#pragma once
/*
 * What an interrupted installation leaves for the next try: /run/slipway/install.state. A hint,
 * never a proof: chunks are only skipped when their hash on the disk is right. Host byte order;
 * unknown, foreign or damaged files count as absent.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "agent/disk.h"
#include "common/digest.h"
#include "common/fault.h"
#include "common/str.h"

#define STATE_GUIDS_MAX 128
#define STATE_FILE_MAX (256u << 10) /* bytes: header and a bitmap of SLX_ENTRIES_MAX chunks */

struct install_state {
	char install_id[UUID_LEN + 1];
	uint8_t image_id[SHA256_LEN];
	char wwn[DISK_ID_MAX], serial[DISK_ID_MAX];
	uint64_t size_bytes, diskseq;
	uint32_t guids_n;
	uint8_t guids[STATE_GUIDS_MAX]
		     /*
		      * of the partitions that were on the disk before: their boot entries are stale
		      */
		     [16];
	bool is_committed; /* LBA 0 has been written: only the boot entry may be missing */
	uint32_t chunks;
	uint8_t *flushed; /* bitmap of @chunks bits, owned */
};

/* Sets all but guids and bitmap (zeroed, allocated here). */
int install_state_init(struct install_state *s, const char *install_id,
		       const uint8_t image_id[SHA256_LEN], uint32_t chunks,
		       const struct disk_id *disk, struct fault *err);
void install_state_done(struct install_state *s);

/* The serialised form; *ret_data is owned by the caller. */
int install_state_format(const struct install_state *s, void **ret_data, size_t *ret_len,
			 struct fault *err);
/* -EBADMSG for anything that install_state_format() has not made. */
int install_state_parse(const void *data, size_t len, struct install_state *ret, struct fault *err);

/* Temporary file, fsync, rename. The folder is made when it is missing. */
int install_state_save(const char *path, const struct install_state *s, struct fault *err);
/*
 * 1 = *ret filled with the state of exactly this installation on exactly this disk, 0 = there is
 * none.
 */
int install_state_load(const char *path, const struct install_state *want,
		       struct install_state *ret);
