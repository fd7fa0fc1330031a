#pragma once
/* What drivers tell of their links: ethtool's netlink family (one dump for all interfaces, Linux 5.6), and its older ioctl for the rest. */
#include "hwprobe/probe.h"

/* Fills speed_current_mbps, speed_max_mbps and duplex of all interfaces of the inventory. */
void ethtool_find_modes(struct survey *s);
/* Fills port. */
void ethtool_find_ports(struct survey *s);
/* Fills has_link and link_fault. */
void ethtool_find_states(struct survey *s);
/* ethtool_ioctl.c: does its driver say that it is on some bus? */
bool ethtool_has_bus(struct survey *s, const struct hwp_nic *n);
/* ethtool_ioctl.c: fills firmware, and what older kernels tell by the ioctl only: permanent_mac, speeds, duplex. */
void ethtool_ask_drivers(struct survey *s);

/* The fastest of the link modes in @words (bit 0 of the first is mode 0); 0 = none is known. */
unsigned ethtool_top_mbps(const uint32_t *words, size_t count);
/* Keeps the connector that PORT_… means, if there is one. */
void ethtool_put_port(struct survey *s, struct hwp_nic *n, uint8_t port, const char *source);
/* Keep what is known only: drivers write "unknown" as 0, as 16 and as 32 bits of ones. */
void ethtool_put_link(struct survey *s, struct hwp_nic *n, uint32_t mbps, uint8_t duplex,
		      const char *source);
