#pragma once
/* What the link dump says; shared by the interfaces and the routes. */
#include "hwprobe/probe.h"

struct nlattr;

enum { LINKS_MAX = 1 << 16 };

/* --- nic_link.c ----------------------------------------------------------------------------------- */

/* Names of links by index, in the kernel's bytes, which may be no UTF-8; NULL = unknown. In tmp. */
const char *link_name(struct survey *s, uint32_t ifindex);
struct hwp_nic;
/* "sys/class/net/<name>", in tmp; NULL = sysfs shows another network namespace. */
char *nic_dir(struct survey *s, const struct hwp_nic *n);
/* "run/udev/data/n<index>", in tmp; NULL = there is no database, or it is of another namespace. */
char *nic_udev_record(struct survey *s, const struct hwp_nic *n);

/* -------------------------------------------------------------------------------------------------- */

/* Fills ipv4_addresses and ipv6_addresses of all interfaces of the inventory. */
void nic_find_addresses(struct survey *s);
/* "aa:bb:…" of @len bytes (6, 8 or 20) in @buf; NULL = another length or all zero. */
const char *mac_text(const uint8_t *mac, size_t len, char *buf, size_t size);

/* The interface of that number, in an inventory whose interfaces are complete and in order; NULL = not in the inventory. */
struct hwp_nic *nic_by_index(struct survey *s, uint32_t ifindex);
/* Keeps the MAC address in an attribute, which may be NULL; false = none in it. */
bool nic_put_mac(struct survey *s, struct hwp_str *dst, const struct nlattr *a, const char *source);

/* nic_more.c: what only the full format shows; @tb, @info: attributes of the link and of IFLA_LINKINFO. */
void nic_find_more(struct survey *s, struct hwp_nic *n, struct nlattr **tb, struct nlattr **info);
/* The members of bonds and bridges, from the masters of the others. */
void nic_find_members(struct survey *s);
/* nic_vf.c: virtual functions of the interface, and of whom it is one. */
void nic_find_functions(struct survey *s, struct hwp_nic *n, const struct nlattr *list);
/* nic_name.c: the names that udev and the firmware have for it. */
void nic_find_names(struct survey *s, struct hwp_nic *n);
/* nic_name.c: "em1", "p2p1", for all interfaces. */
void nic_find_biosdevnames(struct survey *s);
