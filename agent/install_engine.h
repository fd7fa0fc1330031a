#pragma once
/*
 * Inside of the install engine: one installation, step by step.
 */
#include <stdbool.h>
#include <stdint.h>
#include "agent/commit.h"
#include "agent/graph.h"
#include "agent/install.h"
#include "agent/plan.h"
#include "agent/state.h"
#include "agent/stream.h"
#include "agent/writer.h"
#include "common/slx.h"

struct engine {
	const struct install_params *p;
	const struct install_sink *sink;
	struct slx slx;
	struct graph graph;
	struct members members;
	struct plan plan;
	struct disk own; /* when the caller gave none */
	struct disk *d;  /* NULL until it is open */
	/* as it was checked; the descriptor opened later must be the same disk */
	struct disk_id id;
	bool is_efi;

	uint8_t *head; /* the first chunks of the image, at least COMMIT_HEAD_BYTES; owned */
	uint32_t head_chunks;
	size_t head_len;
	struct commit commit;

	int stream_fd;
	struct stream stream;
	bool has_stream;
	struct writer *writer;
	struct install_state state;
	bool has_state; /* an earlier try has left it */
	/* the disk is no longer what it was: after a failure both ends are zeroed again */
	bool is_dirty;
	char loader[64];
	uint32_t esp_number;

	struct install_report report;
	int64_t phase_since_ms;
	int lock_fd;
};

/*
 * install_check.c: index, device, graph, plan. When a disk is open already (e->d) only its size and
 * sectors. Fills e->id.
 */
int engine_check(struct engine *e, struct fault *err);
/*
 * Looks at the device once more: the first chunks may have taken minutes to come, and what stands
 * on the disk now is what must be judged and taken apart. -ESTALE: another disk.
 */
int engine_plan_again(struct engine *e, struct fault *err);
/* install_head.c: fetches and checks the first chunks, prepares the commit. */
int engine_head(struct engine *e, struct fault *err);
/*
 * The part of the head that lies behind the first MiB (chunks larger than that): written and read
 * back.
 */
int engine_head_rest(struct engine *e, struct fault *err);
/* install.c */
void engine_report(struct engine *e, enum install_phase phase, unsigned percent, uint64_t done,
		   uint64_t total, const char *text);
