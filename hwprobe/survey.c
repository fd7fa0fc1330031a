#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/context.h"
#include "hwprobe/cpuinfo.h"
#include "hwprobe/explain.h"
#include "hwprobe/pci_ids.h"
#include "hwprobe/probe.h"
#include "hwprobe/record.h"

enum { ERRORS_MAX = 1000 };

static bool is_absence(int err)
{
	static const int absent[] = { ENOENT, ENOTDIR, EINVAL, ENODATA, ENXIO, EOPNOTSUPP, ENODEV };
	for (size_t i = 0; i < ARRAY_SIZE(absent); i++)
		if (err == absent[i])
			return true;
	return false;
}

/* For the inventory: devices may have any bytes in their names, and files in their values. */
static char *utf8_copy(struct survey *s, const char *text)
{
	char *copy = arena_dup(s->mem, text);
	if (copy)
		str_make_utf8(copy);
	return copy;
}

void survey_error(struct survey *s, const char *source, int err, const char *fmt, ...)
{
	struct hwp_inventory *inv = s->inv;
	for (size_t i = 0; i < inv->error_count; i++)
		if (inv->errors[i].err == err && str_eq(inv->errors[i].part, s->part) &&
		    str_eq(inv->errors[i].source, source))
			return;
	if (inv->error_count == ERRORS_MAX)
		return;

	char text[512];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	str_make_utf8(text);
	char *name = utf8_copy(s, source);
	struct hwp_error *e = arena_append(s->mem, &inv->errors, &inv->error_count, sizeof(*e));
	if (!e)
		return;
	*e = (struct hwp_error){
		.part = s->part, .source = name, .err = err, .detail = arena_dup(s->mem, text)
	};
	if (s->opt->log)
		s->opt->log(s->opt->log_data, 4 /* LOG_WARNING */, s->part,
			    arena_printf(s->tmp, "%s: %s", name, text));
}

static void read_failed(struct survey *s, const char *path, int err)
{
	if (err == EXDEV || is_absence(err)) /* EXDEV ends the whole pass */
		return;
	survey_error(s, path, err, "%s", strerror(err));
}

/* Reads the attribute named by the format into @data, trimmed. Returns it, or NULL. @path gets the name. */
static char *attr_read(struct survey *s, char path[ROOT_PATH_MAX], char data[ROOT_ATTR_MAX + 1],
		       const char *fmt, va_list args)
{
	if (vsnprintf(path, ROOT_PATH_MAX, fmt, args) >= ROOT_PATH_MAX)
		return NULL;
	ssize_t n = root_attr(s->root, path, data, ROOT_ATTR_MAX + 1);
	explain_read(s, path, n < 0 ? (int)-n : 0);
	if (n < 0) {
		read_failed(s, path, (int)-n);
		return NULL;
	}
	/* A NUL inside ends the text; devicetree strings end in one. */
	return str_trim(data);
}

char *attr_text(struct survey *s, const char *fmt, ...)
{
	char path[ROOT_PATH_MAX], data[ROOT_ATTR_MAX + 1];
	va_list args;
	va_start(args, fmt);
	char *text = attr_read(s, path, data, fmt, args);
	va_end(args);
	return str_empty(text) ? NULL : arena_dup(s->tmp, text);
}

int attr_num(struct survey *s, int64_t *ret, const char *fmt, ...)
{
	char path[ROOT_PATH_MAX], data[ROOT_ATTR_MAX + 1];
	va_list args;
	va_start(args, fmt);
	char *text = attr_read(s, path, data, fmt, args);
	va_end(args);
	if (!text)
		return -ENOENT;
	if (str_to_i64(text, ret) < 0) {
		survey_error(s, path, EBADMSG, "not a number");
		return -EBADMSG;
	}
	return 0;
}

bool attr_is_one(struct survey *s, const char *fmt, ...)
{
	char path[ROOT_PATH_MAX], data[ROOT_ATTR_MAX + 1];
	va_list args;
	va_start(args, fmt);
	char *text = attr_read(s, path, data, fmt, args);
	va_end(args);
	return text && !strcmp(text, "1");
}

int attr_file(struct survey *s, const char *path, size_t max, char **ret, size_t *ret_len)
{
	int rc = root_read(s->root, s->tmp, path, max, ret, ret_len);
	explain_read(s, path, rc < 0 ? -rc : 0);
	if (rc < 0)
		read_failed(s, path, -rc);
	return rc;
}

struct root_names attr_list(struct survey *s, const char *fmt, ...)
{
	char path[ROOT_PATH_MAX];
	va_list args;
	va_start(args, fmt);
	int n = vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);
	struct root_names names = { 0 };
	if (n >= (int)sizeof(path))
		return names;
	int rc = root_list(s->root, s->tmp, path, &names);
	explain_read(s, path, rc < 0 ? -rc : 0);
	if (rc < 0)
		read_failed(s, path, -rc);
	return names;
}

char *attr_real(struct survey *s, const char *path)
{
	char target[ROOT_PATH_MAX];
	ssize_t n = root_link(s->root, path, target, sizeof(target));
	if (n == -EINVAL)
		return arena_dup(s->tmp, path);
	if (n < 0) {
		read_failed(s, path, (int)-n);
		return NULL;
	}
	/* sysfs links are relative to the folder that holds them and start with as many ".." as needed. */
	char base[ROOT_PATH_MAX];
	str_copy(base, sizeof(base), path);
	char *rest = target, *slash = strrchr(base, '/');
	if (slash)
		*slash = '\0';
	while (str_starts(rest, "../")) {
		slash = strrchr(base, '/');
		if (!slash)
			base[0] = '\0';
		else
			*slash = '\0';
		rest += 3;
	}
	return arena_printf(s->tmp, "%s%s%s", base, base[0] ? "/" : "", rest);
}

char *attr_link_name(struct survey *s, const char *fmt, ...)
{
	char path[ROOT_PATH_MAX], target[ROOT_PATH_MAX];
	va_list args;
	va_start(args, fmt);
	int n = vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);
	if (n >= (int)sizeof(path))
		return NULL;
	ssize_t len = root_link(s->root, path, target, sizeof(target));
	explain_read(s, path, len < 0 ? (int)-len : 0);
	if (len <= 0)
		return NULL;
	char *slash = strrchr(target, '/');
	return arena_dup(s->tmp, slash ? slash + 1 : target);
}

bool put_str(struct survey *s, struct hwp_str *dst, const char *value, const char *source)
{
	explain_try(s, dst, source, !str_empty(value));
	if (str_empty(value))
		return false;
	char *copy = utf8_copy(s, value), *from = utf8_copy(s, source);
	if (!copy || !from)
		return false;
	*dst = (struct hwp_str){ .s = copy, .source = from };
	return true;
}

bool put_num(struct survey *s, struct hwp_num *dst, int64_t value, const char *source)
{
	char *from = utf8_copy(s, source);
	explain_try(s, dst, source, true);
	if (!from)
		return false;
	*dst = (struct hwp_num){ .v = value, .source = from };
	return true;
}

bool put_bool(struct survey *s, struct hwp_bool *dst, bool value, const char *source)
{
	explain_try(s, dst, source, true);
	*dst = (struct hwp_bool){ .v = value, .source = source };
	return true;
}

bool put_real(struct survey *s, struct hwp_real *dst, double value, const char *source)
{
	explain_try(s, dst, source, true);
	*dst = (struct hwp_real){ .v = value, .source = source };
	return true;
}

bool put_strs(struct survey *s, struct hwp_strs *dst, const char *value, const char *source)
{
	char *copy = str_empty(value) ? NULL : utf8_copy(s, value);
	if (!copy)
		return false;
	const char **slot = arena_append(s->mem, &dst->v, &dst->n, sizeof(*slot));
	if (!slot)
		return false;
	*slot = copy;
	if (dst->n == 1)
		explain_try(s, dst, source, true);
	dst->source = source;
	return true;
}

bool put_attr(struct survey *s, struct hwp_str *dst, const char *source, const char *fmt, ...)
{
	char path[ROOT_PATH_MAX], data[ROOT_ATTR_MAX + 1];
	va_list args;
	va_start(args, fmt);
	char *text = attr_read(s, path, data, fmt, args);
	va_end(args);
	return put_str(s, dst, text, source ? source : path);
}

bool put_attr_num(struct survey *s, struct hwp_num *dst, const char *fmt, ...)
{
	char path[ROOT_PATH_MAX];
	int64_t value;
	va_list args;
	va_start(args, fmt);
	int n = vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);
	if (n >= (int)sizeof(path))
		return false;
	if (attr_num(s, &value, "%s", path) == 0)
		return put_num(s, dst, value, path);
	explain_try(s, dst, path, false);
	return false;
}

bool put_attr_bool(struct survey *s, struct hwp_bool *dst, const char *fmt, ...)
{
	char path[ROOT_PATH_MAX], data[ROOT_ATTR_MAX + 1];
	va_list args;
	va_start(args, fmt);
	const char *text = attr_read(s, path, data, fmt, args);
	va_end(args);
	char *source = str_empty(text) ? NULL : utf8_copy(s, path);
	if (source)
		return put_bool(s, dst, !strcmp(text, "1"), source);
	explain_try(s, dst, path, false);
	return false;
}

static void read_smbios(struct survey *s)
{
	static const char file[] = "sys/firmware/dmi/tables/DMI";
	char *table = NULL;
	size_t len = 0;
	if (attr_file(s, file, ROOT_TABLE_MAX, &table, &len) < 0)
		return;
	if (smbios_init(&s->smbios, table, len) < 0)
		survey_error(s, file, EBADMSG, "not an SMBIOS table");
	else if (!smbios_is_whole(&s->smbios))
		survey_error(s, file, EBADMSG, "the table breaks off");
}

const struct smbios *survey_smbios(struct survey *s)
{
	if (!s->has_read_smbios) {
		s->has_read_smbios = true;
		read_smbios(s);
	}
	return &s->smbios;
}

const char *survey_cpuinfo(struct survey *s)
{
	if (!s->has_read_cpuinfo) {
		s->has_read_cpuinfo = true;
		(void)attr_file(s, "proc/cpuinfo", ROOT_FILE_MAX, &s->cpuinfo, NULL);
		if (!str_empty(s->cpuinfo) && !cpuinfo_processors(s->cpuinfo))
			survey_error(s, "proc/cpuinfo", EBADMSG, "no processor in it");
	}
	return s->cpuinfo;
}

void survey_udev(struct survey *s, struct udev_record *r, const char *path, char *text, size_t len)
{
	udev_record_parse(r, s->tmp, text, len);
	if (len && !r->is_there)
		survey_error(s, path, EBADMSG, "not a record of udev's database");
}

void survey_pci_ids(struct survey *s, struct pci_ids *ids)
{
	int rc = pci_ids_open(ids, s->opt->pci_ids);
	if (rc < 0)
		survey_error(s, s->opt->pci_ids, -rc, "cannot be read: names stay unknown");
}

static const char *recorded_uname(struct survey *s, unsigned index)
{
	char *line = NULL;
	if (attr_file(s, "uname", ROOT_ATTR_MAX, &line, NULL) < 0)
		return NULL;
	for (; index > 0; index--) {
		line = strchr(line, '\n');
		if (!line)
			return NULL;
		line++;
	}
	line[strcspn(line, "\n")] = '\0';
	return *line ? arena_dup(s->tmp, line) : NULL;
}

const char *survey_uname(struct survey *s, unsigned index)
{
	if (!s->root->is_live)
		return recorded_uname(s, index);
	struct utsname u;
	if (uname(&u) < 0)
		return NULL;
	const char *const lines[] = { u.sysname, u.nodename, u.release, u.version, u.machine };
	char *text = arena_printf(s->tmp, "%s\n%s\n%s\n%s\n%s\n", lines[0], lines[1], lines[2],
				  lines[3], lines[4]);
	if (text)
		record_file(s->root, "uname", text, strlen(text));
	return index < ARRAY_SIZE(lines) ? arena_dup(s->tmp, lines[index]) : NULL;
}
