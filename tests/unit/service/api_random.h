#pragma once
/*
 * Users and agents that do anything, in any order, to a few hosts of two infra-envs: for what must hold whatever they do. Include it in one file
 * per program.
 */
#include "api_fixture.h"

#define RANDOM_HOSTS 3 /* of each infra-env */

/* What the calls are chosen by. */
static uint64_t random_seed;
static const char *const random_infra_envs[] = { API_POOL, API_EARLY };
static char *random_tokens[2]; /* of their agents */

static unsigned pick(unsigned n)
{
	random_seed ^= random_seed << 13; /* Marsaglia, Xorshift RNGs (2003) */
	random_seed ^= random_seed >> 7;
	random_seed ^= random_seed << 17;
	return (unsigned)(random_seed >> 33) % n;
}

struct target {
	size_t ie;
	char id[37], path[256];
};

static struct target any_host(void)
{
	struct target t = { .ie = pick(2) };

	snprintf(t.id, sizeof(t.id), "5f0c000%u-2222-4333-8444-555566667777", pick(RANDOM_HOSTS));
	snprintf(t.path, sizeof(t.path), "/v2/infra-envs/%s/hosts/%s", random_infra_envs[t.ie],
		 t.id);
	return t;
}

static void as_agent(struct api *f, const struct target *t)
{
	f->authorization = NULL;
	f->secret_key = random_tokens[t->ie];
}

static void call(struct api *f, const char *method, const struct target *t, const char *suffix,
		 const char *body)
{
	AUTO(freep) char *path = str_printf("%s%s", t->path, suffix);

	api_call(f, method, path, body);
}

static void do_register(struct api *f)
{
	struct target t = any_host();
	AUTO(freep) char *path = str_printf("/v2/infra-envs/%s/hosts", random_infra_envs[t.ie]);
	AUTO(freep)
	char *body = str_printf(
		"{\"host_id\":\"%s\",\"discovery_agent_version\":\"registry.example.com/agent:1\"}",
		t.id);

	as_agent(f, &t);
	api_call(f, "POST", path, body);
}

static void do_poll(struct api *f)
{
	struct target t = any_host();
	static const int clocks[] = { 0, 0, 0, -5000, 5000 };
	AUTO(freep)
	char *suffix = str_printf("/instructions?timestamp=%lld",
				  (long long)(f->now_us / 1000000) + clocks[pick(5)]);

	as_agent(f, &t);
	call(f, "GET", &t, suffix, NULL);
}

static void reply(struct api *f, const char *type, int code, const char *output)
{
	struct target t = any_host();
	AUTO(json_decrefp)
	json_t *v = json_pack("{s:s, s:i, s:s}", "step_type", type, "exit_code", code, "output",
			      output);
	AUTO(freep) char *body = json_dumps(v, JSON_COMPACT);

	as_agent(f, &t);
	call(f, "POST", &t, "/instructions", body);
}

static void do_inventory(struct api *f)
{
	static const char *const changes[][2] = { { "hostname", "\"w1\"" },
						  { "hostname", "\"w1\"" },
						  { "hostname", "\"w2\"" },
						  { "hostname", "\"localhost\"" },
						  { "cpu.count", "1" } };
	size_t i = pick(5);
	AUTO(freep) char *own = str_printf("\"n%u\"", pick(1000));
	AUTO(freep)
	char *text = pick(3) ? fix_changed("hostname", own)
			     : fix_changed(changes[i][0], changes[i][1]);

	reply(f, "inventory", 0, text);
}

static void do_api_vip(struct api *f)
{
	static const char *const outputs[] = {
		"{\"is_success\":true,\"ignition\":\"{}\"}",
		"{\"is_success\":true,\"ignition\":\"{\\\"storage\\\":{\\\"files\\\":[{\\\"path\\\":"
		"\\\"/etc/kubernetes/manifests/keepalived.yaml\\\"}]}}\"}",
		"{\"is_success\":true,\"ignition\":\"{\\\"storage\\\":{\\\"files\\\":[{\\\"path\\\":"
		"\\\"/etc/kubernetes/manifests/keepalived.yaml\\\"}]}}\"}",
		"{\"download_error\":\"refused\"}"
	};

	reply(f, "api-vip-connectivity-check", 0, outputs[pick(4)]);
}

static void do_domains(struct api *f)
{
	reply(f, "domain-resolution", 0,
	      "{\"resolutions\":[{\"domain_name\":\"api.prod.example.com\",\"ipv4_addresses\":[\"198.51.100.1\"]},"
	      "{\"domain_name\":\"api-int.prod.example.com\",\"ipv4_addresses\":[\"198.51.100.1\"]},"
	      "{\"domain_name\":\"console-openshift-console.apps.prod.example.com\",\"ipv4_addresses\":[\"198.51.100.1\"]}]}");
}

static void do_media(struct api *f)
{
	reply(f, "ntp-synchronizer", pick(4) ? 0 : 256, "{}");
}

static void do_user(struct api *f)
{
	static const struct {
		const char *method, *suffix, *body;
	} calls[] = {
		{ "POST", "/actions/bind", "{\"cluster_id\":\"" API_CLUSTER "\"}" },
		{ "POST", "/actions/bind", "{\"cluster_id\":\"" API_CLUSTER "\"}" },
		{ "POST", "/actions/bind", "{\"cluster_id\":\"" API_CLUSTER "\"}" },
		{ "POST", "/actions/unbind", NULL },
		{ "POST", "/actions/install", NULL },
		{ "POST", "/actions/install", NULL },
		{ "POST", "/actions/install", NULL },
		{ "POST", "/actions/install", NULL },
		{ "POST", "/actions/reset", NULL },
		{ "PATCH", "", "{\"host_name\":\"w1\"}" },
		{ "PATCH", "", "{\"host_name\":\"w2\"}" },
		{ "PATCH", "", "{\"host_role\":\"master\"}" },
		{ "PATCH", "", "{\"host_role\":\"auto-assign\"}" },
		{ "PATCH", "",
		  "{\"disks_skip_formatting\":[{\"disk_id\":\"/dev/disk/by-id/d1\",\"skip_formatting\":true}]}" },
		{ "PATCH", "",
		  "{\"disks_skip_formatting\":[{\"disk_id\":\"/dev/disk/by-id/d1\",\"skip_formatting\":false}]}" },
		{ "DELETE", "", NULL },
	};
	struct target t = any_host();
	size_t i = pick(ARRAY_SIZE(calls));

	api_as_user(f);
	call(f, calls[i].method, &t, calls[i].suffix, calls[i].body);
}

static void do_progress(struct api *f)
{
	static const char *const stages[] = { "Starting installation", "Writing image to disk",
					      "Rebooting", "Failed" };
	struct target t = any_host();
	AUTO(freep) char *body = str_printf("{\"current_stage\":\"%s\"}", stages[pick(4)]);

	as_agent(f, &t);
	call(f, "PUT", &t, "/progress", body);
}

static void do_cluster(struct api *f)
{
	static const char *const bodies[] = {
		"{\"base_dns_domain\":\"\"}",
		"{\"base_dns_domain\":\"example.com\"}",
		"{\"platform\":{\"type\":\"vsphere\"}}",
		"{\"platform\":{\"type\":\"baremetal\"}}",
	};

	api_as_user(f);
	api_call(f, "PATCH", "/v2/clusters/" API_CLUSTER, bodies[pick(4)]);
}

/* One call of somebody; what it was. */
static const char *do_anything(struct api *f)
{
	static const struct {
		const char *name;
		void (*fn)(struct api *f);
	} ops[] = {
		{ "a registration", do_register },
		{ "a poll", do_poll },
		{ "an inventory", do_inventory },
		{ "an inventory", do_inventory },
		{ "a download", do_api_vip },
		{ "names", do_domains },
		{ "a medium", do_media },
		{ "a user", do_user },
		{ "a user", do_user },
		{ "progress", do_progress },
		{ "a cluster", do_cluster },
	};
	size_t i = pick(ARRAY_SIZE(ops));

	ops[i].fn(f);
	return ops[i].name;
}

static void random_start(struct api *f, uint64_t seed)
{
	random_seed = seed;
	for (size_t i = 0; i < ARRAY_SIZE(random_tokens); i++)
		random_tokens[i] = api_as_agent(f, random_infra_envs[i], NULL);
}

static void random_end(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(random_tokens); i++)
		free(random_tokens[i]);
}
