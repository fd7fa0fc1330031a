#include "agent/host_id.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include "common/cleanup.h"
#include "common/digest.h"
#include "common/fd.h"
#include "common/json_map.h"

#define ATTR_MAX 256

/* Serials that say nothing. The last two lines are not in the original's list at the commit this was read from. */
static const char *const empty_serials[] = {
	"",
	"unknown",
	"none",
	"(none)",
	"-",
	"default string",
	"unspecified base board serial number",
	"unspecified system serial number",
	"not specified",
	"pca_number.acc",
	"to be filled by o.e.m.",
	"to be filled by oem",
	"system serial number",
	"base board serial number",
	"0",
	"0123456789",
	"not applicable",
	"n/a",
};

static const char *const empty_uuids[] = {
	"00000000-0000-0000-0000-000000000000",
	"ffffffff-ffff-ffff-ffff-ffffffffffff",
	"03000200-0400-0500-0006-000700080009",
};

static bool in_list(const char *s, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcasecmp(s, list[i]))
			return true;
	return false;
}

static void format_md5(const char *text, char ret[UUID_LEN + 1])
{
	uint8_t sum[16];
	md5(text, strlen(text), sum);
	uuid_format(sum, ret);
}

static const char *lowest(const char *const *macs, size_t n)
{
	const char *low = NULL;
	for (size_t i = 0; i < n; i++)
		if (!low || strcmp(macs[i], low) < 0)
			low = macs[i];
	return low;
}

bool host_id_is_by_firmware(const struct host_id_input *in)
{
	char serial[ATTR_MAX];

	str_copy(serial, sizeof(serial), in->board_serial ? in->board_serial : "");
	return !in_list(str_trim(serial), empty_serials, ARRAY_SIZE(empty_serials)) ||
	       (in->system_uuid && uuid_is_valid(in->system_uuid) &&
		!in_list(in->system_uuid, empty_uuids, ARRAY_SIZE(empty_uuids)));
}

void host_id_compute(const struct host_id_input *in, char ret[UUID_LEN + 1])
{
	char serial[ATTR_MAX], uuid[UUID_LEN + 1] = "";

	str_copy(serial, sizeof(serial), in->board_serial ? in->board_serial : "");
	const char *board = str_trim(serial);
	bool has_serial = !in_list(board, empty_serials, ARRAY_SIZE(empty_serials));

	if (in->system_uuid && uuid_is_valid(in->system_uuid) &&
	    !in_list(in->system_uuid, empty_uuids, ARRAY_SIZE(empty_uuids)))
		for (size_t i = 0; i <= UUID_LEN; i++)
			uuid[i] = (char)tolower((unsigned char)in->system_uuid[i]);

	if (has_serial) {
		char both[ATTR_MAX + UUID_LEN + 1];
		snprintf(both, sizeof(both), "%s%s", board, uuid);
		format_md5(both, ret);
	} else if (uuid[0]) {
		memcpy(ret, uuid, sizeof(uuid));
	} else if (in->n_macs) {
		format_md5(lowest(in->macs, in->n_macs), ret);
	} else {
		memcpy(ret, "deaddead-dead-dead-dead-deaddeaddead", UUID_LEN + 1);
	}
}

static char *read_attr(int dirfd, const char *path)
{
	char *value = NULL;
	if (file_read_line_at(dirfd, path, ATTR_MAX - 1, &value, NULL) < 0)
		return NULL;
	return value;
}

static int read_macs(int netfd, bool only_devices, struct json_strs *macs)
{
	int fd = openat(netfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	AUTO(closedirp) DIR *dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	for (struct dirent *d; (d = readdir(dir));) {
		char path[NAME_MAX + 16];
		if (d->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/device", d->d_name);
		if (only_devices && faccessat(netfd, path, F_OK, 0) < 0)
			continue;
		snprintf(path, sizeof(path), "%s/address", d->d_name);
		AUTO(freep) char *mac = read_attr(netfd, path);
		if (!mac || !mac_is_valid(mac) || !strcmp(mac, "00:00:00:00:00:00"))
			continue;
		for (char *p = mac; *p; p++)
			*p = (char)tolower((unsigned char)*p);
		if (json_strs_add(macs, mac) < 0)
			return -ENOMEM;
	}
	return 0;
}

int host_id_read(const char *sysfs, char ret[UUID_LEN + 1], bool *ret_is_by_firmware,
		 struct fault *err)
{
	AUTO(closep) int root = open(sysfs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return fault_set(err, -errno, "cannot open %s: %s", sysfs, strerror(errno));

	AUTO(freep) char *serial = read_attr(root, "class/dmi/id/board_serial");
	AUTO(freep) char *uuid = read_attr(root, "class/dmi/id/product_uuid");
	AUTO(json_strs_done) struct json_strs macs = { 0 };
	AUTO(closep) int netfd = openat(root, "class/net", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = 0;
	if (netfd >= 0)
		r = read_macs(netfd, true, &macs);
	if (netfd >= 0 && !r && !macs.n)
		r = read_macs(netfd, false, &macs);
	if (r < 0)
		return fault_set(err, r, "cannot read the network interfaces: %s", strerror(-r));

	struct host_id_input in = {
		.board_serial = serial,
		.system_uuid = uuid,
		.macs = (const char *const *)macs.v,
		.n_macs = macs.n,
	};
	host_id_compute(&in, ret);
	*ret_is_by_firmware = host_id_is_by_firmware(&in);
	return 0;
}
