#pragma once
/* The service of api_fixture.h with its folder of logs and a host of the cluster. */
#include "api_fixture.h"
#include "common/fd.h"
#include "service/host_logs.h"

static inline int logs_setup(void **state)
{
	int r = api_setup(state);
	struct api *f = *state;

	f->config.logs_reserve = 0;
	api_add_host(f, API_POOL, API_HOST, true, HOST_INSTALLING_IN_PROGRESS);
	return r < 0 ? r : host_logs_new(&f->svc, &f->svc.logs, NULL);
}

static inline int logs_teardown(void **state)
{
	struct api *f = *state;

	host_logs_free(f->svc.logs);
	return api_teardown(state);
}

static inline struct host *logs_host(struct api *f)
{
	return state_host(f->svc.state, API_POOL, API_HOST);
}

/* How many files are in the folder of logs, uploads too. */
static inline size_t logs_count(struct api *f)
{
	DIR *dir = fdopendir(openat(f->fd, "logs", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	size_t n = 0;

	assert_non_null(dir);
	for (struct dirent *e; (e = readdir(dir));)
		n += e->d_name[0] != '.';
	closedir(dir);
	return n;
}

#define LOGS_TEST(fn) cmocka_unit_test_setup_teardown(fn, logs_setup, logs_teardown)
