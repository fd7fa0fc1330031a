/* What the clocks say. Only the full format shows it: the wire format leaves the time to the agent's requests. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>
#include "common/str.h"
#include "hwprobe/probe.h"
#include "hwprobe/record.h"

#define RTC_DIR "sys/class/rtc"
#define CLOCK_FILE "clock.txt"

struct reading {
	int64_t realtime_s;
	int status; /* STA_… of adjtimex(2) */
	int64_t max_error_us;
};

static bool read_live(struct survey *s, struct reading *ret)
{
	struct timespec now;
	struct timex t = { .modes = 0 }; /* nothing is set */
	if (clock_gettime(CLOCK_REALTIME, &now) < 0 || adjtimex(&t) < 0)
		return false;
	*ret = (struct reading){ now.tv_sec, t.status, t.maxerror };
	record_line(s->root, CLOCK_FILE, "realtime %" PRId64 " status %d maxerror %" PRId64,
		    ret->realtime_s, ret->status, ret->max_error_us);
	return true;
}

static bool read_recorded(struct survey *s, struct reading *ret)
{
	char *text = NULL;
	if (attr_file(s, CLOCK_FILE, ROOT_ATTR_MAX, &text, NULL) < 0)
		return false;
	if (sscanf(text, "realtime %" SCNd64 " status %d maxerror %" SCNd64, &ret->realtime_s,
		   &ret->status, &ret->max_error_us) == 3)
		return true;
	survey_error(s, CLOCK_FILE, EBADMSG, "not \"realtime S status N maxerror US\"");
	return false;
}

/* The one that the kernel took the time from when it started, else the first. */
static const char *main_rtc(struct survey *s)
{
	struct root_names names = attr_list(s, RTC_DIR);
	for (size_t i = 0; i < names.n; i++)
		if (attr_is_one(s, RTC_DIR "/%s/hctosys", names.v[i]))
			return names.v[i];
	return names.n ? names.v[0] : NULL;
}

static void run(struct survey *s)
{
	struct hwp_clock *c = &s->inv->clock;
	struct reading r;
	if (!(s->opt->flags & HWP_MORE))
		return;
	if (s->root->is_live ? read_live(s, &r) : read_recorded(s, &r)) {
		put_num(s, &c->realtime_s, r.realtime_s, "clock_gettime");
		put_bool(s, &c->synced, !(r.status & STA_UNSYNC), "adjtimex");
		put_num(s, &c->max_error_us, r.max_error_us, "adjtimex");
	}
	const char *rtc = main_rtc(s);
	if (!rtc)
		return;
	put_attr_num(s, &c->rtc_s, RTC_DIR "/%s/since_epoch", rtc);
	put_attr(s, &c->rtc_name, NULL, RTC_DIR "/%s/name", rtc);
}

const struct probe probe_clock = { .name = "clock", .part = HWP_CLOCK, .run = run };
