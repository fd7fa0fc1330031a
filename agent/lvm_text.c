#include "agent/lvm_text.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"

#define DEPTH_MAX 8
#define VALUE_MAX 256

enum { DEPTH_VG = 1, DEPTH_ITEM = 3, DEPTH_SEGMENT = 4 };

struct parser {
	const char *at, *end;
	char token[VALUE_MAX]; /* the last one; longer ones are cut */
	char kind; /* 'w' word or number, 's' string, '{' '}' '[' ']' '=' ',', 0 = end */
	char path[DEPTH_MAX][LVM_NAME_MAX];
	unsigned depth;
	struct lvm_vg vg;
};

/* --- tokens ------------------------------------------------------------------------------ */

static void blanks_skip(struct parser *p)
{
	while (p->at < p->end) {
		if (*p->at == '#')
			while (p->at < p->end && *p->at != '\n')
				p->at++;
		else if (!isspace((unsigned char)*p->at) && *p->at)
			return;
		else
			p->at++;
	}
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || strchr("_-+./@:", c);
}

static void token_put(struct parser *p, size_t *n, char c)
{
	if (*n < sizeof(p->token) - 1)
		p->token[(*n)++] = c;
	p->token[*n] = '\0';
}

static int string_read(struct parser *p)
{
	size_t n = 0;

	for (p->at++; p->at < p->end && *p->at != '"'; p->at++) {
		if (*p->at == '\\' && p->at + 1 < p->end)
			p->at++;
		token_put(p, &n, *p->at);
	}
	if (p->at == p->end)
		return -EBADMSG;
	p->at++;
	p->kind = 's';
	return 0;
}

static int token_next(struct parser *p)
{
	size_t n = 0;

	blanks_skip(p);
	p->token[0] = '\0';
	p->kind = 0;
	if (p->at == p->end)
		return 0;
	if (*p->at == '"')
		return string_read(p);
	if (strchr("{}[]=,", *p->at)) {
		p->kind = *p->at++;
		return 0;
	}
	for (; p->at < p->end && *p->at && is_word(*p->at); p->at++)
		token_put(p, &n, *p->at);
	p->kind = 'w';
	return n ? 0 : -EBADMSG;
}

/* --- values ------------------------------------------------------------------------------ */

/* Labels have the 32 characters alone, the text has hyphens between them. */
static void id_take(char *ret, size_t size, const char *text)
{
	size_t n = 0;

	for (; *text && n < size - 1; text++)
		if (*text != '-')
			ret[n++] = *text;
	ret[n] = '\0';
}

static void vg_value(struct lvm_vg *vg, const char *key, const char *value)
{
	if (str_eq(key, "id"))
		id_take(vg->id, sizeof(vg->id), value);
	else if (str_eq(key, "extent_size"))
		(void)str_to_u64(value, &vg->extent_sectors);
	else if (str_eq(key, "lock_type")) /* lvmlockd(8) */
		vg->is_shared |= !str_eq(value, "none");
	else if (str_eq(key, "status") || str_eq(key, "flags"))
		vg->is_shared |= str_eq(value, "CLUSTERED") || str_eq(value, "SHARED");
}

static void pv_value(struct lvm_pv *pv, const char *key, const char *value)
{
	if (str_eq(key, "id"))
		id_take(pv->id, sizeof(pv->id), value);
	else if (str_eq(key, "pe_start"))
		(void)str_to_u64(value, &pv->pe_start);
}

static void segment_value(struct lvm_lv *lv, const char *key, unsigned index, const char *value)
{
	if (str_eq(key, "extent_count"))
		(void)str_to_u64(value, &lv->count);
	else if (str_eq(key, "stripes") && index == 0)
		(void)str_copy(lv->pv, sizeof(lv->pv), value);
	else if (str_eq(key, "stripes") && index == 1)
		(void)str_to_u64(value, &lv->extent);
}

/*
 * ceph-volume's marks: what is on such a volume (an OSD, encrypted or not, or the database or journal
 * of others) shows nothing of it by itself.
 */
static void lv_value(struct lvm_vg *vg, const char *key, const char *value)
{
	if (str_eq(key, "tags"))
		vg->is_shared |= str_starts(value, "ceph.");
}

static void value_take(struct parser *p, const char *key, unsigned index)
{
	struct lvm_vg *vg = &p->vg;

	if (p->depth == DEPTH_VG)
		vg_value(vg, key, p->token);
	else if (p->depth == DEPTH_ITEM && vg->pvs_n && str_eq(p->path[1], "physical_volumes"))
		pv_value(&vg->pvs[vg->pvs_n - 1], key, p->token);
	else if (p->depth == DEPTH_ITEM && str_eq(p->path[1], "logical_volumes"))
		lv_value(vg, key, p->token);
	else if (p->depth == DEPTH_SEGMENT && vg->lvs_n && str_eq(p->path[1], "logical_volumes") &&
		 str_eq(p->path[3], "segment1"))
		segment_value(&vg->lvs[vg->lvs_n - 1], key, index, p->token);
}

static int list_read(struct parser *p, const char *key)
{
	int r = token_next(p);

	for (unsigned i = 0; r == 0 && p->kind != ']'; r = token_next(p)) {
		if (p->kind == 's' || p->kind == 'w')
			value_take(p, key, i++);
		else if (p->kind != ',')
			return -EBADMSG;
	}
	return r;
}

/* --- sections ---------------------------------------------------------------------------- */

/* Room for one more zeroed item, at each power of two. */
static int grow(void *list, size_t *n, size_t item, size_t max)
{
	char *old = *(char **)list;

	if (*n == max)
		return -EOVERFLOW;
	if ((*n & (*n - 1)) == 0) {
		char *more = realloc(old, MAX_OF(*n * 2, 1u) * item);

		if (!more)
			return -ENOMEM;
		*(char **)list = old = more;
	}
	memset(old + *n * item, 0, item);
	(*n)++;
	return 0;
}

static int section_begin(struct parser *p, const char *name)
{
	struct lvm_vg *vg = &p->vg;
	int r = 0;

	if (p->depth == DEPTH_MAX || !str_copy(p->path[p->depth], LVM_NAME_MAX, name))
		return -EBADMSG;
	p->depth++;
	if (p->depth == DEPTH_VG) {
		if (*vg->name)
			return -EBADMSG;
		(void)str_copy(vg->name, sizeof(vg->name), name);
	} else if (p->depth == DEPTH_ITEM && str_eq(p->path[1], "physical_volumes")) {
		r = grow(&vg->pvs, &vg->pvs_n, sizeof(*vg->pvs), LVM_PVS_MAX);
		if (r == 0)
			(void)str_copy(vg->pvs[vg->pvs_n - 1].name, LVM_NAME_MAX, name);
	} else if (p->depth == DEPTH_ITEM && str_eq(p->path[1], "logical_volumes")) {
		r = grow(&vg->lvs, &vg->lvs_n, sizeof(*vg->lvs), LVM_LVS_MAX);
		if (r == 0)
			(void)str_copy(vg->lvs[vg->lvs_n - 1].name, LVM_NAME_MAX, name);
	}
	return r;
}

static int assignment_read(struct parser *p, const char *key)
{
	int r = token_next(p);

	if (r < 0)
		return r;
	if (p->kind == '[')
		return list_read(p, key);
	if (p->kind != 's' && p->kind != 'w')
		return -EBADMSG;
	value_take(p, key, 0);
	return 0;
}

static int item_read(struct parser *p)
{
	char key[VALUE_MAX];

	if (p->kind == '}') {
		if (p->depth == 0)
			return -EBADMSG;
		p->depth--;
		return 0;
	}
	if (p->kind != 'w')
		return -EBADMSG;
	memcpy(key, p->token, sizeof(key));
	int r = token_next(p);
	if (r == 0 && p->kind == '{')
		return section_begin(p, key);
	if (r == 0 && p->kind == '=')
		return assignment_read(p, key);
	return -EBADMSG;
}

int lvm_text_parse(const char *text, size_t len, struct lvm_vg *ret)
{
	struct parser p = { .at = text, .end = text + len };
	int r = token_next(&p);

	while (r == 0 && p.kind) {
		r = item_read(&p);
		if (r == 0)
			r = token_next(&p);
	}
	if (r == 0 && (p.depth != 0 || !*p.vg.name || !*p.vg.id || p.vg.pvs_n == 0))
		r = -EBADMSG;
	if (r < 0) {
		lvm_vg_done(&p.vg);
		return r;
	}
	*ret = p.vg;
	return 0;
}

void lvm_vg_done(struct lvm_vg *vg)
{
	free(vg->pvs);
	free(vg->lvs);
	*vg = (struct lvm_vg){ 0 };
}
