#include "service/nmstate_yaml.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include "common/cleanup.h"
#include "common/str.h"

#define NAME_MAX_LEN 64
#define TOP "interfaces"

/* A piece of text; not terminated. */
struct span {
	const char *p;
	size_t len;
};

/* What a line says. */
struct line {
	struct span text;      /* the whole line, without its end */
	size_t column;         /* of the key or item, behind "- " */
	unsigned dashes;       /* "- " in front of it */
	struct span key;       /* empty: none */
	struct span raw;       /* the value as written, empty: none */
	struct span value;     /* without quotes */
	bool is_blank, is_raw; /* nothing or a comment; inside of a block scalar */
};

struct level {
	size_t column;
	struct span key;
};

struct walk {
	const char *what, *next;
	unsigned number;
	size_t scalar_column; /* lines beyond it belong to a block scalar; SIZE_MAX = none */
	struct level stack[NMSTATE_DEPTH_MAX];
	size_t depth;
	struct line line;
};

static bool is_span(struct span s, const char *text)
{
	return s.len == strlen(text) && !memcmp(s.p, text, s.len);
}

static struct span trimmed(const char *p, const char *end)
{
	while (p < end && *p == ' ')
		p++;
	while (end > p && (end[-1] == ' ' || end[-1] == '\r'))
		end--;
	return (struct span){ p, (size_t)(end - p) };
}

static int refuse(const struct walk *w, struct fault *err, const char *why)
{
	return fault_set(err, -EINVAL, "%s.network_yaml, line %u: %s", w->what, w->number, why);
}

/* --- one line --- */

/* The end of a quoted text that begins at @p; NULL = not on this line. */
static const char *quote_end(const char *p, const char *end)
{
	for (const char *q = p + 1; q < end; q++) {
		if (*p == '"' && *q == '\\')
			q++;
		else if (*q == *p && *p == '\'' && q + 1 < end && q[1] == '\'')
			q++;
		else if (*q == *p)
			return q;
	}
	return NULL;
}

/* Where the comment of a line begins, or its end; NULL = a quote is open. */
static const char *comment_at(const char *p, const char *end)
{
	char before = ' ';

	for (; p < end; before = *p++) {
		if (*p == '#' && before == ' ')
			return p;
		if ((*p == '"' || *p == '\'') && strchr(" [{,:", before)) {
			p = quote_end(p, end);
			if (!p)
				return NULL;
		}
	}
	return end;
}

/* The key at the start of @s: up to a colon that ends it; 0 = there is none. */
static size_t key_length(struct span s)
{
	size_t i = 0;

	if (s.len && (*s.p == '"' || *s.p == '\'')) {
		const char *q = quote_end(s.p, s.p + s.len);
		i = q ? (size_t)(q - s.p) + 1 : s.len;
	} else if (s.len && strchr("[{", *s.p)) {
		return 0;
	}
	for (; i < s.len; i++) {
		if (s.p[i] == ':' && (i + 1 == s.len || s.p[i + 1] == ' '))
			return i;
	}
	return 0;
}

static struct span unquoted(struct span s)
{
	if (s.len >= 2 && (*s.p == '"' || *s.p == '\'') && s.p[s.len - 1] == *s.p)
		return (struct span){ s.p + 1, s.len - 2 };
	return s;
}

/* A flow collection must end where it began. */
static bool is_balanced(struct span s)
{
	int open = 0;

	for (const char *p = s.p; p < s.p + s.len; p++) {
		if ((*p == '"' || *p == '\'') && !(p = quote_end(p, s.p + s.len)))
			return false;
		open += (*p == '[' || *p == '{') - (*p == ']' || *p == '}');
	}
	return !open;
}

static int check_value(const struct walk *w, struct span v, struct fault *err)
{
	if (!v.len)
		return 0;
	if (strchr("&*!%@`?", *v.p))
		return refuse(w, err, "anchors, aliases and tags are not taken");
	if ((*v.p == '"' || *v.p == '\'') && quote_end(v.p, v.p + v.len) != v.p + v.len - 1)
		return refuse(w, err, "quoted text must end on its line");
	if (strchr("[{", *v.p) && !is_balanced(v))
		return refuse(w, err, "[ ] and { } must stand on one line");
	return 0;
}

/* "- - key: value" at @p. */
static int read_content(struct walk *w, const char *p, const char *end, struct fault *err)
{
	struct line *l = &w->line;

	while (p < end && *p == '-' && (p + 1 == end || p[1] == ' ')) {
		l->dashes++;
		p++;
		while (p < end && *p == ' ')
			p++;
	}
	l->column = (size_t)(p - l->text.p);
	struct span s = trimmed(p, end);
	size_t n = key_length(s);
	if (n) {
		l->key = unquoted(trimmed(s.p, s.p + n));
		s = trimmed(s.p + n + 1, s.p + s.len);
	}
	l->raw = s;
	l->value = unquoted(s);
	int r = check_value(w, s, err);
	if (r == 0 && n && !l->key.len)
		r = refuse(w, err, "a key is empty");
	if (r == 0 && s.len && strchr("|>", *s.p))
		w->scalar_column = n ? l->column : l->column - 1;
	return r;
}

static int check_bytes(const struct walk *w, struct span s, struct fault *err)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == '\t' || c == 0x7f || (c < ' ' && !(c == '\r' && i + 1 == s.len)))
			return refuse(w, err, "tabs and control characters are not taken");
	}
	if (w->number > 1 && s.len >= 3 && (!memcmp(s.p, "---", 3) || !memcmp(s.p, "...", 3)))
		return refuse(w, err, "there must be one document");
	return 0;
}

/* Reads the next line; 1, 0 at the end, or a refusal. */
static int read_line(struct walk *w, struct fault *err)
{
	struct line *l = &w->line;

	if (!*w->next)
		return 0;
	*l = (struct line){ .text = { w->next, strcspn(w->next, "\n") } };
	w->next += l->text.len + (w->next[l->text.len] == '\n');
	if (++w->number > NMSTATE_LINES_MAX)
		return refuse(w, err, "there are too many lines");
	int r = check_bytes(w, l->text, err);
	if (r < 0)
		return r;
	struct span s = trimmed(l->text.p, l->text.p + l->text.len);
	size_t indent = (size_t)(s.p - l->text.p);
	l->is_blank = !s.len || *s.p == '#' || (w->number == 1 && is_span(s, "---"));
	l->is_raw = !l->is_blank && w->scalar_column != SIZE_MAX && indent > w->scalar_column;
	if (l->is_blank || l->is_raw)
		return 1;
	w->scalar_column = SIZE_MAX;
	const char *end = comment_at(s.p, s.p + s.len);
	if (!end)
		return refuse(w, err, "quoted text must end on its line");
	r = read_content(w, s.p, end, err);
	return r < 0 ? r : 1;
}

/* --- where a line stands --- */

/* Keeps the keys above the line on the stack, and puts its own there. */
static int place(struct walk *w, struct fault *err)
{
	const struct line *l = &w->line;
	size_t indent = strspn(l->text.p, " ");

	/* items of a list may stand as far left as the list's key */
	size_t keep = l->dashes ? indent + 1 : l->column;
	while (w->depth && w->stack[w->depth - 1].column >= keep)
		w->depth--;
	if (!w->depth && (l->dashes || indent || !l->key.len))
		return refuse(w, err, "a list of keys in block style is expected here");
	if (!l->key.len)
		return 0;
	if (w->depth == NMSTATE_DEPTH_MAX)
		return refuse(w, err, "it is nested too deep");
	w->stack[w->depth++] = (struct level){ l->column, l->key };
	return 0;
}

static int walk_next(struct walk *w, struct fault *err)
{
	int r = read_line(w, err);

	if (r > 0 && !w->line.is_blank && !w->line.is_raw) {
		int e = place(w, err);
		return e < 0 ? e : 1;
	}
	return r;
}

static int walk_start(struct walk *w, const char *what, const char *yaml, struct fault *err)
{
	*w = (struct walk){ .what = what, .next = yaml, .scalar_column = SIZE_MAX };
	if (strlen(yaml) > NMSTATE_YAML_MAX)
		return fault_set(err, -EINVAL, "%s.network_yaml has more than %u bytes", what,
				 NMSTATE_YAML_MAX);
	return 0;
}

static bool is_key_at(const struct walk *w, size_t depth, const char *key)
{
	return w->depth > depth && is_span(w->stack[depth].key, key);
}

/* Is the value of the line the name of an interface? */
static bool names_interface(const struct walk *w)
{
	static const char *const keys[] = { "name",          "base-iface", "next-hop-interface",
					    "interface",     "iface",      "controller",
					    "copy-mac-from", "peer" };
	static const char *const lists[] = { "port", "ports", "slaves" };
	const struct line *l = &w->line;

	if (l->is_blank || l->is_raw || !l->value.len)
		return false;
	if (!l->key.len) {
		for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
			if (is_key_at(w, w->depth - 1, lists[i]))
				return true;
		}
		return false;
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (is_span(l->key, keys[i]))
			return true;
	}
	return false;
}

static const struct nmstate_nic *find_nic(const struct nmstate_nic *nics, size_t n,
					  struct span name)
{
	for (size_t i = 0; i < n; i++) {
		if (is_span(name, nics[i].name))
			return &nics[i];
	}
	return NULL;
}

/* --- checking --- */

/* The interface being read. */
struct item {
	struct span name;
	bool is_open, is_card;
	unsigned number; /* its line */
};

static int item_end(const struct walk *w, struct item *it, const struct nmstate_nic *nics, size_t n,
		    struct fault *err)
{
	if (!it->is_open)
		return 0;
	it->is_open = false;
	if (!it->name.len || it->name.len > NAME_MAX_LEN)
		return fault_set(
			err, -EINVAL,
			"%s.network_yaml, line %u: an interface has no name of up to %d characters",
			w->what, it->number, NAME_MAX_LEN);
	if (it->is_card && !find_nic(nics, n, it->name))
		return fault_set(
			err, -EINVAL,
			"%s.network_yaml, line %u: interface %.*s is not in mac_interface_map",
			w->what, it->number, (int)it->name.len, it->name.p);
	return 0;
}

static void item_note(const struct walk *w, struct item *it)
{
	const struct line *l = &w->line;

	if (is_span(l->key, "name"))
		it->name = l->value;
	else if (is_span(l->key, "type"))
		it->is_card = is_span(l->value, "ethernet");
}

/* A name in "[a, b]" would stay what it is. */
static int check_flow(const struct walk *w, const struct nmstate_nic *nics, size_t n,
		      struct fault *err)
{
	struct span v = w->line.raw;

	if (!v.len || !strchr("[{", *v.p))
		return 0;
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(nics[i].name);
		const char *at = v.p, *end = v.p + v.len;
		while ((at = memmem(at, (size_t)(end - at), nics[i].name, len))) {
			if (strchr(" ,[{\"'", at[-1]) && strchr(" ,]}\"'", at[len]))
				return refuse(
					w, err,
					"names of interfaces must stand in block style, not in [ ] or { }");
			at++;
		}
	}
	return 0;
}

static int check_line(const struct walk *w, struct item *it, const struct nmstate_nic *nics,
		      size_t n, struct fault *err)
{
	const struct line *l = &w->line;

	if (l->is_blank || l->is_raw)
		return 0;
	bool is_item = l->dashes && is_key_at(w, 0, TOP) && w->depth == 1u + (l->key.len > 0);
	int r = is_item || w->depth == 1 ? item_end(w, it, nics, n, err) : 0;
	if (is_item)
		*it = (struct item){ .is_open = true, .number = w->number };
	if (it->is_open && w->depth == 2 && is_key_at(w, 0, TOP) && l->key.len)
		item_note(w, it);
	return r < 0 ? r : check_flow(w, nics, n, err);
}

int nmstate_check(const char *what, const char *yaml, const struct nmstate_nic *nics, size_t n_nics,
		  struct fault *err)
{
	struct walk w;
	struct item it = { .is_open = false };
	bool has_interfaces = false;

	int r = walk_start(&w, what, yaml, err);
	if (r == 0)
		r = 1;
	while (r > 0 && (r = walk_next(&w, err)) > 0) {
		int e = check_line(&w, &it, nics, n_nics, err);
		has_interfaces = has_interfaces || it.is_open;
		if (e < 0)
			return e;
	}
	if (r == 0)
		r = item_end(&w, &it, nics, n_nics, err);
	if (r == 0 && !has_interfaces)
		r = fault_set(err, -EINVAL, "%s.network_yaml has no list \"" TOP "\"", what);
	return r;
}

/* --- the policy --- */

static int append_span(struct buf *out, const char *p, const char *end)
{
	return buf_append(out, p, (size_t)(end - p));
}

/* Two more columns, and a name of the map becomes what was captured under it. */
static int append_line(struct buf *out, const struct walk *w, const struct nmstate_nic *nics,
		       size_t n)
{
	const struct line *l = &w->line;
	const char *end = l->text.p + l->text.len;
	const struct nmstate_nic *nic = names_interface(w) ? find_nic(nics, n, l->value) : NULL;

	if (w->number == 1 && l->is_blank && str_starts(l->text.p, "---"))
		return 0;
	int r = l->text.len ? buf_append_str(out, "  ") : 0;
	if (r == 0)
		r = append_span(out, l->text.p, nic ? l->raw.p : end);
	if (r == 0 && nic)
		r = buf_printf(out, "\"{{ capture.iface%zu.interfaces.0.name }}\"",
			       (size_t)(nic - nics));
	if (r == 0 && nic)
		r = append_span(out, l->raw.p + l->raw.len, end);
	return r < 0 ? r : buf_append_str(out, "\n");
}

/* Does one of the keys below the line say @key? *ret_column: where these keys stand, 0 = there are none. */
static bool has_below(const struct walk *w, const char *key, size_t *ret_column)
{
	struct walk below = *w;
	size_t depth = w->depth;

	*ret_column = 0;
	while (walk_next(&below, NULL) > 0) {
		if (below.line.is_blank || below.line.is_raw)
			continue;
		if (below.depth <= depth)
			break;
		if (below.depth > depth + 1 || !below.line.key.len || below.line.dashes)
			continue;
		*ret_column = below.line.column;
		if (is_span(below.line.key, key))
			return true;
	}
	return false;
}

static int append_missing(struct buf *out, const struct walk *w, const char *key)
{
	size_t column;

	if (has_below(w, key, &column) || !column)
		return 0;
	return buf_printf(out, "  %*s%s: false\n", (int)column, "", key);
}

/* nmstate would keep what the machine had: addresses by DHCP. */
static int append_defaults(struct buf *out, const struct walk *w)
{
	const struct line *l = &w->line;
	bool is_v4 = is_span(l->key, "ipv4"), is_v6 = is_span(l->key, "ipv6");

	if (l->is_blank || l->is_raw || (!is_v4 && !is_v6) || l->raw.len || w->depth != 2 ||
	    !is_key_at(w, 0, TOP))
		return 0;
	int r = append_missing(out, w, "dhcp");
	return r == 0 && is_v6 ? append_missing(out, w, "autoconf") : r;
}

static int append_captures(struct buf *out, const struct nmstate_nic *nics, size_t n)
{
	int r = buf_append_str(out, "capture:\n");

	/* in capitals, as nmstate itself shows them */
	for (size_t i = 0; r == 0 && i < n; i++) {
		char mac[MAC_LEN + 1];
		str_copy(mac, sizeof(mac), nics[i].mac);
		for (char *p = mac; *p; p++)
			*p = (char)(*p >= 'a' && *p <= 'f' ? *p - 'a' + 'A' : *p);
		r = buf_printf(out, "  iface%zu: interfaces.mac-address == \"%s\"\n", i, mac);
	}
	return r < 0 ? r : buf_append_str(out, "desiredState:\n");
}

int nmstate_policy(const char *yaml, const struct nmstate_nic *nics, size_t n_nics, struct buf *out,
		   struct fault *err)
{
	struct walk w;

	int r = nmstate_check("state", yaml, nics, n_nics, err);
	if (r == 0)
		r = walk_start(&w, "state", yaml, err);
	if (r == 0)
		r = append_captures(out, nics, n_nics);
	while (r == 0 && walk_next(&w, err) > 0) {
		r = append_line(out, &w, nics, n_nics);
		if (r == 0)
			r = append_defaults(out, &w);
	}
	return r;
}
