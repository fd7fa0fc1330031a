#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/context.h"
#include "hwprobe/ipmi.h"

/* What the API calls "none"; the suffix of the IPv6 value is part of it. */
#define BMC_NO_ADDRESS "0.0.0.0"
#define BMC_NO_V6ADDRESS "::/0"

enum {
	BMC_CACHE_MS = 10 * 60 * 1000,
	BMC_RETRY_MS = 60 * 1000, /* a BMC that restarts is back after a minute or two */
};

/* IPMI 2.0, 22.24 Get Channel Info and 23.2 Get LAN Configuration Parameters. */
enum {
	GET_CHANNEL_INFO = 0x42,
	GET_LAN_CONFIG = 0x02,
	CHANNEL_FIRST = 1,
	CHANNEL_LAST = 11, /* 12 to 15 are reserved, this channel, the system interface */
	MEDIUM_LAN = 4,
	MEDIUM_OTHER_LAN = 6,
	LAN_IPV4 = 3,
	LAN_ADDRESSING = 51,
	LAN_V6_STATUS = 55,
	LAN_V6_STATIC = 56,
	LAN_V6_DYNAMIC = 59,
	V6_SETS_MAX = 16,
};

/* An IPv6 address of a set: 20 bytes behind the parameter revision. */
struct v6_set {
	uint8_t set, source, address[16], prefix, status;
};

/* The parameter without its revision byte; false = not there. */
static bool lan_param(struct ipmi *i, uint8_t channel, uint8_t param, uint8_t set, uint8_t *ret,
		      size_t need)
{
	uint8_t ask[4] = { channel, param, set, 0 }, answer[IPMI_DATA_MAX];
	size_t len = 0;
	if (ipmi_ask(i, IPMI_TRANSPORT, GET_LAN_CONFIG, ask, sizeof(ask), answer, &len) != 0 ||
	    len < need + 1)
		return false;
	memcpy(ret, answer + 1, need);
	return true;
}

/* 1 = yes, 0 = no, -errno = the BMC does not answer. */
static int is_lan(struct ipmi *i, uint8_t channel)
{
	uint8_t answer[IPMI_DATA_MAX];
	size_t len = 0;
	int rc = ipmi_ask(i, IPMI_APP, GET_CHANNEL_INFO, &channel, 1, answer, &len);
	if (rc < 0)
		return rc;
	uint8_t medium = len >= 2 ? answer[1] & 0x7f : 0;
	return rc == 0 && (medium == MEDIUM_LAN || medium == MEDIUM_OTHER_LAN);
}

static void find_v4(struct ipmi *i, uint8_t channel)
{
	static const uint8_t none[4];
	struct hwp_inventory *inv = i->s->inv;
	uint8_t address[4];
	char text[INET_ADDRSTRLEN];
	if (inv->bmc.address.s || !lan_param(i, channel, LAN_IPV4, 0, address, sizeof(address)) ||
	    !memcmp(address, none, 4))
		return;
	if (inet_ntop(AF_INET, address, text, sizeof(text)))
		put_str(i->s, &inv->bmc.address, text, "ipmi");
}

static bool take_v6(struct ipmi *i, uint8_t channel, uint8_t param, uint8_t set)
{
	struct v6_set v;
	char text[INET6_ADDRSTRLEN];
	if (!lan_param(i, channel, param, set, (uint8_t *)&v, sizeof(v)) ||
	    v.status != 0 /* not active */)
		return false;
	struct in6_addr a;
	memcpy(&a, v.address, sizeof(a));
	if (IN6_IS_ADDR_UNSPECIFIED(&a) || IN6_IS_ADDR_LINKLOCAL(&a))
		return false;
	return inet_ntop(AF_INET6, &a, text, sizeof(text)) &&
	       put_str(i->s, &i->s->inv->bmc.v6address, text, "ipmi");
}

static void find_v6(struct ipmi *i, uint8_t channel)
{
	uint8_t enables, status[3]; /* most static sets, most dynamic sets, flags */
	if (i->s->inv->bmc.v6address.s || !lan_param(i, channel, LAN_ADDRESSING, 0, &enables, 1) ||
	    (enables != 1 && enables != 2))
		return;
	if (!lan_param(i, channel, LAN_V6_STATUS, 0, status, sizeof(status)))
		return;
	for (uint8_t set = 0; set < MIN_OF(status[1], V6_SETS_MAX); set++)
		if (take_v6(i, channel, LAN_V6_DYNAMIC, set))
			return;
	for (uint8_t set = 0; set < MIN_OF(status[0], V6_SETS_MAX); set++)
		if (take_v6(i, channel, LAN_V6_STATIC, set))
			return;
}

/* 0; -errno = it does not answer. */
static int ask_bmc(struct ipmi *i)
{
	for (uint8_t channel = CHANNEL_FIRST; channel <= CHANNEL_LAST; channel++) {
		int rc = is_lan(i, channel);
		if (rc < 0) {
			survey_error(i->s, "ipmi", -rc, "the BMC does not answer: %s",
				     strerror(-rc));
			return rc;
		}
		if (!rc)
			continue;
		find_v4(i, channel);
		find_v6(i, channel);
	}
	return 0;
}

/* A BMC takes milliseconds to seconds for each answer, and its addresses hardly ever change. */
static void ask_or_remember(struct survey *s)
{
	struct hwp_inventory *inv = s->inv;
	struct bmc_cache *c = &s->ctx->bmc;
	if (c->until_ms > time_mono_ms()) {
		put_str(s, &inv->bmc.address, c->address, "ipmi");
		put_str(s, &inv->bmc.v6address, c->v6address, "ipmi");
		return;
	}
	AUTO(ipmi_done) struct ipmi i;
	if (ipmi_open(&i, s) < 0)
		return;
	int rc = ask_bmc(&i);
	str_copy(c->address, sizeof(c->address), inv->bmc.address.s ? inv->bmc.address.s : "");
	str_copy(c->v6address, sizeof(c->v6address),
		 inv->bmc.v6address.s ? inv->bmc.v6address.s : "");
	c->until_ms = time_mono_ms() + (rc < 0 ? BMC_RETRY_MS : BMC_CACHE_MS);
}

static void run(struct survey *s)
{
	struct hwp_inventory *inv = s->inv;
	ask_or_remember(s);
	if (!inv->bmc.address.s)
		put_str(s, &inv->bmc.address, BMC_NO_ADDRESS, "default");
	if (!inv->bmc.v6address.s)
		put_str(s, &inv->bmc.v6address, BMC_NO_V6ADDRESS, "default");
}

const struct probe probe_bmc = { .name = "bmc", .part = HWP_BMC, .run = run };
