/*
 * What an installation does to a disk before the first byte of an image, by the agent's own functions and in its order (agent/install.c): look, plan, take apart,
 * open exclusively, wipe.
 * usage: guest-teardown DEVICE      prints the plan; a refusal goes to stderr, status 1
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "agent/disk.h"
#include "agent/graph.h"
#include "agent/plan.h"
#include "agent/wipe.h"
#include "common/cleanup.h"

struct work {
	struct disk_id id;
	struct graph graph;
	struct plan plan;
	struct disk disk;
};

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
	const struct plan_input in = { .disk = &w->id, .graph = &w->graph };
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

	if (argc != 2)
		return 2;
	buf_init(&text, 64u << 10);
	int r = look(argv[1], &w, &err);
	if (r == 0 && (r = plan_text(&w.plan, &text)) == 0)
		fputs(text.data, stdout);
	if (r == 0)
		r = take(argv[1], &w, &err);
	if (r < 0)
		fprintf(stderr, "%s\n", fault_text(&err));
	graph_done(&w.graph);
	plan_done(&w.plan);
	return r < 0;
}
