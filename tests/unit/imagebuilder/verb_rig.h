#pragma once
/* A verb of slipway-image run as from the command line, in a folder of its own; the image it works on is tiny_iso.h's. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/str.h"
#include "imagebuilder/verbs.h"
#include "tests/unit/capture.h"
#include "tests/unit/imagebuilder/fake_root.h"
#include "tests/unit/imagebuilder/tiny_iso.h"

struct verb_rig {
	struct fake_root root; /* the working folder */
	struct capture text;   /* of the last run */
};

static inline int verb_rig_setup(void **state)
{
	struct verb_rig *g = calloc(1, sizeof(*g));
	struct tiny_iso *iso = malloc(sizeof(*iso));

	unsetenv("SOURCE_DATE_EPOCH");
	fake_root_make(&g->root);
	tiny_iso_init(iso);
	fake_root_file(&g->root, "tiny.iso", iso, sizeof(*iso), 0644);
	free(iso);
	*state = g;
	return chdir(g->root.path);
}

static inline int verb_rig_teardown(void **state)
{
	struct verb_rig *g = *state;

	if (chdir("/") < 0)
		return -1;
	fake_root_done(&g->root);
	free(g);
	return 0;
}

/* Runs "slipway-image WORD..."; the exit status. */
static inline int verb_rig_run(struct verb_rig *g, const struct verb *verb,
			       const char *const *words)
{
	const struct verb *const verbs[] = { verb, NULL };
	const struct program program = { .name = "slipway-image", .summary = "x", .verbs = verbs };
	struct verb_context ctx = { 0 };
	char *argv[24] = { (char *)"slipway-image", (char *)verb->name };
	int argc = 2;

	for (; *words; words++) {
		assert_true(argc < 23);
		argv[argc++] = (char *)*words;
	}
	capture_begin(&g->text);
	int status = program_main(&program, &ctx, argc, argv);
	capture_end(&g->text);
	return status;
}

#define VERB_RUN(g, verb, ...) \
	verb_rig_run(g, verb, (const char *const[]){ __VA_ARGS__ __VA_OPT__(, ) NULL })

static inline char *verb_rig_content(const char *name, size_t *ret_len)
{
	char *data = NULL;
	struct fault err = FAULT_INIT;

	if (file_read_at(AT_FDCWD, name, 64u << 20, &data, ret_len, &err) < 0)
		fail_msg("%s", err.text);
	return data;
}

/* How often @word stands in @text. */
static inline unsigned verb_rig_count(const char *text, const char *word)
{
	unsigned n = 0;

	for (; (text = strstr(text, word)); text += strlen(word))
		n++;
	return n;
}

/* Entries of the working folder. */
static inline unsigned verb_rig_entries(const char *folder)
{
	unsigned n = 0;
	DIR *dir = opendir(folder);
	const struct dirent *e;

	assert_non_null(dir);
	while ((e = readdir(dir)))
		n += e->d_name[0] != '.';
	closedir(dir);
	return n;
}

#define VERB_TEST(name) cmocka_unit_test_setup_teardown(name, verb_rig_setup, verb_rig_teardown)
