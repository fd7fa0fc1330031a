/*
 * Merely reads what it is told to, one path per line: "f PATH" a file (one read, as for an attribute), "d PATH" a folder's names, "l PATH" a link, "b PATH" the
 * beginning of a disk as far as the inventory looks at it.
 * What the inventory costs is compared with this.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SIZE = 1 << 16, HEAD = 32768 + 6 }; /* the descriptor of ISO 9660 */

static void read_one(char kind, const char *path, char *data)
{
	if (kind == 'l' && readlink(path, data, SIZE) >= 0)
		return;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return;
	long n = kind == 'f' ? read(fd, data, SIZE) : kind == 'b' ? pread(fd, data, HEAD, 0) : 1;
	while (kind == 'd' && n > 0)
		n = syscall(SYS_getdents64, fd, data, (size_t)SIZE);
	close(fd);
}

int main(int argc, char **argv)
{
	FILE *list = argc == 2 ? fopen(argv[1], "re") : NULL;
	char *line = NULL, *data = malloc(SIZE);
	size_t size = 0;
	ssize_t n;

	if (!list || !data)
		return EXIT_FAILURE;
	while ((n = getline(&line, &size, list)) > 3) {
		line[n - 1] = '\0';
		read_one(line[0], line + 2, data);
	}
	free(line);
	free(data);
	fclose(list);
	return 0;
}
