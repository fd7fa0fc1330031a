/* Whether a drive thinks of itself that it is about to fail. Asked on demand only (HWP_SMART): it wakes up drives that sleep. */
#include <errno.h>
#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <scsi/sg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/str.h"
#include "hwprobe/device_read.h"
#include "hwprobe/disk.h"
#include "hwprobe/record.h"

/* NVM Express Base 2.0, 5.16 Get Log Page and 5.16.1.3 SMART / Health Information: byte 0 holds the critical warnings. */
enum { NVME_GET_LOG_PAGE = 0x02, NVME_LOG_HEALTH = 0x02, NVME_LOG_BYTES = 512 };

/* ATA8-ACS 7.53.8 SMART RETURN STATUS; SAT-3 12.2: ATA PASS-THROUGH (16) and the ATA Status Return sense descriptor. */
enum {
	ATA_PASS_THROUGH_16 = 0x85,
	ATA_NON_DATA = 3 << 1,
	ATA_CHECK_CONDITION = 0x20, /* the registers are wanted back */
	ATA_SMART = 0xb0,
	SMART_RETURN_STATUS = 0xda,
	SENSE_BYTES = 32,
	SENSE_DESCRIPTORS = 0x72, /* response code of sense data made of descriptors */
	SENSE_FIRST = 8,
	SENSE_ATA_STATUS = 0x09,
	SENSE_ATA_LEN = 12,
	SENSE_LBA_MID = 9, /* in the descriptor */
	SENSE_LBA_HIGH = 11,
	COMMAND_TIMEOUT_MS = 2000,
};

static ssize_t ask_nvme(const char *path, uint64_t offset, void *data, size_t len)
{
	AUTO(closep) int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct nvme_admin_cmd cmd = {
		.opcode = NVME_GET_LOG_PAGE,
		.nsid = UINT32_MAX, /* of the controller */
		.addr = (uintptr_t)data,
		.data_len = (uint32_t)len,
		.cdw10 = (uint32_t)(len / 4 - 1) << 16 | NVME_LOG_HEALTH,
		.timeout_ms = COMMAND_TIMEOUT_MS,
	};
	if (fd < 0)
		return -errno;
	int rc = ioctl(fd, NVME_IOCTL_ADMIN_CMD, &cmd);
	return rc < 0 ? -errno : rc > 0 ? -EIO : (ssize_t)len;
}

/* The sense data that the command ends with. */
static ssize_t ask_ata(const char *path, uint64_t offset, void *data, size_t len)
{
	AUTO(closep) int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	unsigned char command[16] = {
		[0] = ATA_PASS_THROUGH_16, [1] = ATA_NON_DATA, [2] = ATA_CHECK_CONDITION,
		[4] = SMART_RETURN_STATUS, [10] = 0x4f,        [12] = 0xc2,
		[14] = ATA_SMART,
	};
	struct sg_io_hdr io = {
		.interface_id = 'S',
		.dxfer_direction = SG_DXFER_NONE,
		.cmd_len = sizeof(command),
		.cmdp = command,
		.sbp = data,
		.mx_sb_len = (unsigned char)len,
		.timeout = COMMAND_TIMEOUT_MS,
	};
	if (fd < 0)
		return -errno;
	if (ioctl(fd, SG_IO, &io) < 0)
		return -errno;
	return io.sb_len_wr;
}

static const char *nvme_health(const unsigned char *log, size_t len)
{
	if (len < NVME_LOG_BYTES)
		return NULL;
	return log[0] ? "failing" : "ok";
}

/* The drive answers in two registers: 4F C2 as they were sent, or F4 2C when a threshold was passed. */
static const char *ata_health(const unsigned char *sense, size_t len)
{
	const unsigned char *d = sense + SENSE_FIRST;
	if (len < SENSE_FIRST + SENSE_ATA_LEN + 2 || (sense[0] & 0x7f) != SENSE_DESCRIPTORS ||
	    d[0] != SENSE_ATA_STATUS || d[1] != SENSE_ATA_LEN)
		return NULL;
	if (d[SENSE_LBA_MID] == 0x4f && d[SENSE_LBA_HIGH] == 0xc2)
		return "ok";
	return d[SENSE_LBA_MID] == 0xf4 && d[SENSE_LBA_HIGH] == 0x2c ? "failing" : NULL;
}

static const struct smart_kind {
	device_read_fn *ask;
	size_t len;
	const char *(*health)(const unsigned char *data, size_t len);
	const char *source;
} nvme = { ask_nvme, NVME_LOG_BYTES, nvme_health, "NVMe health log" },
  ata = { ask_ata, SENSE_BYTES, ata_health, "SMART RETURN STATUS" };

/* Behind USB bridges the command may hang the bridge: only drives on ATA ports and SAS expanders are asked. */
static const struct smart_kind *kind_of(const struct block_dev *b, const struct hwp_disk *d)
{
	bool is_ata = str_eq(d->transport.s, "ata") ||
		      (str_eq(d->transport.s, "sas") && str_eq(d->vendor.s, "ATA"));
	if (str_starts(b->name, "nvme"))
		return &nvme;
	return str_starts(b->name, "sd") && is_ata ? &ata : NULL;
}

void disk_find_smart(struct survey *s, const struct block_dev *b, struct hwp_disk *d)
{
	unsigned char answer[NVME_LOG_BYTES];
	char record[ROOT_PATH_MAX];
	const struct smart_kind *k = kind_of(b, d);
	if (!k || !d->path.s || !disk_can_be_read(s, b, d))
		return;
	const char *path = d->path.s + 1;
	snprintf(record, sizeof(record), "%s.smart", path);
	ssize_t n = s->root->is_live ? device_ask(s, k->ask, path, 0, answer, k->len)
				     : device_read(s, record, 0, answer, k->len);
	if (n == -ENOENT)
		return;
	if (n < 0) {
		device_record_errno(s, record, (int)-n);
		survey_error(s, path, (int)-n, "does not tell its health: %s", strerror((int)-n));
		return;
	}
	record_device(s->root, record, 0, answer, (size_t)n);
	put_str(s, &d->smart, k->health(answer, (size_t)n), k->source);
}
