#pragma once
/*
 * Ownership made visible: AUTO(fn) releases a variable when its scope ends, TAKE() moves it out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <dirent.h>

#define AUTO(fn) __attribute__((__cleanup__(fn)))

/* Move a pointer out of an AUTO variable. */
#define TAKE(p)                            \
	({                                 \
		__auto_type take_p_ = (p); \
		(p) = NULL;                \
		take_p_;                   \
	})

/* Move a descriptor out of an AUTO variable. */
#define TAKE_FD(fd)                  \
	({                           \
		int take_fd_ = (fd); \
		(fd) = -1;           \
		take_fd_;            \
	})

/* free(*p); @p points to any kind of pointer. */
static inline void freep(void *p)
{
	free(*(void **)p);
}

/* close(*fd) unless negative. */
static inline void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN_OF(a, b) ((a) < (b) ? (a) : (b))
#define MAX_OF(a, b) ((a) > (b) ? (a) : (b))
