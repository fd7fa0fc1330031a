/* Ignition configs of a cluster: what is passed on is an Ignition config again, without foreign files and units. */
#include <stdlib.h>
#include <string.h>
#include "agent/ignition_filter.h"
#include "common/cleanup.h"
#include "common/json_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(freep) char *out = NULL;
	AUTO(freep) char *again = NULL;

	if (ignition_filter((const char *)data, size, &out, NULL) < 0)
		return 0;
	if (ignition_filter(out, strlen(out), &again, NULL) < 0 || strcmp(out, again))
		abort();
	AUTO(json_decrefp) json_t *v = json_parse(out, strlen(out), IGNITION_MAX, true, NULL);
	if (json_child(json_child(v, "systemd"), "units"))
		abort();
	json_t *file;
	size_t i;
	json_array_foreach(json_child(json_child(v, "storage"), "files"), i, file)
		if (!json_str(file, "path") ||
		    strncmp(json_str(file, "path"), "/etc/kubernetes/", 16))
			abort();
	return 0;
}
