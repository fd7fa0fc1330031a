#include "hwprobe/smbios_host.h"

#include <sys/socket.h>

/* DSP0134 7.43 table 128 and following; DSP0270 table 21. */
enum {
	SMBIOS_HOST_INTERFACE = 42,
	DATA_LEN_AT = 5,
	DATA_AT = 6,
	PROTOCOL_REDFISH = 4,
	RECORD_HEAD = 2, /* protocol, length */
	HOST_ADDRESS_AT = 18,
	FORMAT_AT = 51, /* of the service's address: 1 IPv4, 2 IPv6 */
	SERVICE_ADDRESS_AT = 52,
	REDFISH_MIN = SERVICE_ADDRESS_AT + SMBIOS_REDFISH_ADDRESS_MAX,
	FORMAT_V4 = 1,
	FORMAT_V6 = 2,
};

static bool parse_record(const uint8_t *data, size_t len, struct smbios_redfish *ret)
{
	if (len < REDFISH_MIN || (data[FORMAT_AT] != FORMAT_V4 && data[FORMAT_AT] != FORMAT_V6))
		return false;
	*ret = (struct smbios_redfish){
		.family = data[FORMAT_AT] == FORMAT_V4 ? AF_INET : AF_INET6,
		.uuid = data,
		.host_address = data + HOST_ADDRESS_AT,
		.service_address = data + SERVICE_ADDRESS_AT,
	};
	return true;
}

bool smbios_redfish(const struct smbios_item *item, struct smbios_redfish *ret)
{
	if (item->type != SMBIOS_HOST_INTERFACE || item->len <= DATA_AT)
		return false;
	size_t at = DATA_AT + (size_t)item->data[DATA_LEN_AT];
	unsigned records = smbios_u8(item, at++);
	for (; records > 0 && at + RECORD_HEAD <= item->len; records--) {
		uint8_t protocol = item->data[at], len = item->data[at + 1];
		at += RECORD_HEAD;
		if (len > item->len - at)
			return false;
		if (protocol == PROTOCOL_REDFISH && parse_record(item->data + at, len, ret))
			return true;
		at += len;
	}
	return false;
}
