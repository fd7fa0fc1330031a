#include <string.h>
#include "common/str.h"
#include "hwprobe/disk.h"

/* The volume id of our own discovery media. */
#define DISCOVERY_LABEL "SLIPWAY"

/* "root=live:CDLABEL=NAME", "coreos.liveiso=NAME": the label is a whole value. */
static bool is_on_command_line(struct survey *s, const char *label)
{
	char *text = NULL;
	size_t len = strlen(label);
	if (!len || attr_file(s, "proc/cmdline", ROOT_TABLE_MAX, &text, NULL) < 0)
		return false;
	for (const char *p = strstr(text, label); p; p = strstr(p + 1, label))
		if (p > text && p[-1] == '=' && (!p[len] || strchr(" \t\n", p[len])))
			return true;
	return false;
}

bool disk_is_boot_medium(struct survey *s, const struct block_dev *b)
{
	const char *type = block_property(b, "ID_FS_TYPE", NULL);
	const char *label = block_property(b, "ID_FS_LABEL", NULL);
	return str_eq(type, "iso9660") && label &&
	       (!strcmp(label, DISCOVERY_LABEL) || is_on_command_line(s, label));
}
