/* Arguments of install steps, and the index address made of them. */
#include <stdlib.h>
#include <string.h>
#include "agent/install_args.h"
#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/log.h"

#define IE "fbe2e02f-5be9-4ca6-af2f-635fce727b94"
#define HOST "b1f5c5b7-caf8-66bd-addd-439b331f2640"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct agent_config config = { .url = (char *)"https://service:9543",
				       .infra_env_id = (char *)IE,
				       .host_id = (char *)HOST };
	struct session session = { .config = &config, .host_id = HOST };
	AUTO(json_decrefp) json_t *obj = json_parse((const char *)data, size, 1 << 20, true, NULL);
	AUTO(job_done) struct job job = { 0 };
	AUTO(freep) char *url = NULL;

	log_set_level(LOG_CRIT);
	if (!json_is_object(obj) || install_args_parse(obj, &session, &job, NULL) < 0)
		return 0;
	if (!str_starts(job.device, "/dev/") || !job.image_url ||
	    strpbrk(job.image_url, " &?`\\\r\n"))
		abort();
	if (install_index_url(&session, job.image_url, &url, NULL) == 0 &&
	    !str_starts(url, "https://service:9543/"))
		abort(); /* an index never comes from anywhere else */
	return 0;
}
