/*
 * Load options as some firmware may have left them.
 */
#include <stdint.h>
#include "agent/efiboot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t guid[16];
	bool is_loader;

	(void)efiboot_option_disk(data, size, "\\EFI\\BOOT\\BOOTX64.EFI", guid, &is_loader);
	return 0;
}
