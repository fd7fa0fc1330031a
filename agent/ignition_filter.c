#include "agent/ignition_filter.h"

#include <errno.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/json_map.h"

static const char *const kept_files[] = {
	"/etc/kubernetes/manifests/coredns.yaml",
	"/etc/kubernetes/manifests/keepalived.yaml",
	"/etc/kubernetes/kubeconfig",
};

static bool is_kept(const json_t *file)
{
	const char *path = json_str(file, "path");
	for (size_t i = 0; path && i < ARRAY_SIZE(kept_files); i++)
		if (!strcmp(path, kept_files[i]))
			return true;
	return false;
}

static void filter_files(json_t *storage)
{
	json_t *files = json_child(storage, "files");
	for (size_t i = json_array_size(files); i-- > 0;)
		if (!is_kept(json_array_get(files, i)))
			json_array_remove(files, i);
	if (json_is_array(files) && !json_array_size(files))
		json_object_del(storage, "files");
}

int ignition_filter(const char *text, size_t len, char **ret, struct fault *err)
{
	AUTO(json_decrefp) json_t *config = json_parse(text, len, IGNITION_MAX, true, err);
	if (!config)
		return fault_prefix(err, -EINVAL, "Ignition config");
	if (!json_str(json_child(config, "ignition"), "version"))
		return fault_set(err, -EINVAL, "Ignition config: there is no ignition.version");

	filter_files(json_child(config, "storage"));
	json_t *systemd = json_child(config, "systemd");
	if (json_is_object(systemd))
		json_object_del(systemd, "units");

	char *out = json_text(config, false);
	if (!out)
		return fault_oom(err);
	*ret = out;
	return 0;
}
