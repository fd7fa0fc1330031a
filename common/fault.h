#pragma once
/*
 * What went wrong, for a person: a negative errno and a sentence. The place that knows fills it in, callers add
 * context in front, one place prints. Storage is the caller's; every function takes NULL.
 */
struct fault {
	int code;        /* negative errno; 0 = nothing happened */
	char text[1024]; /* cut at the end when longer; always NUL-terminated UTF-8 */
};

#define FAULT_INIT ((struct fault){ 0 })

/* Sets code and text (replacing what was there) and returns @code, so that it can be returned in one expression. */
int fault_set(struct fault *f, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "<text>: " in front of the sentence and returns the code that @f holds (or @code when @f is NULL). */
int fault_prefix(struct fault *f, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Out of memory; returns -ENOMEM. */
int fault_oom(struct fault *f);

/* The sentence; when none was set, the text of errno. Never NULL. */
const char *fault_text(const struct fault *f);
