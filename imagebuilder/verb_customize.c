#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/secret.h"
#include "common/str.h"
#include "imagebuilder/verbs.h"

#define TEXT_MAX (4u << 20) /* bytes of a token, certificate or key file */
#define PATH_LEN_MAX 1024

#define SET_STRING(fn, member)                                         \
	static int fn(void *ctx, const char *value, struct fault *err) \
	{                                                              \
		((struct verb_context *)ctx)->member = value;          \
		return 0;                                              \
	}
SET_STRING(set_url, token.service_url)
SET_STRING(set_infra_env, token.infra_env_id)
SET_STRING(set_agent_version, token.agent_version)
SET_STRING(set_http_proxy, token.http_proxy)
SET_STRING(set_https_proxy, token.https_proxy)
SET_STRING(set_no_proxy, token.no_proxy)
SET_STRING(set_ntp, token.ntp_sources)
SET_STRING(set_token_file, token_file)
SET_STRING(set_cacert, cacert)
SET_STRING(set_ssh_key, ssh_key_file)
SET_STRING(set_network, network_file)
SET_STRING(set_trust, trust_file)

static int set_created(void *ctx, const char *value, struct fault *err)
{
	uint64_t v;

	if (str_to_u64(value, &v) < 0 || v == 0 || v > UINT32_MAX)
		return fault_set(err, -EINVAL, "not a date in seconds since 1970: \"%s\"", value);
	((struct verb_context *)ctx)->token.created = (int64_t)v;
	return 0;
}

static int set_interval(void *ctx, const char *value, struct fault *err)
{
	uint64_t v;

	if (str_to_u64(value, &v) < 0 || v < 1 || v > 86400)
		return fault_set(err, -EINVAL, "the interval must be 1 to 86400 seconds");
	((struct verb_context *)ctx)->token.interval_s = v;
	return 0;
}

static const struct option_spec options[] = {
	{ "url", 0, "URL", "service, https://HOST:PORT", set_url },
	{ "infra-env-id", 0, "UUID", "the pool the machines belong to", set_infra_env },
	{ "token-file", 0, "FILE", "agent token", set_token_file },
	{ "cacert", 0, "FILE", "certificates the service is checked against (PEM)", set_cacert },
	{ "trust-bundle", 0, "FILE", "further certificates (PEM)", set_trust },
	{ "output", 'o', "FILE", "write a new image; without it ISO is changed in place",
	  verb_set_output },
	{ "agent-version", 0, "IMAGE", "what the agent reports as its version", set_agent_version },
	{ "interval", 0, "SECONDS", "between polls, when the service names no other",
	  set_interval },
	{ "ssh-key-file", 0, "FILE", "authorized_keys kept on the medium", set_ssh_key },
	{ "network-file", 0, "FILE", "static network configuration (JSON) kept on the medium",
	  set_network },
	{ "http-proxy", 0, "URL", "proxy for http://", set_http_proxy },
	{ "https-proxy", 0, "URL", "proxy for https://", set_https_proxy },
	{ "no-proxy", 0, "LIST", "hosts reached directly", set_no_proxy },
	{ "ntp-sources", 0, "LIST", "time servers, comma-separated", set_ntp },
	{ "created", 0, "SECONDS", "earliest plausible time, since 1970 (default: now)",
	  set_created },
	{ NULL },
};

/* What the files held; wiped, since one of them is a token. */
struct texts {
	char *token, *ca, *ssh, *network, *trust;
};

static void wipe(char *s)
{
	if (s)
		secret_wipe(s, strlen(s));
	free(s);
}

static void texts_done(struct texts *t)
{
	wipe(t->token);
	wipe(t->ca);
	wipe(t->ssh);
	wipe(t->network);
	wipe(t->trust);
}

static int load(const char *path, char **text, const char **ret, struct fault *err)
{
	size_t len;

	if (!path)
		return 0;
	int r = file_read_at(AT_FDCWD, path, TEXT_MAX, text, &len, err);
	if (r < 0)
		return r;
	if (strlen(*text) != len)
		return fault_set(err, -EINVAL, "%s is not a text file", path);
	*ret = *text;
	return 0;
}

static int load_texts(struct verb_context *c, struct texts *t, struct fault *err)
{
	int r = load(c->token_file, &t->token, &c->token.agent_token, err);

	if (r == 0)
		r = load(c->cacert, &t->ca, &c->token.ca_pem, err);
	if (r == 0)
		r = load(c->ssh_key_file, &t->ssh, &c->token.ssh_authorized_keys, err);
	if (r == 0)
		r = load(c->network_file, &t->network, &c->token.static_network_config, err);
	if (r == 0)
		r = load(c->trust_file, &t->trust, &c->token.trust_bundle, err);
	if (r == 0 && c->token.agent_token)
		c->token.agent_token = str_trim(t->token);
	return r;
}

static int find_token_area(int fd, const char *path, size_t len, struct iso_area *ret,
			   struct fault *err)
{
	int r = iso_area_find(fd, ret, err);

	if (r < 0)
		return fault_prefix(err, r, "%s", path);
	if (ret->ignition)
		return fault_set(
			err, -ENOTSUP,
			"%s is a CoreOS image: its area takes an Ignition config, not a Slipway token",
			path);
	if (len > ret->length)
		return fault_set(err, -EFBIG,
				 "%s: the token segment has %zu bytes, the area holds %llu", path,
				 len, (unsigned long long)ret->length);
	return 0;
}

static int in_place(const char *path, const void *segment, size_t len, struct fault *err)
{
	struct iso_area area;
	AUTO(closep) int fd = -1;

	int r = verb_open_iso(path, O_RDWR, &fd, err);
	if (r == 0)
		r = find_token_area(fd, path, len, &area, err);
	if (r == 0)
		r = iso_area_write(fd, &area, segment, len, err);
	return r < 0 ? r : fd_sync(fd, path, err);
}

static int fill_copy(int in, int out, const struct iso_area *area, const void *segment, size_t len,
		     const char *output, struct fault *err)
{
	int r = fd_copy(in, out, UINT64_MAX, err);

	if (r == 0)
		r = iso_area_write(out, area, segment, len, err);
	return r < 0 ? r : fd_sync(out, output, err);
}

/* Beside the target under a temporary name; an image that is there already is not replaced. */
static int to_file(const char *path, const char *output, const void *segment, size_t len,
		   struct fault *err)
{
	struct iso_area area;
	char tmp[PATH_LEN_MAX];
	AUTO(closep) int in = -1;

	int r = verb_open_iso(path, O_RDONLY, &in, err);
	if (r == 0)
		r = find_token_area(in, path, len, &area, err);
	if (r < 0)
		return r;
	if (snprintf(tmp, sizeof(tmp), "%s.XXXXXX", output) >= (int)sizeof(tmp))
		return fault_set(err, -ENAMETOOLONG, "the name %s is too long", output);
	AUTO(closep) int out = mkostemp(tmp, O_CLOEXEC);
	if (out < 0)
		return fault_set(err, -errno, "cannot make %s: %s", output, strerror(errno));

	/* 0600 as mkostemp() made it: the image holds a token. */
	r = fill_copy(in, out, &area, segment, len, output, err);
	if (r == 0 && renameat2(AT_FDCWD, tmp, AT_FDCWD, output, RENAME_NOREPLACE) < 0)
		r = fault_set(err, -errno, "cannot make %s: %s", output, strerror(errno));
	if (r < 0)
		(void)unlink(tmp);
	return r;
}

static int run(void *ctx, int argc, char **argv)
{
	struct verb_context *c = ctx;
	struct fault err = FAULT_INIT;
	AUTO(texts_done) struct texts texts = { 0 };
	AUTO(freep) void *segment = NULL;
	size_t len;

	if (!c->token.created)
		c->token.created = time_now_us() / 1000000;
	int r = load_texts(c, &texts, &err);
	if (r == 0)
		r = media_token_segment(&c->token, &segment, &len, &err);
	if (r == 0)
		r = c->output ? to_file(argv[0], c->output, segment, len, &err)
			      : in_place(argv[0], segment, len, &err);
	if (segment)
		secret_wipe(segment, len);
	return r < 0 ? verb_fail(&err) : EXIT_DONE;
}

const struct verb verb_customize = {
	.name = "customize",
	.args = "ISO",
	.help = "put an infra-env's token into a boot image",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
