/* Installations as one process tells them the other: what is taken is safe to use, and is the same after encoding it again. */
#include <stdlib.h>
#include <string.h>
#include "agent/job.h"
#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(json_decrefp) json_t *obj = json_parse((const char *)data, size, 1 << 20, true, NULL);
	AUTO(job_done) struct job a = { 0 }, b = { 0 };

	if (!obj || job_decode(obj, &a, NULL) < 0)
		return 0;
	if (!str_starts(a.device, "/dev/") || !uuid_is_valid(a.install_id) || a.percent > 100)
		abort();
	for (size_t i = 0; i < a.files_n; i++)
		if (a.files[i].path[0] == '/' || strstr(a.files[i].path, "..") == a.files[i].path)
			abort();
	AUTO(json_decrefp) json_t *again = job_encode(&a);
	if (!again || job_decode(again, &b, NULL) < 0 || strcmp(a.device, b.device) ||
	    a.files_n != b.files_n)
		abort();
	return 0;
}
