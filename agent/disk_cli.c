#include "agent/disk_cli.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/disk.h"
#include "agent/graph.h"
#include "agent/plan.h"
#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/str.h"
#include "common/verb.h"

#define DISKS_MAX 1024

/* All that is known about one disk without writing to it. */
struct look {
	struct disk_id id;
	struct graph graph;
	struct members members;
	struct plan plan;
	struct fault refusal; /* code 0 = it can be installed on */
};

static void look_done(struct look *l)
{
	graph_done(&l->graph);
	members_done(&l->members);
	plan_done(&l->plan);
}

/* Whole disks by their names. */
static int given_up_read(const char *list, dev_t *ret, size_t *ret_n, struct fault *err)
{
	AUTO(freep) char *copy = list ? str_dup(list) : NULL;
	char *save = NULL;

	*ret_n = 0;
	for (char *name = copy ? strtok_r(copy, ",", &save) : NULL; name;
	     name = strtok_r(NULL, ",", &save)) {
		struct disk_id id;
		int r = disk_id_read(name, &id, err);

		if (r < 0)
			return r;
		if (*ret_n == DISKS_MAX)
			return fault_set(err, -E2BIG, "more than %d disks to format", DISKS_MAX);
		ret[(*ret_n)++] = id.devno;
	}
	return 0;
}

/* @all: the members on all disks, where they are known; NULL = they are looked for. */
static int look_at(const struct disk_cli *c, const char *device, const struct members *all,
		   struct look *l, struct fault *err)
{
	AUTO(closep) int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dev_t given_up[DISKS_MAX];
	size_t given_up_n;
	int r = given_up_read(c->disks_to_format, given_up, &given_up_n, err);

	if (r == 0)
		r = disk_id_read(device, &l->id, err);

	if (r == 0)
		r = graph_read(root, l->id.devno, &l->graph, err);
	if (r < 0)
		return r;
	AUTO(closep) int fd = open(device, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		fault_set(&l->refusal, -errno, "cannot read %s: %s", device, strerror(errno));
		return 0;
	}
	r = graph_probe(&l->graph, root, fd, l->id.sector_size, err);
	if (r == 0)
		r = members_scan(root, &l->graph, fd, c->allow_loop, all, &l->members, err);
	if (r < 0)
		return r;
	const struct plan_input in = { .disk = &l->id,
				       .graph = &l->graph,
				       .members = &l->members,
				       .given_up = given_up,
				       .given_up_n = given_up_n,
				       .allow_loop = c->allow_loop };
	(void)plan_make(&in, &l->plan, &l->refusal);
	return 0;
}

static json_t *look_json(const struct look *l)
{
	json_t *actions = json_array();

	for (size_t i = 0; i < l->plan.n; i++) {
		const struct plan_action *a = &l->plan.actions[i];

		json_array_append_new(actions, json_pack("{s:s, s:s, s:s, s:I, s:I}", "action",
							 plan_action_name(a->kind), "device",
							 a->name, "reason", a->reason,
							 "start_bytes", (json_int_t)a->start_bytes,
							 "size_bytes", (json_int_t)a->size_bytes));
	}
	return json_pack("{s:s, s:s, s:s, s:I, s:i, s:b, s:b, s:s, s:o}", "name", l->id.name,
			 "serial", l->id.serial, "wwn", l->id.wwn, "size_bytes",
			 (json_int_t)l->id.size_bytes, "sector_size_bytes", (int)l->id.sector_size,
			 "removable", l->id.is_removable, "installable", l->refusal.code == 0,
			 "refusal", l->refusal.code ? fault_text(&l->refusal) : "", "plan",
			 actions);
}

static int json_print(json_t *value)
{
	AUTO(json_decrefp) json_t *v = value;
	AUTO(freep) char *text = v ? json_dumps(v, JSON_INDENT(2)) : NULL;

	if (!text)
		return EXIT_FAILED;
	puts(text);
	return EXIT_DONE;
}

static int fail(const struct fault *err)
{
	fprintf(stderr, "slipway-agent: %s\n", fault_text(err));
	return EXIT_FAILED;
}

/* --- list -------------------------------------------------------------------------------- */

static bool is_shown(const char *name)
{
	static const char *const no_disks[] = { "ram", "zram", "loop", "sr", "fd", "dm-" };

	for (size_t i = 0; i < ARRAY_SIZE(no_disks); i++)
		if (str_starts(name, no_disks[i]))
			return false;
	return name[0] != '.';
}

static void row_print(const struct look *l)
{
	printf("%-12s %10.1f GiB  %4u  %-24s %s\n", l->id.name,
	       (double)l->id.size_bytes / (1u << 30), l->id.sector_size,
	       *l->id.serial ? l->id.serial : "-",
	       l->refusal.code ? fault_text(&l->refusal) : "can be installed on");
}

static void disk_show(const struct disk_cli *c, const char *name, const struct members *members,
		      json_t *all)
{
	AUTO(look_done) struct look l = { 0 };
	struct fault err = FAULT_INIT;
	char device[NAME_MAX + 8];

	snprintf(device, sizeof(device), "/dev/%s", name);
	int r = look_at(&(struct disk_cli){ 0 }, device, members, &l, &err);
	if (r == -ENOMEDIUM) /* empty card readers */
		return;
	if (r < 0) {
		(void)fail(&err);
		return;
	}
	if (c->json)
		json_array_append_new(all, look_json(&l));
	else
		row_print(&l);
}

static int name_cmp(const struct dirent **a, const struct dirent **b)
{
	return strverscmp((*a)->d_name, (*b)->d_name);
}

static int name_filter(const struct dirent *e)
{
	return is_shown(e->d_name);
}

static int list(const struct disk_cli *c)
{
	AUTO(closep) int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(members_done) struct members members = { 0 };
	struct dirent **names = NULL;
	struct fault err = FAULT_INIT;
	/* Once for all disks. If that fails, each of them says why. */
	bool is_known = members_scan_all(root, false, &members, &err) == 0;
	int n = scandir("/sys/block", &names, name_filter, name_cmp);
	json_t *all = json_array();

	if (n < 0) {
		json_decref(all);
		fprintf(stderr, "slipway-agent: cannot list /sys/block: %s\n", strerror(errno));
		return EXIT_FAILED;
	}
	for (int i = 0; i < n; i++) {
		disk_show(c, names[i]->d_name, is_known ? &members : NULL, all);
		free(names[i]);
	}
	free(names);
	if (c->json)
		return json_print(all);
	json_decref(all);
	return EXIT_DONE;
}

/* --- plan -------------------------------------------------------------------------------- */

static int plan_print(const struct look *l)
{
	AUTO(buf_done) struct buf text;

	buf_init(&text, 256u << 10);
	if (l->refusal.code) {
		printf("refused: %s\n", fault_text(&l->refusal));
		return EXIT_FAILED;
	}
	if (plan_text(&l->plan, &text) < 0)
		return EXIT_FAILED;
	fputs(text.data, stdout);
	return EXIT_DONE;
}

static int plan(const struct disk_cli *c, const char *device)
{
	AUTO(look_done) struct look l = { 0 };
	struct fault err = FAULT_INIT;

	if (look_at(c, device, NULL, &l, &err) < 0)
		return fail(&err);
	if (!c->json)
		return plan_print(&l);
	int r = json_print(look_json(&l));
	return l.refusal.code ? EXIT_FAILED : r;
}

int disk_cli_run(const struct disk_cli *c, int argc, char **argv)
{
	if (argc == 1 && str_eq(argv[0], "list"))
		return list(c);
	if (argc == 2 && str_eq(argv[0], "plan"))
		return plan(c, argv[1]);
	fprintf(stderr,
		"slipway-agent: say \"disk list\" or \"disk plan DEV\"\nTry \"slipway-agent disk --help\".\n");
	return EXIT_USAGE;
}
