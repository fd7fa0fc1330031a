/* Texts that users give: the first byte chooses the check. */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "common/json_map.h"
#include "service/text_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int check_list(int (*check)(const json_t *, struct fault *), const char *text,
		      struct fault *err)
{
	json_t *v = json_parse(text, strlen(text), 1 << 20, true, NULL);
	int r = check(v, err);

	json_decref(v);
	return r;
}

static int check(uint8_t which, const char *text, struct fault *err)
{
	switch (which % 12) {
	case 0:
		return check_pull_secret("x", text, err);
	case 1:
		return check_ssh_keys(text, err);
	case 2:
		return check_proxy(text, NULL, NULL, err);
	case 3:
		return check_proxy(NULL, text, text, err);
	case 4:
		return check_ntp_sources(text, err);
	case 5:
		return check_list(check_kernel_arguments, text, err);
	case 6:
		return check_list(check_static_network, text, err);
	case 7:
		return check_trust_bundle(text, err);
	case 8:
		return check_host_name(text, err);
	case 9:
		return check_cluster_name(text, err);
	case 10:
		return check_node_label(text, text, err);
	default:
		return check_installer_arg(text, err);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fault err = FAULT_INIT;

	if (!size)
		return 0;
	char *text = malloc(size);
	if (!text)
		abort();
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (check(data[0], text, &err) < 0 && !err.text[0])
		abort();
	free(text);
	return 0;
}
