/* The text of a volume group: what is taken ends somewhere, and within its limits. */
#include <stdlib.h>
#include <string.h>
#include "agent/lvm_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lvm_vg vg;

	if (lvm_text_parse((const char *)data, size, &vg) < 0)
		return 0;
	if (!vg.pvs_n || vg.pvs_n > LVM_PVS_MAX || vg.lvs_n > LVM_LVS_MAX ||
	    !memchr(vg.name, 0, sizeof(vg.name)))
		abort();
	for (size_t i = 0; i < vg.lvs_n; i++)
		if (!memchr(vg.lvs[i].pv, 0, LVM_NAME_MAX))
			abort();
	lvm_vg_done(&vg);
	return 0;
}
