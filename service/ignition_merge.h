#pragma once
/*
 * Ignition documents: the merge of two of them (Ignition specification 3, "merging"), and their building blocks.
 */
#include <jansson.h>
#include "common/fault.h"

#define IGNITION_MAX (4u << 20) /* bytes of a document */

/* *ret: @child merged over @parent, new reference; neither is changed. The result has the child's version. 0 or -ENOMEM. */
int ignition_merge(const json_t *parent, const json_t *child, json_t **ret, struct fault *err);
/* ignition_merge() with a document as text ("" or NULL = nothing to merge: *ret is @parent again). -EINVAL when it is none. */
int ignition_merge_text(json_t *parent, const char *child_text, json_t **ret, struct fault *err);

/* {"path","mode","overwrite":true,"user":{"name":"root"},"contents":{"source"}}; @source: a data URL, borrowed. New reference; NULL = no memory. */
json_t *ignition_file(const char *path, int mode, const char *source);
/* The same of a text: percent-encoded, so that a person can read the document. */
json_t *ignition_text_file(const char *path, int mode, const char *text);
/* {"name","enabled":true[,"contents"]} */
json_t *ignition_unit(const char *name, const char *contents);
