#include "service/route.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "service/error.h"

#define SEGMENTS_MAX 16 /* of a path */
#define SEGMENT_LEN_MAX 255

/* A path cut at its slashes. */
struct segments {
	const char *text[SEGMENTS_MAX];
	size_t len[SEGMENTS_MAX];
	size_t n;
};

struct pattern {
	struct segments path;
	const struct route *route;
};

/* Patterns by number of segments, more literal ones first: "/clusters/import" is found before "/clusters/{cluster_id}". */
struct route_tree {
	struct pattern *v[SEGMENTS_MAX + 1];
	size_t n[SEGMENTS_MAX + 1];
};

static bool split(const char *path, struct segments *ret)
{
	ret->n = 0;
	while (*path) {
		path += strspn(path, "/");
		size_t len = strcspn(path, "/");
		if (!len)
			break;
		if (ret->n == SEGMENTS_MAX || len > SEGMENT_LEN_MAX)
			return false;
		ret->text[ret->n] = path;
		ret->len[ret->n++] = len;
		path += len;
	}
	return true;
}

static bool is_param(const struct segments *s, size_t i)
{
	return s->text[i][0] == '{';
}

/* Literal segments sort before parameters, from the left. */
static int pattern_compare(const void *a, const void *b)
{
	const struct pattern *x = a, *y = b;

	for (size_t i = 0; i < x->path.n; i++) {
		if (is_param(&x->path, i) != is_param(&y->path, i))
			return is_param(&x->path, i) ? 1 : -1;
	}
	return 0;
}

static int tree_add(struct route_tree *t, const struct route *route)
{
	struct pattern p = { .route = route };

	if (!split(route->path, &p.path))
		return -EINVAL;
	struct pattern *grown = reallocarray(t->v[p.path.n], t->n[p.path.n] + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	t->v[p.path.n] = grown;
	grown[t->n[p.path.n]++] = p;
	return 0;
}

int route_tree_new(const struct route *const *tables, struct route_tree **ret)
{
	struct route_tree *t = calloc(1, sizeof(*t));
	int r = t ? 0 : -ENOMEM;

	for (; *tables && r == 0; tables++) {
		for (const struct route *route = *tables; route->method && r == 0; route++)
			r = tree_add(t, route);
	}
	if (r < 0) {
		route_tree_free(t);
		return r;
	}
	for (size_t n = 0; n <= SEGMENTS_MAX; n++) {
		if (t->n[n])
			qsort(t->v[n], t->n[n], sizeof(*t->v[n]), pattern_compare);
	}
	*ret = t;
	return 0;
}

void route_tree_free(struct route_tree *t)
{
	if (!t)
		return;
	for (size_t n = 0; n <= SEGMENTS_MAX; n++)
		free(t->v[n]);
	free(t);
}

static bool pattern_fits(const struct segments *pattern, const struct segments *path)
{
	for (size_t i = 0; i < pattern->n; i++) {
		if (is_param(pattern, i))
			continue;
		if (pattern->len[i] != path->len[i] ||
		    memcmp(pattern->text[i], path->text[i], path->len[i]) != 0)
			return false;
	}
	return true;
}

static bool same_shape(const struct segments *a, const struct segments *b)
{
	for (size_t i = 0; i < a->n; i++) {
		if (is_param(a, i) != is_param(b, i))
			return false;
		if (!is_param(a, i) &&
		    (a->len[i] != b->len[i] || memcmp(a->text[i], b->text[i], a->len[i]) != 0))
			return false;
	}
	return true;
}

static void params_fill(const struct segments *pattern, const struct segments *path,
			struct request *r)
{
	size_t n = 0;

	memset(r->param_name, 0, sizeof(r->param_name));
	for (size_t i = 0; i < pattern->n && n < ROUTE_PARAMS_MAX; i++) {
		if (!is_param(pattern, i))
			continue;
		r->param_name[n] = pattern->text[i] + 1; /* ends at '}' */
		memcpy(r->param[n], path->text[i], path->len[i]);
		r->param[n++][path->len[i]] = '\0';
	}
}

static void allow_add(char allow[128], const char *method)
{
	size_t len = strlen(allow);

	snprintf(allow + len, 128 - len, "%s%s", len ? "," : "", method);
}

enum route_match route_find(const struct route_tree *t, const char *method, const char *path,
			    struct request *r, char ret_allow[128])
{
	struct segments want;
	const struct pattern *first = NULL;

	ret_allow[0] = '\0';
	if (!split(path, &want))
		return ROUTE_UNKNOWN;
	for (size_t i = 0; i < t->n[want.n]; i++) {
		const struct pattern *p = &t->v[want.n][i];
		if (!pattern_fits(&p->path, &want))
			continue;
		/* The first fit decides which resource it is; others count only when they are the same path. */
		if (first && !same_shape(&first->path, &p->path))
			continue;
		if (!first)
			first = p;
		if (!strcmp(p->route->method, method)) {
			r->route = p->route;
			params_fill(&p->path, &want, r);
			return ROUTE_FOUND;
		}
		allow_add(ret_allow, p->route->method);
	}
	return first ? ROUTE_WRONG_METHOD : ROUTE_UNKNOWN;
}

static bool param_is(const char *pattern_name, const char *name)
{
	size_t n = strlen(name);

	return pattern_name && !strncmp(pattern_name, name, n) && pattern_name[n] == '}';
}

const char *request_param(const struct request *r, const char *name)
{
	for (int i = 0; i < ROUTE_PARAMS_MAX; i++) {
		if (param_is(r->param_name[i], name))
			return r->param[i];
	}
	return "";
}

int route_check_params(const struct request *r, struct fault *err)
{
	static const char *const uuids[] = { "infra_env_id", "host_id", "cluster_id" };

	for (size_t i = 0; i < ARRAY_SIZE(uuids); i++) {
		const char *v = request_param(r, uuids[i]);
		if (v[0] && !uuid_is_valid(v))
			return fault_set(err, -EBADMSG, "%s in path must be of type uuid: \"%s\"",
					 uuids[i], v);
	}
	return 0;
}
