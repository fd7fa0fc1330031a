#include <ctype.h>
#include <string.h>
#include <strings.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/hwprobe.h"

/* What makers of boards left in their tables, without regard to case. */
static const char *const placeholders[] = {
	"To be filled by O.E.M.",
	"To be filled by OEM",
	"Filled by O.E.M.",
	"O.E.M.",
	"OEM",
	"Default string",
	"Default",
	"System manufacturer",
	"System Product Name",
	"System Version",
	"System Serial Number",
	"System SKU",
	"System Family",
	"Product Name",
	"Type1ProductConfigId",
	"Base Board Serial Number",
	"Base Board Version",
	"Base Board Asset Tag",
	"Chassis Manufacture",
	"Chassis Version",
	"Chassis Serial Number",
	"Asset-1234567890",
	"No Asset Tag",
	"No Asset Information",
	"No Enclosure",
	"Not Specified",
	"Not Available",
	"Not Applicable",
	"Not Provided",
	"Not Defined",
	"Not Installed",
	"None",
	"Null",
	"N/A",
	"Unknown",
	"Undefined",
	"Unspecified",
	"Invalid",
	"Empty",
	"NO DIMM",
	"123456789",
	"1234567890",
	"0123456789",
	"0123456789ABCDEF",
	"03000200-0400-0500-0006-000700080009", /* the UUID of a famous firmware's sample */
};

/* "0000000000", "ffffffff-ffff-…", "XXXX", "...": one letter or digit over and over, or none at all. A single one may mean something. */
static bool is_filler(const char *text)
{
	size_t n = 0;
	char first = '\0';
	for (const char *p = text; *p; p++) {
		if (!isalnum((unsigned char)*p)) {
			if ((unsigned char)*p >= 0x80)
				return false;
			continue;
		}
		if (!n++)
			first = (char)tolower((unsigned char)*p);
		else if (tolower((unsigned char)*p) != first)
			return false;
	}
	return n != 1;
}

bool hwp_is_placeholder(const char *text)
{
	if (str_empty(text))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(placeholders); i++)
		if (!strcasecmp(text, placeholders[i]))
			return true;
	return is_filler(text);
}
