#include "agent/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtc.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/timex.h>
#include <time.h>
#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/jwt.h"
#include "common/str.h"

#define US 1000000

static int set(int64_t us, struct fault *err)
{
	struct timespec ts = { .tv_sec = (time_t)(us / US), .tv_nsec = (long)(us % US * 1000) };
	if (clock_settime(CLOCK_REALTIME, &ts) < 0)
		return fault_set(err, -errno, "cannot set the clock: %s", strerror(errno));
	return 1;
}

int64_t clock_floor(uint64_t created_s, const char *token)
{
	AUTO(json_decrefp) json_t *claims = NULL;
	int64_t iat = 0, created = created_s <= INT32_MAX * 4LL ? (int64_t)created_s : 0;

	if (!str_empty(token) && jwt_peek(token, &claims, NULL) == 0)
		iat = json_i64(claims, "iat");
	/* A time after 2242 is no time but a mistake. */
	if (iat < 0 || iat > INT32_MAX * 4LL)
		iat = 0;
	return MAX_OF(iat, created);
}

int clock_raise(int64_t floor_s, struct fault *err)
{
	if (time_now_us() / US >= floor_s)
		return 0;
	return set(floor_s * US, err);
}

int clock_step(int64_t offset_us, int64_t floor_s, struct fault *err)
{
	struct timex t = { 0 };

	if (adjtimex(&t) < 0 || !(t.status & STA_UNSYNC))
		return 0;
	if (offset_us > -CLOCK_STEP_MIN_US && offset_us < CLOCK_STEP_MIN_US)
		return 0;
	int64_t to_us;
	if (__builtin_add_overflow(time_now_us(), offset_us, &to_us) || to_us / US < floor_s)
		return 0;
	return set(to_us, err);
}

int clock_save(struct fault *err)
{
	AUTO(closep) int fd = open("/dev/rtc0", O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return fault_set(err, -errno, "cannot open /dev/rtc0: %s", strerror(errno));

	time_t now = time(NULL);
	struct tm tm;
	gmtime_r(&now, &tm);
	struct rtc_time rtc = {
		.tm_sec = tm.tm_sec,
		.tm_min = tm.tm_min,
		.tm_hour = tm.tm_hour,
		.tm_mday = tm.tm_mday,
		.tm_mon = tm.tm_mon,
		.tm_year = tm.tm_year,
	};
	if (ioctl(fd, RTC_SET_TIME, &rtc) < 0)
		return fault_set(err, -errno, "cannot set the hardware clock: %s", strerror(errno));
	return 0;
}
