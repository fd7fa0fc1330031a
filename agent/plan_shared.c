/*
 * File systems that other machines may be using at this moment, by what libblkid calls them and by
 * the types of partitions, also inside of volumes and arrays that are not put together.
 */
#include <errno.h>
#include <string.h>
#include "agent/plan.h"
#include "common/cleanup.h"
#include "common/gpt.h"
#include "common/str.h"

static const char *const shared_types[] = {
	"VMFS",  "VMFS_volume_member", "gfs2", "gfs",           "ocfs",
	"ocfs2", "oracleasm",          "gpfs", "ceph_bluestore"
};

/* ceph-disk's types of partitions: OSDs by their file system, its journal, and BlueStore's block. */
static const char *const ceph_parts[] = {
	"4fbd7e29-9d25-41b8-afd0-062c0ceff05d", "4fbd7e29-9d25-41b8-afd0-5ec00ceff05d",
	"4fbd7e29-9d25-41b8-afd0-35865ceff05d", "45b0969e-9b03-4f30-b4c6-b4b80ceff106",
	"45b0969e-9b03-4f30-b4c6-5ec00ceff106", "cafecafe-9b03-4f30-b4c6-b4b80ceff106",
	"cafecafe-9b03-4f30-b4c6-5ec00ceff106", "30cd0809-c2b2-499c-8879-2d6b78529876",
	"5ce17fce-4087-4169-b7ff-056cc58473f9",
};

static bool is_shared_type(const char *fstype)
{
	for (size_t i = 0; i < ARRAY_SIZE(shared_types); i++)
		if (str_eq(shared_types[i], fstype))
			return true;
	return false;
}

static bool is_shared_part(const uint8_t type[16])
{
	char text[GPT_GUID_TEXT];

	gpt_guid_format(type, text);
	for (size_t i = 0; i < ARRAY_SIZE(ceph_parts); i++)
		if (str_eq(ceph_parts[i], text))
			return true;
	return !memcmp(type, gpt_type_gpfs, 16) || !memcmp(type, gpt_type_vmfs, 16);
}

static int refuse(const struct plan_input *in, const char *where, const char *what,
		  struct fault *err)
{
	return fault_set(err, -EPERM,
			 "%s belongs to a file system that other machines may be using (%s); "
			 "only when %s is named to be formatted is it destroyed all the same "
			 "(disks_to_format)",
			 where, what, in->disk->name);
}

int plan_check_shared(const struct plan_input *in, const struct graph_node *n, struct fault *err)
{
	if (plan_is_given_up(in, in->graph->nodes[0].devno))
		return 0;
	if (is_shared_type(n->fstype))
		return refuse(in, n->name, n->fstype, err);
	if (is_shared_part(n->part_type))
		return refuse(in, n->name, *n->fstype ? n->fstype : "by its partition type", err);
	for (size_t i = 0; in->members && i < in->members->contents_n; i++)
		if (is_shared_type(in->members->contents[i].fstype))
			return refuse(in, in->members->contents[i].where,
				      in->members->contents[i].fstype, err);
	return 0;
}
