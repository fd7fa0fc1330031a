#pragma once
/*
 * Who this machine is: the rule of the original agent (assisted-v2 §4.1) with two repairs, so that boards which share a serial number, or
 * say "To be filled by O.E.M.", do not merge into one host.
 */
#include <stdbool.h>
#include <stddef.h>
#include "common/fault.h"
#include "common/str.h"

struct host_id_input {
	const char *board_serial; /* as read from DMI; NULL or "" = none */
	const char *system_uuid;  /* DMI product UUID, any case; NULL = none */
	const char *const *macs;  /* lower-case aa:bb:…; NULL when n is 0 */
	size_t n_macs;
};

/*
 * MD5 of board serial (trimmed, case kept) and lower-case system UUID when both mean something, MD5 of the serial alone without a
 * UUID, the UUID alone without a serial, else MD5 of the lowest MAC, else deaddead-dead-dead-dead-deaddeaddead.
 */
void host_id_compute(const struct host_id_input *in, char ret[UUID_LEN + 1]);

/* Do serial or UUID say who it is? Else the id hangs on which interfaces are there already. */
bool host_id_is_by_firmware(const struct host_id_input *in);

/*
 * Reads the inputs below @sysfs ("/sys"): class/dmi/id, class/net. Interfaces with a device are preferred to virtual ones, whose
 * addresses change with every boot.
 */
int host_id_read(const char *sysfs, char ret[UUID_LEN + 1], bool *ret_is_by_firmware,
		 struct fault *err);
