#include <stdio.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/probe.h"

#define TPM_DIR "sys/class/tpm"

static bool exists(struct survey *s, const char *name, const char *file)
{
	char path[ROOT_PATH_MAX];
	snprintf(path, sizeof(path), TPM_DIR "/%s/%s", name, file);
	return root_exists(s->root, path);
}

/* The resource manager serves 2.0 only; it has a class of its own (drivers/char/tpm/tpm-interface.c tpm_init()). */
static bool has_manager(struct survey *s, const char *index)
{
	static const char *const dirs[] = { "sys/class/tpmrm", TPM_DIR };
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		char *path = arena_printf(s->tmp, "%s/tpmrm%s", dirs[i], index);
		if (path && root_exists(s->root, path))
			return true;
	}
	return false;
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
	return has_manager(s, name + strlen("tpm")) ? "2.0" : NULL;
}

/* The firmware's tables (ACPI: TPM2, TCG's TCPA) name a chip that no driver serves. */
static void find_without_driver(struct survey *s)
{
	static const char *const tables[] = { "sys/firmware/acpi/tables/TPM2",
					      "sys/firmware/acpi/tables/TCPA" };
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		if (!root_exists(s->root, tables[i]))
			continue;
		put_bool(s, &s->inv->tpm.is_without_driver, true, tables[i]);
		return;
	}
}

static void run(struct survey *s)
{
	struct root_names names = attr_list(s, TPM_DIR);
	for (size_t i = 0; i < names.n; i++) {
		uint64_t index;
		if (!str_starts(names.v[i], "tpm") ||
		    str_to_u64(names.v[i] + strlen("tpm"), &index) < 0)
			continue;
		if (put_str(s, &s->inv->tpm.version, version_of(s, names.v[i]), TPM_DIR))
			return; /* natural order: the lowest index wins */
	}
	put_str(s, &s->inv->tpm.version, "none", TPM_DIR);
	if (s->opt->flags & HWP_MORE)
		find_without_driver(s);
}

const struct probe probe_tpm = { .name = "tpm", .part = HWP_TPM, .run = run };
