/* Names of interfaces by their place: what udev and the firmware call them, and what biosdevname would. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/nic.h"
#include "hwprobe/udev_db.h"
#include "hwprobe/virt.h"

static void find_udev_names(struct survey *s, struct hwp_nic *n)
{
	struct udev_record r = { 0 };
	size_t len = 0;
	char *text = NULL, *path = nic_udev_record(s, n);
	if (!path)
		return;
	if (attr_file(s, path, UDEV_RECORD_MAX, &text, &len) == 0)
		survey_udev(s, &r, path, text, len);
	if (!r.is_initialized)
		put_bool(s, &n->uninitialized, true, "udev I:");
	if (!text)
		return;
	put_str(s, &n->name_onboard, udev_get(&r, "ID_NET_NAME_ONBOARD"),
		"udev ID_NET_NAME_ONBOARD");
	put_str(s, &n->name_slot, udev_get(&r, "ID_NET_NAME_SLOT"), "udev ID_NET_NAME_SLOT");
	put_str(s, &n->name_path, udev_get(&r, "ID_NET_NAME_PATH"), "udev ID_NET_NAME_PATH");
	put_str(s, &n->name_mac, udev_get(&r, "ID_NET_NAME_MAC"), "udev ID_NET_NAME_MAC");
}

void nic_find_names(struct survey *s, struct hwp_nic *n)
{
	char *dir = nic_dir(s, n);
	if (dir && str_eq(n->type.s, "physical")) {
		put_attr_num(s, &n->acpi_index, "%s/device/acpi_index", dir);
		put_attr_num(s, &n->firmware_index, "%s/device/index", dir);
	}
	find_udev_names(s, n);
}

/* --- biosdevname: SMBIOS says which PCI functions are on the board, and which slots the others are in ------------- */

struct pci_place {
	unsigned domain, bus, device, function;
};

enum {
	ONBOARD_LEN = 0x0b, /* DSP0134 7.42 */
	ONBOARD_ENABLED = 0x80,
	ONBOARD_ETHERNET = 5,
	SLOT_LEN = 0x11, /* 7.10, since 2.6 */
	SLOT_ID = 0x09,
	SLOT_SEGMENT = 0x0d,
	SLOT_NOWHERE = 0xff,
};

static bool parse_place(const char *text, struct pci_place *ret)
{
	return text && sscanf(text, "%x:%x:%x.%x", &ret->domain, &ret->bus, &ret->device,
			      &ret->function) == 4;
}

static struct pci_place place_at(const struct smbios_item *i, size_t segment_at)
{
	uint8_t devfn = smbios_u8(i, segment_at + 3);
	return (struct pci_place){ smbios_u16(i, segment_at), smbios_u8(i, segment_at + 2),
				   devfn >> 3, devfn & 7 };
}

static bool is_same_device(const struct pci_place *a, const struct pci_place *b)
{
	return a->domain == b->domain && a->bus == b->bus && a->device == b->device;
}

/* The number of the port on the board; 0 = it is not on the board. */
static unsigned onboard_port(struct survey *s, const struct pci_place *p)
{
	struct smbios_item i = { 0 };
	for (int n = 0; n < SMBIOS_STRUCTURES_MAX && smbios_next(survey_smbios(s), &i); n++) {
		if (i.type != SMBIOS_ONBOARD_DEVICE || i.len < ONBOARD_LEN)
			continue;
		uint8_t kind = smbios_u8(&i, 0x05);
		struct pci_place at = place_at(&i, 0x07);
		if (kind == (ONBOARD_ENABLED | ONBOARD_ETHERNET) && is_same_device(&at, p) &&
		    at.function == p->function)
			return smbios_u8(&i, 0x06);
	}
	return 0;
}

/* The number of the slot that the function @p is in, whose path in sysfs is @real; 0 = none. */
static unsigned slot_number(struct survey *s, const struct pci_place *p, const char *real)
{
	struct smbios_item i = { 0 };
	for (int n = 0; n < SMBIOS_STRUCTURES_MAX && smbios_next(survey_smbios(s), &i); n++) {
		if (i.type != SMBIOS_SLOT || i.len < SLOT_LEN ||
		    smbios_u8(&i, SLOT_SEGMENT + 3) == SLOT_NOWHERE)
			continue;
		/* Firmware names the card's first function, or the bridge above the slot: one function of several there. */
		struct pci_place at = place_at(&i, SLOT_SEGMENT);
		char part[32];
		snprintf(part, sizeof(part), "/%04x:%02x:%02x.%x/", at.domain, at.bus, at.device,
			 at.function);
		if (is_same_device(&at, p) || strstr(real, part))
			return smbios_u16(&i, SLOT_ID);
	}
	return 0;
}

struct port {
	struct hwp_nic *nic;
	struct pci_place place;
	unsigned onboard, slot;
	int64_t dev_port; /* of several that share one function */
};

static int by_place(const void *a, const void *b)
{
	const struct port *x = a, *y = b;
	const unsigned v[][2] = { { x->slot, y->slot },
				  { x->place.domain, y->place.domain },
				  { x->place.bus, y->place.bus },
				  { x->place.device, y->place.device },
				  { x->place.function, y->place.function } };
	for (size_t i = 0; i < ARRAY_SIZE(v); i++)
		if (v[i][0] != v[i][1])
			return v[i][0] < v[i][1] ? -1 : 1;
	return (x->dev_port > y->dev_port) - (x->dev_port < y->dev_port);
}

static struct port *add_port(struct survey *s, struct port **ports, size_t *n, struct hwp_nic *nic)
{
	char *path = nic_dir(s, nic);
	char *real = path && str_eq(nic->type.s, "physical") ? attr_real(s, path) : NULL;
	struct pci_place place;
	if (!real || !parse_place(pci_address_in(s->tmp, real), &place) ||
	    root_exists(s->root, arena_printf(s->tmp, "%s/device/physfn", path)))
		return NULL;
	unsigned onboard = onboard_port(s, &place),
		 slot = onboard ? 0 : slot_number(s, &place, real);
	if (!onboard && !slot)
		return NULL;
	struct port *p = arena_append(s->tmp, ports, n, sizeof(*p));
	if (!p)
		return NULL;
	*p = (struct port){ .nic = nic, .place = place, .onboard = onboard, .slot = slot };
	(void)attr_num(s, &p->dev_port, "%s/dev_port", path);
	return p;
}

/* The tool is there on x86 only, and answers nothing in virtual machines; without any port or slot in the tables nothing more is read. */
static bool can_have_names(struct survey *s)
{
	struct smbios_item i;
	const struct smbios *table = survey_smbios(s);
	return (smbios_find(table, SMBIOS_ONBOARD_DEVICE, &i) ||
		smbios_find(table, SMBIOS_SLOT, &i)) &&
	       virt_is_x86_metal(s);
}

void nic_find_biosdevnames(struct survey *s)
{
	struct port *ports = NULL;
	size_t n = 0;
	char name[32];
	if (!can_have_names(s))
		return;
	for (size_t i = 0; i < s->inv->nic_count; i++)
		add_port(s, &ports, &n, &s->inv->nics[i]);
	if (n)
		qsort(ports, n, sizeof(*ports), by_place);
	unsigned number = 0;
	for (size_t i = 0; i < n; i++) {
		const struct port *p = &ports[i];
		number = i && ports[i - 1].slot == p->slot ? number + 1 : 1;
		if (p->onboard)
			snprintf(name, sizeof(name), "em%u", p->onboard);
		else
			snprintf(name, sizeof(name), "p%up%u", p->slot, number);
		put_str(s, &p->nic->biosdevname, name,
			p->onboard ? "smbios type 41" : "smbios type 9");
	}
}
