#include "agent/job.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/secret.h"
#include "common/str.h"

#define TEXT_MAX 4096 /* bytes of one string */
#define SEED_DIR "etc/slipway/"
#define SEED_MODE 0600 /* there are secrets in it */

static const struct json_field disk_fields[] = {
	JSON_FIELD(disk_id, size_bytes, "size_bytes", JSON_F_U64, 0),
	JSON_FIELD(disk_id, diskseq, "diskseq", JSON_F_U64, 0),
	JSON_FIELD_END,
};

static const struct json_field job_fields[] = {
	JSON_FIELD(job, step_id, "step_id", JSON_F_STR, JSON_REQUIRED),
	JSON_FIELD(job, install_id, "install_id", JSON_F_STR, JSON_REQUIRED),
	JSON_FIELD(job, device, "device", JSON_F_STR, JSON_REQUIRED),
	JSON_FIELD(job, role, "role", JSON_F_STR, JSON_REQUIRED),
	JSON_FIELD(job, cluster_id, "cluster_id", JSON_F_STR, JSON_OMIT_EMPTY),
	JSON_FIELD(job, image_url, "image_url", JSON_F_STR, JSON_REQUIRED),
	JSON_FIELD(job, disks_to_format, "disks_to_format", JSON_F_STRS, 0),
	JSON_FIELD(job, disks_named, "disks_named", JSON_F_STRS, 0),
	JSON_FIELD_SUB(job, expect, "disk", disk_fields, 0),
	JSON_FIELD(job, is_done, "is_done", JSON_F_BOOL, 0),
	JSON_FIELD_END,
};

int job_add_file(struct job *j, const char *path, mode_t mode, const void *data, size_t len)
{
	if (j->files_n == INSTALL_FILES_MAX || len > INSTALL_FILE_MAX)
		return -E2BIG;
	struct job_file f = {
		.path = str_dup(path), .mode = mode, .data = malloc(len + 1), .len = len
	};
	if (!f.path || !f.data) {
		free(f.path);
		free(f.data);
		return -ENOMEM;
	}
	memcpy(f.data, data, len);
	f.data[len] = '\0';
	j->files[j->files_n++] = f;
	return 0;
}

static json_t *encode_files(const struct job *j)
{
	AUTO(json_decrefp) json_t *list = json_array();
	for (size_t i = 0; i < j->files_n; i++) {
		const struct job_file *f = &j->files[i];
		AUTO(freep) char *text = base64_encode(f->data, f->len);
		if (!text)
			return NULL;
		json_t *item = json_pack("{s:s, s:i, s:s}", "path", f->path, "mode", (int)f->mode,
					 "data", text);
		secret_wipe(text, strlen(text));
		if (json_array_append_new(list, item) < 0)
			return NULL;
	}
	return json_incref(list);
}

json_t *job_encode(const struct job *j)
{
	AUTO(json_decrefp) json_t *obj = json_map_encode(job_fields, j);
	json_t *disk = json_child(obj, "disk");

	if (!obj || !disk || json_object_set_new(obj, "files", encode_files(j)) < 0 ||
	    json_object_set_new(disk, "wwn", json_string(j->expect.wwn)) < 0 ||
	    json_object_set_new(disk, "serial", json_string(j->expect.serial)) < 0 ||
	    json_object_set_new(disk, "sector_size", json_integer(j->expect.sector_size)) < 0 ||
	    json_object_set_new(obj, "percent", json_integer(j->percent)) < 0)
		return NULL;
	return json_incref(obj);
}

/* A file of the seed's own folder, and nothing else of the new system: the writer checks again where it matters. */
static bool is_seed_path(const char *path)
{
	if (!path || !str_starts(path, SEED_DIR) || !str_is_text(path))
		return false;
	const char *name = path + strlen(SEED_DIR);
	return *name && *name != '.' && !strchr(name, '/') && strlen(name) <= NAME_MAX;
}

static int decode_file(json_t *item, struct job *j, struct fault *err)
{
	const char *path = json_str(item, "path"), *text = json_str(item, "data");
	AUTO(freep) void *data = NULL;
	size_t len;

	if (!is_seed_path(path) || json_i64(item, "mode") != SEED_MODE || !text ||
	    strlen(text) > 2 * (size_t)INSTALL_FILE_MAX ||
	    base64_decode(text, strlen(text), &data, &len) < 0)
		return fault_set(err, -EINVAL, "a file of the installation cannot be used");
	int r = job_add_file(j, path, SEED_MODE, data, len);
	secret_wipe(data, len);
	return r < 0 ? fault_set(err, r, "the files of the installation are too many or too large")
		     : 0;
}

static int check_disks(const struct json_strs *disks, struct fault *err)
{
	for (size_t i = 0; i < disks->n; i++)
		if (!str_starts(disks->v[i], "/dev/") || strlen(disks->v[i]) > TEXT_MAX ||
		    !str_is_text(disks->v[i]) || strpbrk(disks->v[i], "\r\n"))
			return fault_set(err, -EINVAL, "a disk to format is no name below /dev/");
	return disks->n > INSTALL_GIVEN_UP_MAX
		       ? fault_set(err, -EINVAL, "more than %d disks to format",
				   INSTALL_GIVEN_UP_MAX)
		       : 0;
}

static int check(const struct job *j, struct fault *err)
{
	const char *const texts[] = { j->step_id, j->device, j->role, j->image_url };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (strlen(texts[i]) > TEXT_MAX || !str_is_text(texts[i]) ||
		    strpbrk(texts[i], "\r\n"))
			return fault_set(err, -EINVAL,
					 "an argument of the installation is no plain text");
	if (!uuid_is_valid(j->install_id) || (j->cluster_id && !uuid_is_valid(j->cluster_id)))
		return fault_set(err, -EINVAL, "an id of the installation is no UUID");
	if (!str_starts(j->device, "/dev/"))
		return fault_set(err, -EINVAL,
				 "the installation disk \"%s\" does not begin with /dev/",
				 j->device);
	int r = check_disks(&j->disks_to_format, err);
	return r < 0 ? r : check_disks(&j->disks_named, err);
}

int job_decode(json_t *obj, struct job *ret, struct fault *err)
{
	json_t *item, *disk = json_child(obj, "disk");
	size_t i;

	int r = json_map_decode(job_fields, obj, ret, 0, err);
	if (!r)
		r = check(ret, err);
	if (r < 0)
		return r;
	str_copy(ret->expect.wwn, sizeof(ret->expect.wwn),
		 json_str(disk, "wwn") ? json_str(disk, "wwn") : "");
	str_copy(ret->expect.serial, sizeof(ret->expect.serial),
		 json_str(disk, "serial") ? json_str(disk, "serial") : "");
	ret->expect.sector_size = (uint32_t)json_i64(disk, "sector_size");
	int64_t percent = json_i64(obj, "percent");
	ret->percent = percent > 0 && percent <= 100 ? (unsigned)percent : 0;
	json_array_foreach(json_child(obj, "files"), i, item) {
		r = decode_file(item, ret, err);
		if (r < 0)
			return r;
	}
	return 0;
}

void job_done(struct job *j)
{
	json_map_done(job_fields, j);
	for (size_t i = 0; i < j->files_n; i++) {
		secret_wipe(j->files[i].data, j->files[i].len);
		free(j->files[i].path);
		free(j->files[i].data);
	}
	*j = (struct job){ 0 };
}
