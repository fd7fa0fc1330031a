/*
 * Lists the disks that a system may be installed on, and says of the others why not.
 * usage: disks [FOLDER]      FOLDER: a machine recorded by slipway-hwprobe --record
 * build: cc -o disks disks.c $(pkg-config --cflags --libs libhwprobe)
 */
#include <inttypes.h>
#include <slipway/hwprobe.h>
#include <stdio.h>
#include <string.h>

static void show(const struct hwp_disk *d)
{
	printf("%s: %" PRId64 " bytes, %s\n", d->path.s, d->size_bytes.v,
	       d->drive_type.s ? d->drive_type.s : "unknown");
	for (size_t i = 0; i < d->reason_count; i++)
		printf("\tno: %s\n", d->reasons[i].text);
}

int main(int argc, char **argv)
{
	struct hwp_options options = { .size = sizeof(options),
				       .sysroot = argc > 1 ? argv[1] : NULL };
	struct hwp_ctx *ctx;
	struct hwp_inventory *inv;

	int r = hwp_open(&ctx, &options);
	if (r < 0) {
		fprintf(stderr, "cannot open the sources: %s\n", strerror(-r));
		return 1;
	}
	r = hwp_probe(ctx, HWP_DISKS, &inv);
	hwp_close(ctx); /* the inventory stands on its own */
	if (r < 0) {
		fprintf(stderr, "cannot probe: %s\n", strerror(-r));
		return 1;
	}
	for (size_t i = 0; i < hwp_disk_count(inv); i++)
		show(hwp_disk_at(inv, i));

	const struct hwp_error *errors;
	size_t n = hwp_errors(inv, &errors);
	for (size_t i = 0; i < n; i++)
		fprintf(stderr, "%s: %s: %s\n", errors[i].part, errors[i].source, errors[i].detail);
	hwp_unref(inv);
	return 0;
}
