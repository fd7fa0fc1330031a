/*
 * Superblocks of members: the first byte says of which format, the second where the magic was seen
 * (in sectors of 64 bytes), the rest is the device. Whatever it is: told or refused, and what is told
 * is usable.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "agent/member.h"
#include "common/cleanup.h"
#include "common/fd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static member_decode *const decoders[] = { member_md,    member_imsm, member_ddf, member_bcache,
					   member_btrfs, member_zfs,  member_lvm };

static void check_text(const char *text, size_t max)
{
	if (memchr(text, 0, max) == NULL)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(closep) int fd = memfd_create("member", MFD_CLOEXEC);
	struct member m = { 0 };

	if (size < 2 || fd < 0 || fd_pwrite(fd, data + 2, size - 2, 0) < 0)
		return 0;
	const struct member_range r = { fd, 0, size - 2 };
	int got = decoders[data[0] % ARRAY_SIZE(decoders)](&r, data[1] * 64u, &m);
	if (got > 1 || (got < 0 && got != -EIO && got != -EBADMSG && got != -EOVERFLOW))
		abort();
	check_text(m.set, sizeof(m.set));
	check_text(m.self, sizeof(m.self));
	check_text(m.name, sizeof(m.name));
	for (size_t i = 0; i < m.peers_n; i++)
		check_text(m.peers[i], MEMBER_ID_MAX);
	if (m.inside_n > MEMBER_INSIDE_MAX || m.peers_n > MEMBER_PEERS_MAX)
		abort();
	member_done(&m);
	return 0;
}
