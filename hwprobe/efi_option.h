#pragma once
/* A boot entry of UEFI firmware: EFI_LOAD_OPTION, UEFI 2.10, 3.1.3. Every length in it is checked. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct efi_option {
	char description[256]; /* UTF-8, cut */
	uint8_t mac[6];        /* of a network entry */
	bool has_mac;
	char uri[512]; /* of an entry for HTTP boot, cut; "" = none given, or the server is asked */
};

/* @data: the variable's value, without the four bytes of attributes that efivarfs puts in front. -EBADMSG = too short. */
int efi_option_parse(const uint8_t *data, size_t len, struct efi_option *ret);
