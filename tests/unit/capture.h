#pragma once
/* What a function prints: stdout and stderr go into files between capture_begin() and capture_end(). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/fd.h"

struct capture {
	int saved[2];
	FILE *files[2];
	char out[16384], err[16384]; /* set by capture_end(), ended by NUL */
};

static inline void capture_begin(struct capture *c)
{
	fflush(NULL);
	for (int i = 0; i < 2; i++) {
		c->saved[i] = dup(i + 1);
		c->files[i] = tmpfile();
		assert_non_null(c->files[i]);
		assert_int_equal(dup2(fileno(c->files[i]), i + 1), i + 1);
	}
}

static inline void capture_end(struct capture *c)
{
	fflush(NULL);
	for (int i = 0; i < 2; i++) {
		char *to = i == 0 ? c->out : c->err;
		ssize_t n = fd_pread(fileno(c->files[i]), to, sizeof(c->out) - 1, 0);
		dup2(c->saved[i], i + 1);
		close(c->saved[i]);
		fclose(c->files[i]);
		assert_true(n >= 0);
		to[n] = '\0';
	}
}
