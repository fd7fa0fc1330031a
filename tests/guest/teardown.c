/*
 * What an installation does to a disk before the first byte of an image, by the agent's own functions and in its order (agent/install.c): look, plan, take apart,
 * open exclusively, wipe.
 * usage: guest-teardown DEVICE [GIVEN-UP...]      prints the plan; a refusal goes to stderr, status 1
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "agent/disk.h"
#include "agent/graph.h"
#include "agent/member.h"
#include "agent/plan.h"
#include "agent/wipe.h"
#include "common/cleanup.h"

#define GIVEN_UP_MAX 8

struct work {
	struct disk_id id;
	dev_t given_up[GIVEN_UP_MAX];
	size_t given_up_n;
	struct graph graph;
	struct members members;
	struct plan plan;
	struct disk disk;
};

static int give_up(char **devices, struct work *w, struct fault *err)
{
	for (; *devices; devices++) {
		struct disk_id id;
		int r = disk_id_read(*devices, &id, err);

		if (r < 0)
			return r;
		if (w->given_up_n == GIVEN_UP_MAX)
			return fault_set(err, -E2BIG, "too many disks");
		w->given_up[w->given_up_n++] = id.devno;
	}
	return 0;
}

static int look(const char *device, struct work *w, struct fault *err)
{
	AUTO(closep) int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = disk_id_read(device, &w->id, err);

	if (r == 0)
		r = graph_read(root, w->id.devno, &w->graph, err);
	if (r < 0)
		return r;
	AUTO(closep) int fd = open(device, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fault_set(err, -errno, "cannot read %s", device);
	r = graph_probe(&w->graph, root, fd, w->id.sector_size, err);
	if (r == 0)
		r = members_scan(root, &w->graph, fd, false, NULL, &w->members, err);
	const struct plan_input in = { .disk = &w->id,
				       .graph = &w->graph,
				       .members = &w->members,
				       .given_up = w->given_up,
				       .given_up_n = w->given_up_n };
	return r < 0 ? r : plan_make(&in, &w->plan, err);
}

static int take(const char *device, struct work *w, struct fault *err)
{
	int r = plan_teardown(&w->plan, err);

	if (r == 0)
		r = disk_open(device, &w->id, &w->disk, err);
	if (r < 0)
		return r;
	r = wipe_signatures(&w->disk, &w->plan, err);
	if (r == 0)
		r = wipe_ends(&w->disk, err);
	if (r == 0 && w->disk.ops->reread_table(&w->disk) < 0)
		r = fault_set(err, -EBUSY, "%s: the partition table is still in use", device);
	disk_close(&w->disk);
	return r;
}

int main(int argc, char **argv)
{
	struct work w = { 0 };
	struct fault err = FAULT_INIT;
	AUTO(buf_done) struct buf text;

	if (argc < 2)
		return 2;
	buf_init(&text, 64u << 10);
	int r = give_up(argv + 2, &w, &err);
	if (r == 0)
		r = look(argv[1], &w, &err);
	if (r == 0 && (r = plan_text(&w.plan, &text)) == 0)
		fputs(text.data, stdout);
	if (r == 0)
		r = take(argv[1], &w, &err);
	if (r < 0)
		fprintf(stderr, "%s\n", fault_text(&err));
	graph_done(&w.graph);
	members_done(&w.members);
	plan_done(&w.plan);
	return r < 0;
}
