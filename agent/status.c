#include "agent/status.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/json_map.h"
#include "common/str.h"

static const struct {
	const char *key, *label;
} lines[] = {
	{ "host_id", "host" },    { "infra_env_id", "infra-env" }, { "url", "service" },
	{ "version", "version" }, { "agent_version", "known as" }, { "last_error", "last error" },
};

int status_write(int state_dir, const json_t *status, struct fault *err)
{
	AUTO(freep) char *text = json_text(status, true);
	if (!text)
		return fault_oom(err);
	return file_replace_at(state_dir, STATUS_NAME, text, strlen(text), 0600, err);
}

static void print_installation(const json_t *install, FILE *out)
{
	const char *phase = json_str(install, "phase"), *text = json_str(install, "text");
	if (!phase)
		return;
	fprintf(out, "%-12s %s, %lld%%%s%s\n", "installation", phase,
		(long long)json_i64(install, "percent"), str_empty(text) ? "" : ": ",
		text ? text : "");
}

void status_print_text(const json_t *status, bool is_running, FILE *out)
{
	const char *state = json_str(status, "state");
	char when[TIME_TEXT_LEN];

	fprintf(out, "%-12s %s\n", "state",
		is_running ? (state ? state : "starting") : "not running");
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		const char *value = json_str(status, lines[i].key);
		if (!str_empty(value))
			fprintf(out, "%-12s %s\n", lines[i].label, value);
	}
	if (json_i64(status, "last_poll_us")) {
		time_format_ms(json_i64(status, "last_poll_us"), when);
		fprintf(out, "%-12s %s\n", "last poll", when);
	}
	print_installation(json_child(status, "installation"), out);
}

int status_print(const char *path, bool as_json, FILE *out, struct fault *err)
{
	AUTO(closep) int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return fault_set(err, -errno, "no agent has run here: %s: %s", path,
				 strerror(errno));

	AUTO(freep) char *text = NULL;
	size_t len;
	int r = file_read_at(dir, STATUS_NAME, STATUS_MAX, &text, &len, err);
	if (r < 0)
		return fault_prefix(err, r, "no agent has run here");
	AUTO(json_decrefp) json_t *status = json_parse(text, len, STATUS_MAX, true, err);
	if (!status)
		return -EINVAL;

	pid_t pid = (pid_t)json_i64(status, "pid");
	bool is_running = pid > 0 && (kill(pid, 0) == 0 || errno == EPERM);
	if (!as_json) {
		status_print_text(status, is_running, out);
		return 0;
	}
	json_object_set_new(status, "is_running", json_boolean(is_running));
	AUTO(freep) char *json = json_text(status, true);
	fprintf(out, "%s\n", json ? json : text);
	return 0;
}
