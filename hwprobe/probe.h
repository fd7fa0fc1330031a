#pragma once
/*
 * What one probe is, the list of all of them, and the pass (struct survey) they work in.
 * A probe reads attributes through the survey, fills its part of the inventory and records what failed; it never stops the others.
 */
#include <stdarg.h>
#include "hwprobe/inventory.h"
#include "hwprobe/root.h"
#include "hwprobe/smbios.h"
#include "hwprobe/udev_db.h"

struct block_map;
struct netdump;
struct nl_sock;
struct link_table;
struct device_reader;
struct mount_table;

struct survey {
	struct hwp_ctx *ctx;
	struct root *root;
	const struct hwp_options *opt;
	struct hwp_inventory *inv;
	struct arena *mem; /* lives as long as the inventory */
	struct arena *tmp; /* lives until the end of the pass */
	const char *part;  /* name of the probe at work */
	unsigned done;     /* parts probed so far */
	const struct root_names
		*only;       /* devices of sys/block to look at; NULL = all (disk_refresh.h) */
	int64_t deadline_ms; /* CLOCK_MONOTONIC end of device reads */
	/* read once, shared by several probes */
	struct smbios smbios;
	bool has_read_smbios;
	struct mount_table *mounts;
	struct netdump *dumps;        /* NETDUMP_KINDS of them */
	struct nl_sock *nl;           /* opened by the first dump */
	struct link_table *links;     /* names of links by index (nic.c) */
	struct device_reader *reader; /* started by the first device read */
	int workers;                  /* of this pass that are at work or hang */
	ssize_t (*read_device)(const char *path, uint64_t offset, void *data,
			       size_t len); /* instead of open and read; NULL = those */
	char *cpuinfo;
	bool has_read_cpuinfo;
};

struct probe {
	const char *name;
	unsigned part; /* enum hwp_part */
	void (*run)(struct survey *s);
};

extern const struct probe probe_cpu, probe_memory, probe_boot, probe_system, probe_tpm, probe_disks,
	probe_nics, probe_routes, probe_hostname, probe_gpus, probe_bmc, probe_clock, probe_lldp;
/* In the order in which they run; ends with NULL. */
extern const struct probe *const all_probes[];

/* --- reading ---------------------------------------------------------------------------------------
 * All take a path below the root, as a format. Absent files (ENOENT and what drivers answer for "not now": EINVAL, ENODATA,
 * ENXIO, EOPNOTSUPP, ENOTDIR) are no error; others are recorded with survey_error().
 */
/* The attribute without white space at both ends, in tmp; NULL = absent or empty. */
char *attr_text(struct survey *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A decimal number; 0, -ENOENT when absent, -EBADMSG (recorded) when it is none. */
int attr_num(struct survey *s, int64_t *ret, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* true = "1"; anything else and absence are false. */
bool attr_is_one(struct survey *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The whole file, in tmp. 0, -ENOENT when absent, another -errno (recorded). */
int attr_file(struct survey *s, const char *path, size_t max, char **ret, size_t *ret_len);
/* Names in a folder; empty when absent. */
struct root_names attr_list(struct survey *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Where a link of sysfs points, as a path from the top without "..": "sys/devices/…". @path itself when it is no link. In tmp; NULL = absent. */
char *attr_real(struct survey *s, const char *path);
/* The last PCI function ("0000:03:00.0") in a real path of sysfs, in @a; NULL = none. */
char *pci_address_in(struct arena *a, const char *path);
/* Last component of a link's target ("driver", "subsystem"), in tmp; NULL = absent. */
char *attr_link_name(struct survey *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* --- keeping ---------------------------------------------------------------------------------------
 * Copies into the inventory. Bytes that are not UTF-8 are replaced. Empty and NULL values leave @dst alone and return false.
 */
bool put_str(struct survey *s, struct hwp_str *dst, const char *value, const char *source);
bool put_num(struct survey *s, struct hwp_num *dst, int64_t value, const char *source);
bool put_bool(struct survey *s, struct hwp_bool *dst, bool value,
	      const char *source); /* @source: borrowed, a literal */
bool put_real(struct survey *s, struct hwp_real *dst, double value,
	      const char *source); /* borrowed, too */
bool put_strs(struct survey *s, struct hwp_strs *dst, const char *value,
	      const char *source); /* appends */
/* attr_text() and put_str() with the same path as source ("sysfs:<name>"). */
bool put_attr(struct survey *s, struct hwp_str *dst, const char *source, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* attr_num() and put_num() with the path as source. */
bool put_attr_num(struct survey *s, struct hwp_num *dst, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* An attribute of 0 or 1, with the path as source; absent ones leave @dst alone. */
bool put_attr_bool(struct survey *s, struct hwp_bool *dst, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* @err: positive errno. Same part, source and errno are recorded once. */
void survey_error(struct survey *s, const char *source, int err, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Loaded on first use. */
const struct smbios *survey_smbios(struct survey *s);
const char *survey_cpuinfo(struct survey *s); /* text of /proc/cpuinfo; NULL = absent */
/* pci_ids_open() of the database that the options name; that it cannot be read is recorded. */
/* udev_record_parse() of a file; that nothing of it is a record is recorded. */
void survey_udev(struct survey *s, struct udev_record *r, const char *path, char *text, size_t len);
struct pci_ids;
void survey_pci_ids(struct survey *s, struct pci_ids *ids);
/* Line @index of uname(2) or of the recorded `uname` file: 0 sysname, 1 nodename, 2 release, 3 version, 4 machine. NULL = unknown. */
const char *survey_uname(struct survey *s, unsigned index);
