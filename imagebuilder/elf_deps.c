#include "imagebuilder/elf_deps.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define SEGMENTS_MAX 128u

struct image {
	const uint8_t *data;
	size_t len;
	Elf64_Phdr segments[SEGMENTS_MAX];
	size_t n_segments;
};

static bool inside(const struct image *e, uint64_t offset, uint64_t size)
{
	return offset <= e->len && size <= e->len - offset;
}

/* The NUL-terminated string at @offset that ends before @end; NULL = there is none. */
static const char *string_at(const struct image *e, uint64_t offset, uint64_t end)
{
	if (end > e->len || offset >= end || !memchr(e->data + offset, '\0', end - offset))
		return NULL;
	return (const char *)e->data + offset;
}

static int read_headers(struct image *e, uint16_t *ret_machine)
{
	Elf64_Ehdr h;

	if (e->len < sizeof(h) || memcmp(e->data, ELFMAG, SELFMAG) != 0)
		return -ENOEXEC;
	memcpy(&h, e->data, sizeof(h));
	if (h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_ident[EI_DATA] != ELFDATA2LSB)
		return -ENOEXEC;
	if (h.e_phentsize != sizeof(Elf64_Phdr) || h.e_phnum > SEGMENTS_MAX ||
	    !inside(e, h.e_phoff, (uint64_t)h.e_phnum * sizeof(Elf64_Phdr)))
		return -EBADMSG;

	memcpy(e->segments, e->data + h.e_phoff, h.e_phnum * sizeof(Elf64_Phdr));
	e->n_segments = h.e_phnum;
	*ret_machine = h.e_machine;
	return 0;
}

/* The dynamic section holds addresses; a loaded segment says where in the file they are. */
static int file_offset(const struct image *e, uint64_t address, uint64_t *ret)
{
	for (size_t i = 0; i < e->n_segments; i++) {
		const Elf64_Phdr *p = &e->segments[i];
		if (p->p_type == PT_LOAD && address >= p->p_vaddr &&
		    address - p->p_vaddr < p->p_filesz) {
			*ret = p->p_offset + (address - p->p_vaddr);
			return *ret < e->len ? 0 : -EBADMSG;
		}
	}
	return -EBADMSG;
}

static const Elf64_Phdr *segment(const struct image *e, uint32_t type)
{
	for (size_t i = 0; i < e->n_segments; i++)
		if (e->segments[i].p_type == type)
			return &e->segments[i];
	return NULL;
}

/* The value of the first entry with @tag; false = none. */
static bool dynamic_value(const struct image *e, const Elf64_Phdr *p, int64_t tag, uint64_t *ret)
{
	for (uint64_t at = 0; p->p_filesz - at >= sizeof(Elf64_Dyn); at += sizeof(Elf64_Dyn)) {
		Elf64_Dyn d;
		memcpy(&d, e->data + p->p_offset + at, sizeof(d));
		if (d.d_tag == tag) {
			*ret = d.d_un.d_val;
			return true;
		}
		if (d.d_tag == DT_NULL)
			break;
	}
	return false;
}

static int read_needed(const struct image *e, const Elf64_Phdr *p, uint64_t strings, uint64_t end,
		       struct elf_deps *ret)
{
	for (uint64_t at = 0; p->p_filesz - at >= sizeof(Elf64_Dyn); at += sizeof(Elf64_Dyn)) {
		Elf64_Dyn d;
		memcpy(&d, e->data + p->p_offset + at, sizeof(d));
		if (d.d_tag == DT_NULL)
			break;
		if (d.d_tag != DT_NEEDED)
			continue;
		if (d.d_un.d_val >= e->len || ret->n_needed == ELF_NEEDED_MAX)
			return -EBADMSG;
		const char *name = string_at(e, strings + d.d_un.d_val, end);
		if (!name || !*name)
			return -EBADMSG;
		ret->needed[ret->n_needed++] = name;
	}
	return 0;
}

static int read_dynamic(const struct image *e, struct elf_deps *ret)
{
	const Elf64_Phdr *p = segment(e, PT_DYNAMIC);
	uint64_t address, size, strings, path;

	if (!p)
		return 0; /* static */
	if (!inside(e, p->p_offset, p->p_filesz))
		return -EBADMSG;
	if (!dynamic_value(e, p, DT_STRTAB, &address) || !dynamic_value(e, p, DT_STRSZ, &size))
		return -EBADMSG;
	if (file_offset(e, address, &strings) < 0 || !inside(e, strings, size))
		return -EBADMSG;

	if (dynamic_value(e, p, DT_RUNPATH, &path) || dynamic_value(e, p, DT_RPATH, &path)) {
		ret->runpath = path < size ? string_at(e, strings + path, strings + size) : NULL;
		if (!ret->runpath)
			return -EBADMSG;
	}
	return read_needed(e, p, strings, strings + size, ret);
}

static int read_interp(const struct image *e, struct elf_deps *ret)
{
	const Elf64_Phdr *p = segment(e, PT_INTERP);

	if (!p)
		return 0;
	if (!inside(e, p->p_offset, p->p_filesz))
		return -EBADMSG;
	ret->interp = string_at(e, p->p_offset, p->p_offset + p->p_filesz);
	return ret->interp ? 0 : -EBADMSG;
}

int elf_deps_parse(const void *data, size_t len, struct elf_deps *ret, struct fault *err)
{
	struct image e = { .data = data, .len = len };
	struct elf_deps deps = { 0 };

	int r = read_headers(&e, &deps.machine);
	if (r == -ENOEXEC)
		return r;
	if (r == 0)
		r = read_interp(&e, &deps);
	if (r == 0)
		r = read_dynamic(&e, &deps);
	if (r < 0)
		return fault_set(err, r, "broken ELF file");

	*ret = deps;
	return 0;
}
