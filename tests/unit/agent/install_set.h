#pragma once
/*
 * One installation on a disk in memory, for the tests of the install engine: image, index, disk,
 * the other end of the stream, and what must hold afterwards.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include "agent/install.h"
#include "tests/unit/agent/install_rig.h"

#define MIB 24u
#define IMAGE ((uint64_t)MIB * RIG_MIB)
#define DISK ((uint64_t)40 * RIG_MIB)
#define ID "11111111-2222-3333-4444-555555555555"

struct run {
	struct feeder feeder;
	struct fault err;
	struct install_report last;
	unsigned reports, percents; /* reports; distinct percents */
	bool has_fallen;            /* a percent was smaller than the one before */
	uint32_t phases_seen;
	/* sees every report before the engine goes on; may be NULL */
	void (*watch)(void *ctx, const struct install_report *r);
	void *watch_ctx;
	volatile sig_atomic_t cancel;
};

static inline void on_report(void *ctx, const struct install_report *r)
{
	struct run *run = ctx;

	run->has_fallen |= run->reports && r->percent < run->last.percent;
	run->percents += !run->reports || r->percent != run->last.percent;
	run->reports++;
	run->phases_seen |= 1u << r->phase;
	run->last = *r;
	if (run->watch)
		run->watch(run->watch_ctx, r);
}

static inline int install(struct mem_disk *m, const struct rig_index *x, const uint8_t *image,
			  const char *state, struct run *run)
{
	const struct install_params p = {
		.device = "memory",
		.install_id = ID,
		.index = x->data,
		.index_len = x->len,
		.state_path = state,
	};
	const struct install_sink sink = { .report = on_report,
					   .ctx = run,
					   .cancel = &run->cancel };

	run->cancel = 0;
	if (m->cancel_at)
		m->cancel = &run->cancel;
	int fd = feeder_start(&run->feeder, image, &x->slx);
	int r = install_run(&p, &m->d, fd, &sink, &run->err);
	close(fd);
	feeder_join(&run->feeder);
	return r;
}

static inline bool is_zero(const uint8_t *p, size_t len)
{
	return p[0] == 0 && !memcmp(p, p + 1, len - 1);
}

/*
 * Everything behind the first MiB is the image; the table is the image's, moved to the end of the
 * disk.
 */
static inline void check_installed(const struct mem_disk *m, const uint8_t *disk,
				   const uint8_t *image)
{
	uint32_t s = m->d.id.sector_size;
	AUTO(gpt_done) struct gpt g = { 0 }, want = { 0 };

	assert_memory_equal(disk + RIG_MIB, image + RIG_MIB, IMAGE - RIG_MIB);
	assert_memory_equal(disk, image, 446);
	assert_int_equal(gpt_parse(disk, RIG_MIB, s, &g, NULL), 0);
	assert_int_equal(gpt_parse(image, RIG_MIB, s, &want, NULL), 0);
	assert_memory_equal(g.entries, want.entries, 128 * 128);
	assert_int_equal(g.alternate_lba, m->size / s - 1);
	assert_memory_equal(disk + m->size - s, "EFI PART", 8);
	assert_memory_equal(disk + m->size - s - 128 * 128, disk + 2 * s, 128 * 128);
}

struct set {
	uint8_t *image;
	struct rig_index x;
	struct mem_disk *m;
	struct run run;
	bool has_soiled; /* for a watch that does its work once */
};

static inline void set_make(struct set *s, uint32_t chunk, uint32_t sector)
{
	*s = (struct set){ .image = rig_image(MIB, sector, 3) };
	rig_index_make(&s->x, s->image, IMAGE, chunk, sector);
	s->m = mem_disk_new(DISK, sector);
}

static inline void set_done(struct set *s)
{
	free(s->image);
	rig_index_done(&s->x);
	mem_disk_free(s->m);
	feeder_done(&s->run.feeder);
}

static inline int set_run(struct set *s, const char *state)
{
	return install(s->m, &s->x, s->image, state, &s->run);
}

/* After any failure: nothing to boot from, whatever the cache did. */
static inline void check_not_bootable(const struct mem_disk *m)
{
	assert_true(is_zero(m->cache, m->d.id.sector_size));
	assert_true(is_zero(m->persist, m->d.id.sector_size));
	assert_int_equal(m->lba0_writes, 0);
}

static inline void check_untouched(const struct mem_disk *m)
{
	assert_int_equal(m->writes, 0);
	for (uint64_t i = 0; i < m->size; i++)
		if (m->cache[i] != 0xAA)
			fail_msg("byte %llu was touched", (unsigned long long)i);
}
static inline void state_path(char path[128], const char *name)
{
	snprintf(path, 128, "/tmp/slipway-test-%d-%s/install.state", (int)getpid(), name);
}

static inline void state_remove(const char *path)
{
	char text[160];

	unlink(path);
	snprintf(text, sizeof(text), "%s.lock", path);
	unlink(text);
	*strrchr(text, '/') = '\0';
	rmdir(text);
}
