#include "agent/efiboot.h"

#include <efivar/efiboot.h>
#include <efivar/efivar.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"

#define OPTION_MAX 4096
#define ORDER_MAX 1024
#define ATTRIBUTES \
	(EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS)
#define VARIABLE_MODE 0644
#define OPTION_ACTIVE 1u
#define NODE_MEDIA 4
#define NODE_HD 1
#define NODE_FILE 4
#define NODE_END 0x7F

bool efiboot_is_available(void)
{
	return efi_variables_supported() > 0;
}

/* --- load options ------------------------------------------------------------------------ */

static uint16_t u16_at(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

/*
 * u32 attributes, u16 length of the device path, description in UCS-2 with a NUL, device path.
 * Gives the path, checked against @len.
 */
static const uint8_t *option_path(const uint8_t *data, size_t len, size_t *ret_len)
{
	size_t at = 6;

	if (len < at)
		return NULL;
	size_t path_len = u16_at(data + 4);
	while (at + 2 <= len && u16_at(data + at))
		at += 2;
	at += 2;
	if (at > len || path_len > len - at)
		return NULL;
	*ret_len = path_len;
	return data + at;
}

static bool is_file_node(const uint8_t *node, size_t len, const char *loader)
{
	size_t n = strlen(loader);

	if (node[0] != NODE_MEDIA || node[1] != NODE_FILE || len != 4 + 2 * (n + 1))
		return false;
	for (size_t i = 0; i <= n; i++)
		if (u16_at(node + 4 + 2 * i) != (uint8_t)loader[i])
			return false;
	return true;
}

bool efiboot_option_disk(const uint8_t *data, size_t len, const char *loader, uint8_t ret_guid[16],
			 bool *ret_is_loader)
{
	size_t left = 0;
	const uint8_t *node = option_path(data, len, &left);
	bool has_disk = false;

	*ret_is_loader = false;
	while (node && left >= 4 && node[0] != NODE_END) {
		size_t node_len = u16_at(node + 2);

		if (node_len < 4 || node_len > left)
			return has_disk;
		if (node[0] == NODE_MEDIA && node[1] == NODE_HD && node_len >= 42) {
			memcpy(ret_guid, node + 24, 16);
			has_disk = true;
		} else if (has_disk) {
			*ret_is_loader = is_file_node(node, node_len, loader);
		}
		node += node_len;
		left -= node_len;
	}
	return has_disk;
}

static int option_make(const struct efiboot_spec *s, uint8_t *out, size_t size, size_t *ret_len,
		       struct fault *err)
{
	uint8_t path[OPTION_MAX];
	AUTO(freep) char *loader = str_dup(s->loader);
	ssize_t n, at;

	if (!loader)
		return fault_oom(err);
	at = efidp_make_hd(path, sizeof(path), s->part_number, s->part_start, s->part_size,
			   (uint8_t *)s->part_guid, EFIDP_HD_FORMAT_GPT, EFIDP_HD_SIGNATURE_GUID);
	n = at < 0 ? -1 : efidp_make_file(path + at, (ssize_t)sizeof(path) - at, loader);
	at += n;
	n = n < 0 ? -1 : efidp_make_end_entire(path + at, (ssize_t)sizeof(path) - at);
	at += n;
	if (n >= 0)
		n = efi_loadopt_create(out, (ssize_t)size, OPTION_ACTIVE, (efidp)path, at,
				       (unsigned char *)s->label, NULL, 0);
	if (n < 0)
		return fault_set(err, -EINVAL, "cannot make a boot entry for %s", s->loader);
	*ret_len = (size_t)n;
	return 0;
}

/* --- variables --------------------------------------------------------------------------- */

static int variable_set(const char *name, const void *data, size_t len, struct fault *err)
{
	AUTO(freep) uint8_t *back = NULL;
	size_t back_len = 0;
	uint32_t attributes;

	if (efi_set_variable(EFI_GLOBAL_GUID, name, (uint8_t *)data, len, ATTRIBUTES,
			     VARIABLE_MODE) < 0)
		return fault_set(err, -errno,
				 errno == ENOSPC ? "the firmware has no room for %s: %s"
						 : "cannot set %s: %s",
				 name, strerror(errno));
	if (efi_get_variable(EFI_GLOBAL_GUID, name, &back, &back_len, &attributes) < 0 ||
	    back_len != len || memcmp(back, data, len))
		return fault_set(err, -EIO, "the firmware did not keep %s", name);
	return 0;
}

/* Numbers of a list variable; 0 when it is not there. */
static uint32_t numbers_get(const char *name, uint16_t *out, uint32_t max)
{
	AUTO(freep) uint8_t *data = NULL;
	size_t len = 0;
	uint32_t attributes, n = 0;

	if (efi_get_variable(EFI_GLOBAL_GUID, name, &data, &len, &attributes) < 0)
		return 0;
	for (; n < max && 2 * (size_t)n + 2 <= len; n++)
		out[n] = u16_at(data + 2 * n);
	return n;
}

uint32_t efiboot_order_insert(uint16_t *order, uint32_t n, uint16_t number, const uint16_t *current,
			      enum install_boot_order how)
{
	uint32_t kept = 0, at = 0;

	for (uint32_t i = 0; i < n; i++)
		if (order[i] != number)
			order[kept++] = order[i];
	for (uint32_t i = 0; current && how == INSTALL_BOOT_AFTER_CURRENT && i < kept; i++)
		if (order[i] == *current)
			at = i + 1;
	memmove(order + at + 1, order + at, (kept - at) * sizeof(*order));
	order[at] = number;
	return kept + 1;
}

struct entries {
	uint8_t used[65536 / 8]; /* which Boot#### exist */
	int found;               /* number of the entry that is ours already, -1 = none */
	uint32_t removed;
	uint16_t order[ORDER_MAX + 1];
	uint32_t order_n;
};

static void order_remove(struct entries *e, uint16_t number)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < e->order_n; i++)
		if (e->order[i] != number)
			e->order[kept++] = e->order[i];
	e->order_n = kept;
}

static bool is_stale(const struct efiboot_spec *s, const uint8_t guid[16])
{
	for (uint32_t i = 0; i < s->stale_n; i++)
		if (!memcmp(s->stale[i], guid, 16))
			return true;
	return false;
}

static void entry_judge(struct entries *e, const struct efiboot_spec *s, const char *name,
			uint16_t number)
{
	AUTO(freep) uint8_t *data = NULL;
	uint8_t guid[16];
	size_t len = 0;
	uint32_t attributes;
	bool is_loader;

	e->used[number / 8] |= (uint8_t)(1 << (number % 8));
	if (efi_get_variable(EFI_GLOBAL_GUID, name, &data, &len, &attributes) < 0 ||
	    !efiboot_option_disk(data, len, s->loader, guid, &is_loader))
		return;
	if (is_loader && !memcmp(guid, s->part_guid, 16) && e->found < 0) {
		e->found = number;
		return;
	}
	if (!is_stale(s, guid) || efi_del_variable(EFI_GLOBAL_GUID, name) < 0)
		return;
	e->used[number / 8] &= (uint8_t) ~(1 << (number % 8));
	e->removed++;
	order_remove(e, number);
}

/* "Boot" and four upper-case hex digits. */
static bool number_parse(const char *name, uint16_t *ret)
{
	unsigned v = 0;

	if (!str_starts(name, "Boot") || strlen(name) != 8)
		return false;
	for (const char *p = name + 4; *p; p++) {
		const char *digit = strchr("0123456789ABCDEF", *p);

		if (!digit)
			return false;
		v = v << 4 | (unsigned)(digit - "0123456789ABCDEF");
	}
	*ret = (uint16_t)v;
	return true;
}

static void entries_read(struct entries *e, const struct efiboot_spec *s)
{
	char names[ORDER_MAX][9];
	efi_guid_t *guid = NULL;
	char *name = NULL;
	uint32_t n = 0;
	uint16_t number;

	e->found = -1;
	e->order_n = numbers_get("BootOrder", e->order, ORDER_MAX);
	/* The walk goes to its end before anything is removed; the library owns guid and name. */
	while (efi_get_next_variable_name(&guid, &name) > 0)
		if (n < ORDER_MAX && !efi_guid_cmp(guid, &EFI_GLOBAL_GUID) &&
		    number_parse(name, &number))
			memcpy(names[n++], name, 9);
	for (uint32_t i = 0; i < n; i++)
		if (number_parse(names[i], &number))
			entry_judge(e, s, names[i], number);
}

static int entry_make(const struct entries *e, const struct efiboot_spec *s, uint16_t *ret,
		      struct fault *err)
{
	uint8_t option[OPTION_MAX];
	size_t len = 0;
	uint32_t number = 0;
	char name[16];
	int r = option_make(s, option, sizeof(option), &len, err);

	if (r < 0)
		return r;
	while (number < 65536 && (e->used[number / 8] >> (number % 8) & 1))
		number++;
	if (number == 65536)
		return fault_set(err, -ENOSPC, "all boot entries are taken");
	snprintf(name, sizeof(name), "Boot%04X", number);
	r = variable_set(name, option, len, err);
	if (r == 0)
		*ret = (uint16_t)number;
	return r;
}

int efiboot_set(const struct efiboot_spec *spec, struct efiboot_result *ret, struct fault *err)
{
	AUTO(freep) struct entries *e = calloc(1, sizeof(*e));
	uint16_t current, number;
	int r = 0;

	if (!e)
		return fault_oom(err);
	entries_read(e, spec);
	number = (uint16_t)e->found;
	if (e->found < 0)
		r = entry_make(e, spec, &number, err);
	if (r < 0)
		return r;
	bool has_current = numbers_get("BootCurrent", &current, 1) == 1;
	e->order_n = efiboot_order_insert(e->order, e->order_n, number,
					  has_current ? &current : NULL, spec->order);
	r = variable_set("BootOrder", e->order, e->order_n * sizeof(*e->order), err);
	if (r == 0)
		r = variable_set("BootNext", &number, sizeof(number), err);
	if (r == 0)
		*ret = (struct efiboot_result){ .number = number,
						.was_there = e->found >= 0,
						.removed = e->removed };
	return r;
}
