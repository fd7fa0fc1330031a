/*
 * Copies lines and puts in front of each when it came: microseconds of the clock that udev's "I:" lines have (CLOCK_MONOTONIC).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int main(void)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0) {
		struct timespec t;

		clock_gettime(CLOCK_MONOTONIC, &t);
		printf("%" PRIu64 " %s", (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000,
		       line);
		fflush(stdout);
	}
	free(line);
	return 0;
}
