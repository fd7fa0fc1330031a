#pragma once
/*
 * status.json in the state directory: what `slipway-agent status` shows. Written by the root process, whole, whenever something changes.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include "common/fault.h"

#define STATUS_NAME "status.json"
#define STATUS_MAX 65536

/* @state_dir: descriptor. */
int status_write(int state_dir, const json_t *status, struct fault *err);
/* Prints the status of the agent whose state directory is @path. -ENOENT when no agent has written one. */
int status_print(const char *path, bool as_json, FILE *out, struct fault *err);
/* One line per fact. */
void status_print_text(const json_t *status, bool is_running, FILE *out);
