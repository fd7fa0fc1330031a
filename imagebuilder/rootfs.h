#pragma once
/*
 * The user space of the discovery system: busybox, udev with the rules it needs, modprobe, the agent, and the files of the data folder.
 */
#include "imagebuilder/file_set.h"
#include "imagebuilder/source.h"

/* @data_dir: has discovery/init and discovery/dhcp. @agent: path of the program on this machine. */
int rootfs_add(struct file_set *set, const struct source *src, const char *data_dir,
	       const char *agent, struct fault *err);
