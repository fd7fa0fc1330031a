#pragma once
/*
 * slipway-agent disk list|plan DEV: what the disks of this machine are, and what an installation
 * would do to one. Nothing is ever changed.
 */
#include <stdbool.h>

struct disk_cli {
	bool json;
	bool allow_loop; /* a loop device counts as a disk */
	/* plan: comma separated, as if somebody had named them to be formatted; or NULL */
	const char *disks_to_format;
};

/*
 * @argv: "list", or "plan" and a device. Prints the result; returns the exit status (1: refused or
 * failed, 2: usage).
 */
int disk_cli_run(const struct disk_cli *c, int argc, char **argv);
