#pragma once
/* Speed and duplex as ethtool's netlink family tells them: one dump for all interfaces (Linux 5.6). */
#include "hwprobe/probe.h"

/* Fills speed_current_mbps and duplex of all interfaces of the inventory. */
void ethtool_find_modes(struct survey *s);
