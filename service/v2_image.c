/*
 * Everything outside of the API that serves images: discovery media, boot artefacts, OS images and their indexes (assisted-v2 §2.4, §8.5).
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "service/images.h"
#include "service/medium.h"
#include "service/route.h"

#define OCTETS "application/octet-stream"

static int not_found(struct fault *err)
{
	return fault_set(err, -ENOENT, "Object Not Found");
}

static int send_named(struct request *r, const char *file_name, const char *etag, int64_t mtime_s,
		      struct http_source src)
{
	AUTO(freep) char *disposition = str_printf("attachment; filename=%s", file_name);

	if (!disposition || answer_header(r, "Content-Disposition", disposition) < 0) {
		src.free(src.ctx);
		return -ENOMEM;
	}
	return answer_source(r, OCTETS, etag, mtime_s, src);
}

/* --- discovery media --- */

static bool is_iso_name(const char *file)
{
	/* one small medium serves as both; a medium that installs without a service is another thing */
	return strcmp(file, "full.iso") == 0 || strcmp(file, "minimal.iso") == 0;
}

static int send_iso(struct request *r, const struct infra_env *ie, struct fault *err)
{
	struct http_source src;
	char etag[64], name[64];
	int64_t mtime_s;
	const char *arch = ie ? ie->cpu_architecture : NULL;

	if (!ie || !is_iso_name(request_param(r, "file")) ||
	    strcmp(arch_api_name(request_param(r, "arch")), arch ? arch : "x86_64") != 0)
		return not_found(err);
	int e = medium_iso(r->service, ie, &src, etag, &mtime_s, err);
	if (e < 0)
		return e;
	snprintf(name, sizeof(name), "%s-discovery.iso", ie->id);
	return send_named(r, name, etag, mtime_s, src);
}

static int iso_by_id(struct request *r, struct fault *err)
{
	return send_iso(r, state_infra_env(r->service->state, request_param(r, "infra_env_id")),
			err);
}

static int iso_by_handle(struct request *r, struct fault *err)
{
	return send_iso(r, auth_handle_find(r->service->auth, request_param(r, "handle")), err);
}

static int pxe_initrd(struct request *r, struct fault *err)
{
	struct http_source src;
	char etag[64];
	int64_t mtime_s;
	const struct infra_env *ie =
		state_infra_env(r->service->state, request_param(r, "infra_env_id"));

	if (!ie)
		return not_found(err);
	int e = medium_initrd(r->service, ie, &src, etag, &mtime_s, err);
	return e < 0 ? e : send_named(r, "initrd.img", etag, mtime_s, src);
}

/* --- boot artefacts: the same for everybody, no secret in them --- */

static int boot_artifact(struct request *r, struct fault *err)
{
	static const struct {
		const char *name;
		enum base_file file;
	} artifacts[] = { { "kernel", BASE_KERNEL }, { "initrd", BASE_INITRD } };
	const char *name = request_param(r, "artifact"), *arch = request_query(r, "arch");
	const struct base_image *b = images_base(r->service->images, arch ? arch : "x86_64");

	for (size_t i = 0; i < ARRAY_SIZE(artifacts); i++) {
		if (strcmp(name, artifacts[i].name) != 0)
			continue;
		if (!b)
			return fault_set(
				err, -EAGAIN,
				"there is no base image for %.32s yet: register one with \"slipwayctl base-image add DIR\"",
				arch ? arch : "x86_64");
		int fd = images_base_open(r->service->images, b, artifacts[i].file, err);
		struct http_source src;
		int e = fd < 0 ? fd : images_file_source(fd, &src, err);
		if (e < 0)
			return e;
		char etag[80];
		snprintf(etag, sizeof(etag), "\"%s\"", b->files[artifacts[i].file].sha256);
		return send_named(r, base_file_name(artifacts[i].file), etag, b->created, src);
	}
	return not_found(err);
}

/* --- OS images --- */

static int os_file(struct request *r, const char *name, struct fault *err)
{
	const struct os_image *o =
		state_os_image(r->service->state, request_param(r, "os_image_id"));
	struct http_source src;
	char etag[96];

	if (!o)
		return not_found(err);
	int fd = images_os_open(r->service->images, o->id, name, err);
	int e = fd < 0 ? fd : images_file_source(fd, &src, err);
	if (e < 0)
		return e;
	/* the name says the content: whoever has a piece may keep it for ever */
	snprintf(etag, sizeof(etag), "\"%s%s\"", o->id,
		 strcmp(name, OS_INDEX_NAME) == 0 ? "-index" : "");
	(void)answer_header(r, "Cache-Control", "public, max-age=31536000, immutable");
	return answer_source(r, OCTETS, etag, o->created_at / 1000000, src);
}

static int os_payload(struct request *r, struct fault *err)
{
	return os_file(r, OS_PAYLOAD_NAME, err);
}

static int os_index(struct request *r, struct fault *err)
{
	return os_file(r, OS_INDEX_NAME, err);
}

/* GET and HEAD are the same to a source. */
#define BOTH(path_, operation_, auth_, flags_, handler_)                                 \
	{ .method = "GET",                                                               \
	  .path = path_,                                                                 \
	  .operation = operation_,                                                       \
	  .auth = auth_,                                                                 \
	  .flags = flags_,                                                               \
	  .handler = handler_ },                                                         \
	{                                                                                \
		.method = "HEAD", .path = path_, .operation = operation_, .auth = auth_, \
		.flags = flags_, .handler = handler_                                     \
	}

const struct route image_routes[] = {
	BOTH("/byid/{infra_env_id}/{version}/{arch}/{file}", "DownloadISOByID", AUTH_USER,
	     ROUTE_PLAIN | ROUTE_OCTET, iso_by_id),
	/* the handle in the path is the credential: firmware can send no other */
	BOTH("/byapikey/{handle}/{version}/{arch}/{file}", "DownloadISOByHandle", AUTH_OPEN,
	     ROUTE_PLAIN | ROUTE_OCTET, iso_by_handle),
	BOTH("/images/{infra_env_id}/pxe-initrd", "DownloadPXEInitrd", AUTH_USER | AUTH_URL,
	     ROUTE_PLAIN | ROUTE_OCTET, pxe_initrd),
	BOTH("/boot-artifacts/{artifact}", "DownloadBootArtifact", AUTH_OPEN,
	     ROUTE_PLAIN | ROUTE_OCTET, boot_artifact),
	BOTH("/os-images/{os_image_id}/" OS_PAYLOAD_NAME, "DownloadOSImage", AUTH_OPEN,
	     ROUTE_PLAIN | ROUTE_OCTET, os_payload),
	/* whoever has the right index cannot be given a wrong payload: the index goes over TLS, to known hosts */
	BOTH("/os-images/{os_image_id}/" OS_INDEX_NAME, "DownloadOSImageIndex",
	     AUTH_USER | AUTH_AGENT, ROUTE_OCTET, os_index),
	ROUTE_END
};
