/*
 * Replays files, and all files of folders, named on the command line through LLVMFuzzerTestOneInput(): one TAP line each.
 * A fuzz target is a plain program this way; libFuzzer brings its own main().
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/fault.h"
#include "common/fd.h"
#include "common/json_map.h"
#include "common/str.h"

#define INPUT_MAX (16u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int collect_folder(const char *folder, struct json_strs *files)
{
	struct dirent **names;
	int n = scandir(folder, &names, NULL, alphasort);
	if (n < 0)
		return -errno;
	int r = 0;
	for (int i = 0; i < n; i++) {
		AUTO(freep) char *path = str_printf("%s/%s", folder, names[i]->d_name);
		if (names[i]->d_name[0] != '.' && r == 0)
			r = path ? json_strs_add(files, path) : -ENOMEM;
		free(names[i]);
	}
	free(names);
	return r;
}

static int collect(const char *path, struct json_strs *files)
{
	struct stat st;
	if (stat(path, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? collect_folder(path, files) : json_strs_add(files, path);
}

/* The input in a block of exactly its size: a sanitizer sees the first byte read behind it. */
static int replay(const char *path, struct fault *err)
{
	AUTO(freep) char *text = NULL;
	size_t len;
	int r = file_read_at(AT_FDCWD, path, INPUT_MAX, &text, &len, err);
	if (r < 0)
		return r;
	AUTO(freep) uint8_t *data = malloc(len ? len : 1);
	if (!data)
		return fault_oom(err);
	memcpy(data, text, len);
	(void)LLVMFuzzerTestOneInput(data, len);
	return 0;
}

int main(int argc, char **argv)
{
	AUTO(json_strs_done) struct json_strs files = { 0 };
	for (int i = 1; i < argc; i++) {
		int r = collect(argv[i], &files);
		if (r < 0) {
			fprintf(stderr, "replay: %s: %s\n", argv[i], strerror(-r));
			return 2;
		}
	}
	printf("1..%zu\n", files.n);
	int failed = 0;
	for (size_t i = 0; i < files.n; i++) {
		struct fault err = FAULT_INIT;
		printf("# %s\n", files.v[i]); /* the last of these names the input of a crash */
		fflush(stdout);
		bool is_ok = replay(files.v[i], &err) == 0;
		failed += !is_ok;
		printf("%s %zu - %s%s%s\n", is_ok ? "ok" : "not ok", i + 1, files.v[i],
		       is_ok ? "" : ": ", err.text);
	}
	return failed > 0;
}
