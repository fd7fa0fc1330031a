#include "common/fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/str.h"

/* vsnprintf() cuts between bytes: drop the UTF-8 sequence that lost its end. */
static void drop_cut_sequence(char *s, size_t len)
{
	size_t start = len;
	while (start > 0 && len - start < 4 && ((unsigned char)s[start - 1] & 0xc0) == 0x80)
		start--;
	if (start == 0)
		return;
	unsigned char lead = (unsigned char)s[start - 1];
	size_t want = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
	if (want > len - start + 1)
		s[start - 1] = '\0';
}

static void set_text(struct fault *f, const char *text)
{
	if (!str_copy(f->text, sizeof(f->text), text))
		drop_cut_sequence(f->text, strlen(f->text));
	str_make_utf8(f->text);
}

int fault_set(struct fault *f, int code, const char *fmt, ...)
{
	if (!f)
		return code;
	/* not straight into f->text: an argument may point there */
	char text[sizeof(f->text) + 1];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	set_text(f, text);
	f->code = code;
	return code;
}

int fault_prefix(struct fault *f, int code, const char *fmt, ...)
{
	if (!f)
		return code;
	if (f->code == 0)
		f->code = code;
	char text[2 * sizeof(f->text) + 3];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(f->text), fmt, ap);
	va_end(ap);
	size_t len = strlen(text);
	snprintf(text + len, sizeof(text) - len, ": %s", fault_text(f));
	set_text(f, text);
	return f->code;
}

int fault_oom(struct fault *f)
{
	return fault_set(f, -ENOMEM, "out of memory");
}

const char *fault_text(const struct fault *f)
{
	if (f && f->text[0])
		return f->text;
	return strerror(f && f->code ? -f->code : errno);
}
