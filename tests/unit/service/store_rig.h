#pragma once
/* A store of SQLite in a folder of its own, for each case: *state is a struct store_rig. */
#include "unit.h"
#include "service/store.h"

static const uint8_t store_rig_key[SEAL_KEY_LEN] = { 7 };

struct store_rig {
	char path[64];
	int fd;
	struct store *store; /* NULL = closed */
};

static inline int store_rig_reopen(struct store_rig *f, struct fault *err)
{
	store_close(f->store);
	f->store = NULL;
	return store_open("sqlite", f->fd, store_rig_key, &f->store, err);
}

/* The folder only. */
static inline int store_rig_folder(void **state)
{
	struct store_rig *f = calloc(1, sizeof(*f));

	f->fd = unit_tmp_open(f->path);
	*state = f;
	return 0;
}

static inline int store_rig_begin(void **state)
{
	store_rig_folder(state);
	return store_rig_reopen(*state, NULL);
}

static inline int store_rig_end(void **state)
{
	struct store_rig *f = *state;

	store_close(f->store);
	unit_tmp_close(f->fd, f->path);
	free(f);
	return 0;
}
