#pragma once
/*
 * One installation as the two processes know it, and as install.json in the state directory keeps it for an agent that was killed.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "agent/disk.h"
#include "agent/install.h"
#include "common/fault.h"
#include "common/json_map.h"

struct job_file {
	char *path;
	mode_t mode;
	char *data;
	size_t len;
};

struct job {
	char *step_id;    /* of the instruction: the reply names it */
	char *install_id; /* UUID */
	char *device;     /* boot_device */
	char *role;       /* progress_info of the first stages */
	char *cluster_id; /* NULL = none */
	char *image_url;  /* payload */
	/* what the user gives up besides the installation disk, as the service calls them */
	struct json_strs disks_to_format;
	struct json_strs disks_named;             /* what a person has named */
	struct job_file files[INSTALL_FILES_MAX]; /* the seed */
	size_t files_n;
	/* the root process's own knowledge; what the network process says about it is ignored */
	struct disk_id expect; /* names are not kept; zeroed = unknown */
	unsigned percent;      /* last known */
	bool is_done;          /* the disk is complete: only report and reboot are left */
};

/* Adds a copy of @data. -E2BIG, -ENOMEM. */
int job_add_file(struct job *j, const char *path, mode_t mode, const void *data, size_t len);
json_t *job_encode(const struct job *j); /* NULL = no memory */
/* Fills zeroed @ret; checks form, lengths and paths. -EINVAL. */
int job_decode(json_t *obj, struct job *ret, struct fault *err);
void job_done(struct job *j);
