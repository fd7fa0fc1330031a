#include <stdio.h>
#include <string.h>
#include "common/str.h"
#include "hwprobe/probe.h"

#define TPM_DIR "sys/class/tpm"

static bool exists(struct survey *s, const char *name, const char *file)
{
	char path[ROOT_PATH_MAX];
	snprintf(path, sizeof(path), TPM_DIR "/%s/%s", name, file);
	return root_exists(s->root, path);
}

/* Version of one chip; NULL = cannot be told. */
static const char *version_of(struct survey *s, const char *name)
{
	/* Linux 5.5; there for TPM 1.2, too, so the content decides. */
	char *major = attr_text(s, TPM_DIR "/%s/tpm_version_major", name);
	if (major)
		return !strcmp(major, "2") ? "2.0" : !strcmp(major, "1") ? "1.2" : NULL;
	if (exists(s, name, "device/caps") || exists(s, name, "caps")) /* only 1.2 has them */
		return "1.2";
	char *manager = arena_printf(s->tmp, TPM_DIR "/tpmrm%s", name + strlen("tpm"));
	return manager && root_exists(s->root, manager)
		       ? "2.0"
		       : NULL; /* the resource manager serves 2.0 only */
}

static void run(struct survey *s)
{
	struct root_names names = attr_list(s, TPM_DIR);
	for (size_t i = 0; i < names.n; i++) {
		uint64_t index;
		if (!str_starts(names.v[i], "tpm") ||
		    str_to_u64(names.v[i] + strlen("tpm"), &index) < 0)
			continue;
		if (put_str(s, &s->inv->tpm_version, version_of(s, names.v[i]), TPM_DIR))
			return; /* natural order: the lowest index wins */
	}
	put_str(s, &s->inv->tpm_version, "none", TPM_DIR);
}

const struct probe probe_tpm = { .name = "tpm", .part = HWP_TPM, .run = run };
