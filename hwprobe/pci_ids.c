#include "hwprobe/pci_ids.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "common/cleanup.h"

static bool map_file(struct pci_ids *ids, const char *path)
{
	AUTO(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size > PCI_IDS_MAX)
		return false;
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return false;
	*ids = (struct pci_ids){ .text = p, .len = (size_t)st.st_size };
	return true;
}

void pci_ids_open(struct pci_ids *ids, const char *path)
{
	static const char *const places[] = { "/usr/share/hwdata/pci.ids", "/usr/share/misc/pci.ids" };
	*ids = (struct pci_ids){ 0 };
	if (path) {
		map_file(ids, path);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (map_file(ids, places[i]))
			return;
}

void pci_ids_done(struct pci_ids *ids)
{
	if (ids->text)
		munmap((void *)ids->text, ids->len);
	*ids = (struct pci_ids){ 0 };
}

/* The name when the line at @p is "<tabs><id>  name"; @len bytes long. */
static bool line_is(const char *p, size_t len, const char *id, int tabs, const char **ret_name, size_t *ret_len)
{
	size_t head = (size_t)tabs + 4;
	if (len < head + 3 || strncasecmp(p + tabs, id, 4) || p[head] != ' ')
		return false;
	for (int i = 0; i < tabs; i++)
		if (p[i] != '\t')
			return false;
	while (head < len && p[head] == ' ')
		head++;
	*ret_name = p + head;
	*ret_len = len - head;
	return true;
}

void pci_ids_find(const struct pci_ids *ids, struct arena *a, const char *vendor, const char *device, char **ret_vendor,
		  char **ret_device)
{
	const char *end = ids->text + ids->len, *name;
	bool is_inside = false;
	size_t n;
	*ret_vendor = *ret_device = NULL;
	for (const char *p = ids->text; p && p < end;) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((newline ? newline : end) - p);
		if (*p == 'C' && len > 1 && p[1] == ' ')
			return; /* the list of classes follows */
		if (is_inside && *p != '\t' && *p != '#' && len)
			return; /* the next vendor */
		if (!is_inside && line_is(p, len, vendor, 0, &name, &n)) {
			*ret_vendor = arena_copy(a, name, n);
			is_inside = true;
		} else if (is_inside && device && line_is(p, len, device, 1, &name, &n)) {
			*ret_device = arena_copy(a, name, n);
			return;
		}
		p += len + 1;
	}
}
