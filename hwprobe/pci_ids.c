#include "hwprobe/pci_ids.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "common/cleanup.h"

static int map_file(struct pci_ids *ids, const char *path)
{
	AUTO(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size > PCI_IDS_MAX)
		return -EBADMSG;
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	*ids = (struct pci_ids){ .text = p, .len = (size_t)st.st_size };
	return 0;
}

int pci_ids_open(struct pci_ids *ids, const char *path)
{
	static const char *const places[] = { "/usr/share/hwdata/pci.ids",
					      "/usr/share/misc/pci.ids" };
	*ids = (struct pci_ids){ 0 };
	if (path)
		return map_file(ids, path);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (map_file(ids, places[i]) == 0)
			break;
	return 0;
}

void pci_ids_done(struct pci_ids *ids)
{
	if (ids->text)
		munmap((void *)ids->text, ids->len);
	*ids = (struct pci_ids){ 0 };
}

/* The name when the line at @p is "<tabs><id>  name"; @len bytes long. */
static bool line_is(const char *p, size_t len, const char *id, int tabs, const char **ret_name,
		    size_t *ret_len)
{
	size_t head = (size_t)tabs + 4;
	if (len < head + 3 || strncasecmp(p + tabs, id, 4) || p[head] != ' ')
		return false;
	for (int i = 0; i < tabs; i++)
		if (p[i] != '\t')
			return false;
	while (head < len && p[head] == ' ')
		head++;
	/* An editor may have left something. */
	while (len > head && (p[len - 1] == ' ' || p[len - 1] == '\r' || p[len - 1] == '\t'))
		len--;
	if (len == head)
		return false;
	*ret_name = p + head;
	*ret_len = len - head;
	return true;
}

/* The text behind the line at @p. */
static const char *behind(const char *p, const char *end, size_t *ret_len)
{
	const char *newline = memchr(p, '\n', (size_t)(end - p));
	*ret_len = (size_t)((newline ? newline : end) - p);
	return newline ? newline + 1 : end;
}

/* Looks through the devices of one vendor, up to the next line that is not indented. */
static char *find_device(const char *p, const char *end, struct arena *a, const char *device)
{
	const char *name, *next;
	size_t len, n;
	for (; p < end; p = next) {
		next = behind(p, end, &len);
		if (len && *p != '\t' && *p != '#')
			return NULL;
		if (line_is(p, len, device, 1, &name, &n))
			return arena_copy(a, name, n);
	}
	return NULL;
}

void pci_ids_find(const struct pci_ids *ids, struct arena *a, const char *vendor,
		  const char *device, char **ret_vendor, char **ret_device)
{
	const char *end = ids->text ? ids->text + ids->len : NULL, *name, *next;
	size_t len, n;
	*ret_vendor = *ret_device = NULL;
	for (const char *p = ids->text; p < end; p = next) {
		next = behind(p, end, &len);
		if (len > 1 && p[0] == 'C' && p[1] == ' ')
			return; /* the list of classes follows */
		if (!line_is(p, len, vendor, 0, &name, &n))
			continue;
		*ret_vendor = arena_copy(a, name, n);
		*ret_device = device ? find_device(next, end, a, device) : NULL;
		return;
	}
}
