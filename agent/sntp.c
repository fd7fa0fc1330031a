#include "agent/sntp.h"

#include <errno.h>
#include <string.h>
#include "common/byteorder.h"

#define NTP_TO_UNIX_S 2208988800LL /* 1900-01-01 to 1970-01-01 */
#define ERA_S (1LL << 32)

enum { LEAP_UNKNOWN = 3, VERSION = 4, MODE_CLIENT = 3, MODE_SERVER = 4, STRATUM_MAX = 15 };
enum { AT_STRATUM = 1, AT_ORIGINATE = 24, AT_RECEIVE = 32, AT_TRANSMIT = 40 };

/* 32.32 fixed point since 1900; the era is the one that lies nearest to @near_us (RFC 4330 §3). */
static int64_t to_unix_us(uint64_t ntp, int64_t near_us)
{
	int64_t s = (int64_t)(ntp >> 32) - NTP_TO_UNIX_S;
	int64_t near_s = near_us / 1000000;

	while (s < near_s - ERA_S / 2)
		s += ERA_S;
	return s * 1000000 + (int64_t)(((ntp & 0xffffffff) * 1000000) >> 32);
}

void sntp_query(uint64_t cookie, uint8_t ret[SNTP_LEN])
{
	uint64_t be = htobe64(cookie);

	memset(ret, 0, SNTP_LEN);
	ret[0] = VERSION << 3 | MODE_CLIENT;
	memcpy(ret + AT_TRANSMIT, &be, sizeof(be));
}

int sntp_answer(const uint8_t *data, size_t len, uint64_t cookie, int64_t sent_us,
		int64_t received_us, int64_t *ret_offset_us, struct fault *err)
{
	if (len < SNTP_LEN)
		return fault_set(err, -EBADMSG, "the answer is too short");
	if ((data[0] & 7) != MODE_SERVER || be64_at(data + AT_ORIGINATE) != cookie)
		return fault_set(err, -EBADMSG, "the answer belongs to no question of ours");
	if (data[0] >> 6 == LEAP_UNKNOWN || !data[AT_STRATUM] || data[AT_STRATUM] > STRATUM_MAX ||
	    !be64_at(data + AT_TRANSMIT))
		return fault_set(err, -EBADMSG, "the server itself is not synchronised");

	int64_t receive = to_unix_us(be64_at(data + AT_RECEIVE), received_us);
	int64_t transmit = to_unix_us(be64_at(data + AT_TRANSMIT), received_us);
	*ret_offset_us = ((receive - sent_us) + (transmit - received_us)) / 2;
	return 0;
}
