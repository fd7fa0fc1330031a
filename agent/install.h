#pragma once
/*
 * The install engine: everything that touches a disk, in a forked root process ("writer") that has
 * no network. The network process sends it decompressed chunks over a stream socket; the writer
 * asks for what it wants, copies, hashes, compares with the index and only then writes.
 *
 * Life of a writer, and what the daemon sees (struct install_report on a pipe):
 *   CHECK      nothing is touched: arguments, index against disk, device graph, plan; the first chunks arrive and their GPT is checked
 *   PREPARE    tear-down, O_EXCL + flock, identity again, wipe, both ends zero and flushed
 *   WRITE      chunks, read-back follows as VERIFY; percent counts flushed bytes
 *   CONFIGURE  seed files through a loop device at the root partition's offset
 *   COMMIT     backup GPT, primary GPT, LBA 0 last
 *   BOOT       EFI boot entry (nothing on BIOS machines)
 *   DONE | FAILED   the last report
 * Up to the end of COMMIT LBA 0 is zero, whatever happens: kill -9 leaves a disk that does not
 * boot. Started again with the same parameters the writer goes on where it was (install.state, and
 * each chunk that is on the disk is checked by its hash).
 */
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "agent/disk.h"
#include "common/fault.h"

/* --- the stream socket (AF_UNIX, SOCK_STREAM, host byte order) --------------------------- */
/*
 * writer -> network: "I want chunks first … first+count-1", in the order they should come. Chunks
 * flagged zero in the index are never wanted. First come the wants for the first MiB (nothing is
 * touched until it is here and its partition table is good), then, coalesced, everything else that
 * is not on the disk yet, so long range requests are possible; the socket's buffer is the
 * back-pressure. The same chunk may be wanted again later (it had a wrong digest, or the disk gave
 * back something else). No chunk is wanted twice at the same time.
 */
struct install_want {
	uint32_t first;
	/*
	 * 0 with first == INSTALL_WANT_END: nothing will be asked any more, the socket may be
	 * closed
	 */
	uint32_t count;
};
#define INSTALL_WANT_END UINT32_MAX

/*
 * network -> writer: a header and @length bytes. A chunk's length must be the chunk's uncompressed
 * length in the index. Chunks may come in any order. index == INSTALL_FRAME_ERROR: the image cannot
 * be fetched; @length (<= INSTALL_ERROR_MAX) bytes are the sentence (UTF-8, no NUL), and the writer
 * fails with it. End of file while chunks are wanted: the writer fails with -EPIPE (the network
 * process died; start it again).
 */
struct install_frame {
	uint32_t index;
	uint32_t length;
};
#define INSTALL_FRAME_ERROR UINT32_MAX
#define INSTALL_ERROR_MAX 1000
/* A chunk is asked for at most this often because of a wrong digest. */
#define INSTALL_CHUNK_TRIES 3

/* --- parameters -------------------------------------------------------------------------- */
/*
 * A file put into the installed root file system; parents are made 0755 (etc/slipway itself 0700).
 */
struct install_file {
	const char *path; /* relative, "etc/slipway/token"; no "..", no links are followed */
	mode_t mode;      /* 0600 */
	const void *data;
	size_t len;
};
#define INSTALL_FILES_MAX 16
#define INSTALL_FILE_MAX (1u << 20) /* bytes each */
#define INSTALL_GIVEN_UP_MAX 1024   /* disks */

enum install_boot_order {
	/* the new entry stands behind BootCurrent, BootNext leads to it once */
	INSTALL_BOOT_AFTER_CURRENT,
	INSTALL_BOOT_FIRST,
};

#define INSTALL_STATE_PATH "/run/slipway/install.state"
#define INSTALL_BOOT_LABEL "Slipway node"

/* Everything is borrowed for the time of the call. */
struct install_params {
	const char *device; /* boot_device of the step, any path to the whole disk */
	/* from disk_id_read() at inventory time; zeroed fields are not compared */
	struct disk_id expect;
	/* UUID text: one per install step of a host, the same when it is resumed */
	const char *install_id;
	const void *index; /* .slx */
	size_t index_len;
	const struct install_file *files; /* the seed; may be none */
	size_t files_n;
	const char *state_path; /* INSTALL_STATE_PATH; NULL = no state is kept */
	const char *boot_label; /* NULL = INSTALL_BOOT_LABEL */
	enum install_boot_order boot_order;
	/* whole disks that the user gives up (struct plan_input) */
	const dev_t *given_up;
	size_t given_up_n;
	bool no_disk_writes; /* fails with -EPERM after CHECK, before anything is touched */
	bool allow_loop;     /* loop devices are disks too: rigs and tests */
};

/* --- reports ----------------------------------------------------------------------------- */
enum install_phase {
	INSTALL_CHECK,
	INSTALL_PREPARE,
	INSTALL_WRITE,
	INSTALL_VERIFY,
	INSTALL_CONFIGURE,
	INSTALL_COMMIT,
	INSTALL_BOOT,
	INSTALL_DONE, /* percent is 100 */
	/* code and text say why; is_committed says whether the disk already boots */
	INSTALL_FAILED,
	INSTALL_PHASE_COUNT
};
const char *install_phase_name(enum install_phase p);

/* One message of fixed size (below PIPE_BUF, so it is read whole or not at all). */
struct install_report {
	uint32_t phase; /* enum install_phase */
	/* of the whole installation, rising; counts flushed bytes; 100 only after the commit */
	uint32_t percent;
	uint64_t done_bytes;                    /* in this phase */
	uint64_t total_bytes;                   /* in this phase, 0 = not counted in bytes */
	int32_t code;                           /* FAILED: negative errno */
	uint8_t is_committed;                   /* LBA 0 has been written */
	uint8_t is_resumed;                     /* some chunks were on the disk already */
	uint16_t repaired;                      /* chunks that were written a second time */
	uint64_t phase_ms[INSTALL_PHASE_COUNT]; /* time spent in each phase so far */
	char text[512];                         /* a sentence; for FAILED the reason */
};

/* --- the daemon's side ------------------------------------------------------------------- */
struct install_writer {
	pid_t pid;
	int report_fd; /* owned; non-blocking: add it to the loop, then install_writer_read() */
	/* private */
	bool has_ended, is_reaped;
	struct install_report last;
};

/*
 * All checks that need no image data and touch nothing: index, device, identity, graph, plan. For a
 * refusal before anything is fetched.
 * *ret_plan (may be NULL, owned by the caller): the plan as text.
 */
int install_check(const struct install_params *p, char **ret_plan, struct fault *err);

/*
 * The stream socket: ret_fds[0] for the writer, ret_fds[1] for who brings the chunks. Whole chunks fit
 * into it where the process may have that (CAP_NET_ADMIN), so that neither end waits for the other
 * at every fifth of one. 0 or -errno.
 */
#define INSTALL_STREAM_BUFFER (4u << 20)
int install_stream_pair(int ret_fds[2]);

/*
 * Forks the writer (which repeats install_check()). @stream_fd is closed in the caller whatever
 * happens. The writer is killed when the calling *thread's process* ends (PR_SET_PDEATHSIG). Only
 * one writer exists at a time (lock beside state_path): -EALREADY in its report when the other one
 * is not gone after ten seconds.
 */
int install_writer_start(const struct install_params *p, int stream_fd, struct install_writer *ret,
			 struct fault *err);
/*
 * 1 = *ret filled, 0 = the writer is gone and everything has been read, -EAGAIN. When the writer
 * ended without DONE or FAILED (killed), one FAILED report is made up from how it ended: it always
 * comes exactly once. Reaps the process.
 */
int install_writer_read(struct install_writer *w, struct install_report *ret);
/*
 * Asks it to stop between two chunks; it makes both ends zero again, and reports FAILED with
 * -ECANCELED. After the commit it is ignored.
 */
void install_writer_cancel(const struct install_writer *w);
/* Kills and reaps it if it still runs, closes the pipe. */
void install_writer_done(struct install_writer *w);

/* --- the engine in the calling process (what the writer runs, and what tests call) ------- */
struct install_sink {
	void (*report)(void *ctx, const struct install_report *r); /* may be NULL */
	void *ctx;
	const volatile sig_atomic_t *cancel; /* may be NULL */
};
/*
 * @d: NULL = open p->device; else that disk is used and neither graph nor plan are looked at (tests
 * on plain files).
 */
int install_run(const struct install_params *p, struct disk *d, int stream_fd,
		const struct install_sink *sink, struct fault *err);
