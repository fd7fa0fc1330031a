#pragma once
/*
 * What slipwayd serves as files, below its state folder:
 *
 *   base-images/<arch>/                 one base image per architecture: the newest that was added
 *   os-images/<image id>/image.raw.zst  payload, and image.slx, its index
 *
 * Whatever is being made has a name that begins with "tmp-" until it is complete; leftovers are removed at the start.
 */
#include <stdint.h>
#include "common/fault.h"
#include "common/http_server.h"
#include "service/base_image.h"
#include "service/service.h"

#define IMAGES_MAX 8 /* architectures */
#define OS_PAYLOAD_NAME "image.raw.zst"
#define OS_INDEX_NAME "image.slx"

enum images_kind { IMAGES_BASE, IMAGES_OS, IMAGES_KIND_COUNT };

/* Where the payload of one OS image is fetched from. */
struct images_url {
	char id[65];
	char *url; /* owned */
};

struct images {
	struct base_image base[IMAGES_MAX];
	size_t n_base;
	int dirfd[IMAGES_KIND_COUNT]; /* base-images, os-images */
	struct images_url *urls; /* owned; of the payloads of all OS images: the rules point here */
	size_t n_urls;
};

/* Opens and tidies the folders, loads what is there (a damaged base image is left out with a warning), sets svc->rules.os_image_url. */
int images_new(struct service *svc, struct images **ret, struct fault *err);
void images_free(struct images *im);

/* The base image of an architecture ("x86_64", "arm64", "aarch64"), borrowed until the next change; NULL = none. */
const struct base_image *images_base(const struct images *im, const char *arch);
/* A file of a base image, opened; the caller closes it. -ENOENT. */
int images_base_open(const struct images *im, const struct base_image *b, enum base_file f,
		     struct fault *err);

/* A new empty folder "tmp-…" of a kind; *ret_fd is open, the caller's. */
int images_tmp_make(struct images *im, enum images_kind kind, char ret_name[32], int *ret_fd,
		    struct fault *err);
void images_tmp_remove(struct images *im, enum images_kind kind, const char *name);

/* Puts a complete folder (base_image_copy()) in the place of the older one of its architecture. *ret: borrowed. */
int images_base_install(struct images *im, const char *tmp, const struct base_image **ret,
			struct fault *err);
int images_base_remove(struct images *im, const char *arch, struct fault *err);

/* What is known of an OS image besides its index. */
struct os_image_info {
	const char *label, *version, *arch; /* NULL = unknown */
	bool make_default;
};
/*
 * Moves a complete folder to its image id and adds its row (a change of the state: commit it). The first image is the default. Adding one that is there
 * already is no error: its row gets the new words. *ret: borrowed.
 */
int images_os_install(struct service *svc, const char *tmp, const struct os_image_info *info,
		      struct os_image **ret, struct fault *err);
/* Removes row and files. Another image becomes the default when this one was. */
int images_os_remove(struct service *svc, struct os_image *o, struct fault *err);
int images_os_set_default(struct service *svc, struct os_image *o, struct fault *err);
/* The default OS image, or NULL. */
struct os_image *images_os_default(struct service *svc);
/*
 * The payload to install on hosts of @ie: that of the image of its version and architecture (the default one first, else the newest), else the
 * default image's. NULL = no image for it. Borrowed until images change.
 */
const char *images_os_url(struct service *svc, const struct infra_env *ie);
/* Tells the rules anew which payload an install step names: after changes were taken back. 0 or -ENOMEM. */
int images_publish(struct service *svc);
/* A file of an OS image (OS_PAYLOAD_NAME, OS_INDEX_NAME), opened; the caller closes it. -ENOENT. */
int images_os_open(const struct images *im, const char *id, const char *name, struct fault *err);

/* An open file as the source of a reply; takes @fd. */
int images_file_source(int fd, struct http_source *ret, struct fault *err);
