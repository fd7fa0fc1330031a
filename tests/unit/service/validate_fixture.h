#pragma once
/* One validation of a host at a time. */
#include "rules_fixture.h"
#include "service/validate.h"

#define ABSENT ((enum validation_status) - 1)
#define OK VALIDATION_SUCCESS
#define NO VALIDATION_FAILURE
#define WAIT VALIDATION_PENDING
#define BAD VALIDATION_ERROR

/* Validation @id of the fixture's host has that status and says @text (NULL = anything) in its message. */
static inline void fix_expect(struct fixture *f, const char *id, enum validation_status want,
			      const char *text)
{
	const struct validation *v = NULL;
	struct validations list;

	assert_int_equal(host_validate(&f->ctx, &f->host, &list, NULL), 0);
	for (size_t i = 0; i < list.n && !v; i++)
		v = strcmp(list.v[i].id, id) == 0 ? &list.v[i] : NULL;
	enum validation_status have = v ? v->status : ABSENT;
	if (have != want)
		fail_msg("%s: %d, not %d (%s)", id, (int)have, (int)want,
			 v ? v->message : "absent");
	if (v && text && !strstr(v->message, text))
		fail_msg("%s: \"%s\" does not say \"%s\"", id, v->message, text);
	if (v && !v->message[0])
		fail_msg("%s: says nothing", id);
	validations_done(&list);
}

/* A new fixture whose inventory has one member changed; fix_changed(). NULL = as it is. */
static inline void fix_host(struct fixture *f, bool is_bound, const char *path, const char *json)
{
	AUTO(freep) char *text = path ? fix_changed(path, json) : NULL;

	fix_init(f, is_bound);
	fix_post(f, text ? text : fix_inventory);
}

/* What a table of rules says about one of them, against what the reference asks (assisted-v2 §3.2, §7.3, §7.4). */
struct fix_rule {
	const char *id;
	bool pool, bound;               /* shown for them */
	bool pool_blocks, bound_blocks; /* a host is not known without it */
	bool is_minimum, is_ignorable;
};

static inline void fix_check_rules(const struct validation_rule *table, const struct fix_rule *rows,
				   size_t n)
{
	size_t i = 0;

	for (const struct validation_rule *rule = table; rule->id; rule++, i++) {
		unsigned flags = rule->flags;
		assert_true(i < n);
		const struct fix_rule *row = &rows[i];
		assert_string_equal(rule->id, row->id);
		if (row->pool != !!(flags & VALIDATE_POOL) ||
		    row->bound != !!(flags & VALIDATE_BOUND) ||
		    row->pool_blocks != !!(flags & VALIDATE_POOL_BLOCKS) ||
		    row->bound_blocks != !!(flags & VALIDATE_BOUND_BLOCKS) ||
		    row->is_minimum != !!(flags & VALIDATE_MINIMUM) ||
		    row->is_ignorable != !(flags & VALIDATE_NO_IGNORE))
			fail_msg("%s has the flags %#x", rule->id, flags);
	}
	assert_int_equal(i, n);
}
