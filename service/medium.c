#include "service/medium.h"

#include <errno.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/digest.h"
#include "common/fd.h"
#include "common/str.h"
#include "imagebuilder/imagebuilder.h"
#include "service/images.h"

#define SECONDS_US 1000000

/*
 * When the token of a medium begins to be valid: at the last change of the infra-env (or of its revocation), and, where tokens expire, anew after each half
 * of their life. Between two such moments the medium is the same bytes.
 */
static int64_t token_moment_us(const struct service *svc, const struct infra_env *ie)
{
	int64_t ttl_us = (int64_t)svc->config->agent_token_ttl_ms * 1000;
	int64_t moment = MAX_OF(ie->updated_at, ie->token_epoch * SECONDS_US);
	int64_t now = service_now_us(svc);

	if (ttl_us <= 1 || now <= moment)
		return moment;
	return moment + (now - moment) / (ttl_us / 2) * (ttl_us / 2);
}

int medium_segment(struct service *svc, const struct infra_env *ie, void **ret, size_t *ret_len,
		   struct fault *err)
{
	AUTO(freep) char *token = NULL;
	int64_t moment_us = token_moment_us(svc, ie);
	int r = auth_medium_token(svc->auth, ie, moment_us,
				  (int64_t)(svc->config->agent_token_ttl_ms / 1000), &token, err);
	if (r < 0)
		return r;
	const struct media_token t = {
		.service_url = svc->service_url,
		.infra_env_id = ie->id,
		.agent_token = str_empty(token) ? NULL : token,
		.ca_pem = svc->ca_pem,
		.ssh_authorized_keys = ie->ssh_authorized_key,
		.http_proxy = ie->http_proxy,
		.https_proxy = ie->https_proxy,
		.no_proxy = ie->no_proxy,
		.ntp_sources = str_empty(ie->ntp_sources) ? ie->additional_ntp_sources
							  : ie->ntp_sources,
		.static_network_config = ie->static_network_config,
		.trust_bundle = ie->additional_trust_bundle,
		.kernel_arguments = ie->kernel_arguments,
		.created = moment_us / SECONDS_US,
		.interval_s = svc->rules.instruction_interval_s,
	};
	return media_token_segment(&t, ret, ret_len, err);
}

static int find_base(const struct service *svc, const struct infra_env *ie,
		     const struct base_image **ret, struct fault *err)
{
	const char *arch = str_empty(ie->cpu_architecture) ? "x86_64" : ie->cpu_architecture;

	*ret = images_base(svc->images, arch);
	if (*ret)
		return 0;
	return fault_set(
		err, -EAGAIN,
		"there is no base image for %s yet: make one with \"slipway-image build --output=DIR\" and register it with "
		"\"slipwayctl base-image add DIR\"",
		arch);
}

static void make_etag(const struct base_image *b, enum base_file f, const void *segment, size_t len,
		      char ret[64])
{
	char hex[SHA256_HEX_LEN + 1];

	sha256_hex(segment, len, hex);
	snprintf(ret, 64, "\"%.16s-%.32s\"", b->files[f].sha256, hex);
}

static int64_t mtime_of(const struct service *svc, const struct infra_env *ie,
			const struct base_image *b)
{
	return MAX_OF(token_moment_us(svc, ie) / SECONDS_US, b->created);
}

int medium_iso(struct service *svc, const struct infra_env *ie, struct http_source *ret,
	       char ret_etag[64], int64_t *ret_mtime_s, struct fault *err)
{
	const struct base_image *b;
	AUTO(freep) void *segment = NULL;
	size_t len;
	int r = find_base(svc, ie, &b, err);
	if (r == 0)
		r = medium_segment(svc, ie, &segment, &len, err);
	struct overlay *o;
	if (r == 0)
		r = overlay_open(b->iso_fd, &b->area, segment, len, &o, err);
	if (r < 0)
		return r;
	make_etag(b, BASE_ISO, segment, len, ret_etag);
	*ret_mtime_s = mtime_of(svc, ie, b);
	*ret = (struct http_source){
		.size = overlay_size(o), .pread = overlay_pread, .free = overlay_free, .ctx = o
	};
	return 0;
}

/* --- the initrd and a segment behind it --- */

struct joined {
	int fd;         /* owned */
	uint64_t first; /* bytes of the file */
	size_t pad; /* zeros between: an initrd segment begins at a multiple of four (kernel: init/initramfs.c) */
	size_t len;
	uint8_t segment[];
};

static long joined_pread(void *ctx, void *data, size_t len, uint64_t offset)
{
	const struct joined *j = ctx;

	if (offset < j->first) {
		ssize_t n = fd_pread(j->fd, data, (size_t)MIN_OF((uint64_t)len, j->first - offset),
				     offset);
		return n == 0 ? -EIO : (long)n;
	}
	uint64_t at = offset - j->first;
	if (at < j->pad) {
		size_t n = (size_t)MIN_OF((uint64_t)len, j->pad - at);
		memset(data, 0, n);
		return (long)n;
	}
	at -= j->pad;
	if (at >= j->len)
		return 0;
	size_t n = (size_t)MIN_OF((uint64_t)len, j->len - at);
	memcpy(data, j->segment + at, n);
	return (long)n;
}

static void joined_free(void *ctx)
{
	struct joined *j = ctx;

	close(j->fd);
	free(j);
}

int medium_initrd(struct service *svc, const struct infra_env *ie, struct http_source *ret,
		  char ret_etag[64], int64_t *ret_mtime_s, struct fault *err)
{
	const struct base_image *b;
	AUTO(freep) void *segment = NULL;
	size_t len;
	int r = find_base(svc, ie, &b, err);
	if (r == 0)
		r = medium_segment(svc, ie, &segment, &len, err);
	int fd = r == 0 ? images_base_open(svc->images, b, BASE_INITRD, err) : r;
	if (fd < 0)
		return fd;

	uint64_t size = b->files[BASE_INITRD].size;
	struct joined *j = malloc(sizeof(*j) + len);
	if (!j) {
		close(fd);
		return fault_oom(err);
	}
	*j = (struct joined){ .fd = fd, .first = size, .pad = (size_t)(-size & 3), .len = len };
	memcpy(j->segment, segment, len);
	make_etag(b, BASE_INITRD, segment, len, ret_etag);
	*ret_mtime_s = mtime_of(svc, ie, b);
	*ret = (struct http_source){
		.size = size + j->pad + len, .pread = joined_pread, .free = joined_free, .ctx = j
	};
	return 0;
}
