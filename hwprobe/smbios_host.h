#pragma once
/* SMBIOS type 42: a network interface between host and BMC, with the Redfish service behind it (DSP0134 7.43, DSP0270 11). */
#include "hwprobe/smbios.h"

enum { SMBIOS_REDFISH_ADDRESS_MAX = 16 };

/* Pointers into the table. */
struct smbios_redfish {
	int family;                     /* AF_INET, AF_INET6, of the service's address */
	const uint8_t *uuid;            /* of the service, 16 bytes */
	const uint8_t *host_address;    /* 16 bytes, of which IPv4 uses 4 */
	const uint8_t *service_address; /* the same */
};

/* The first Redfish-over-IP record of the item; false = it has none, or is cut. */
bool smbios_redfish(const struct smbios_item *item, struct smbios_redfish *ret);
