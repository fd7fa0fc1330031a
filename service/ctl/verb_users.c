#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/json_map.h"
#include "common/pki.h"
#include "common/secret.h"
#include "common/str.h"
#include "service/ctl/client.h"

#define PASSWORD_FILE_MAX 2048
#define RANDOM_PASSWORD_BYTES 15 /* 20 characters */

static int set_role(void *ctx, const char *value, struct fault *err)
{
	((struct ctl *)ctx)->role = value;
	return 0;
}

static int set_password_file(void *ctx, const char *value, struct fault *err)
{
	((struct ctl *)ctx)->password_file = value;
	return 0;
}

#define PASSWORD_OPTION                                                           \
	{                                                                         \
		"password-file", 0, "FILE",                                       \
			"its first line is the password; \"-\" = standard input", \
			set_password_file                                         \
	}

static const struct option_spec add_options[] = {
	{ "role", 0, "ROLE", "admin, user (default) or read-only", set_role },
	PASSWORD_OPTION,
	{ NULL },
};
static const struct option_spec passwd_options[] = { PASSWORD_OPTION, { NULL } };

static int read_password(const char *path, struct secret *ret, struct fault *err)
{
	char text[PASSWORD_FILE_MAX + 1];
	bool is_stdin = strcmp(path, "-") == 0;
	AUTO(closep) int file = is_stdin ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	if (!is_stdin && file < 0)
		return fault_set(err, -errno, "cannot open %s: %s", path, strerror(errno));

	ssize_t n = fd_read(is_stdin ? STDIN_FILENO : file, text, PASSWORD_FILE_MAX);
	if (n < 0)
		return fault_set(err, (int)n, "cannot read the password: %s", strerror((int)-n));
	text[n] = '\0';
	text[strcspn(text, "\r\n")] = '\0';
	int r = secret_set(ret, text);
	secret_wipe(text, sizeof(text));
	return r < 0 ? fault_oom(err) : 0;
}

/* Without a file a random one is made. */
static int make_password(struct secret *ret, struct fault *err)
{
	uint8_t bytes[RANDOM_PASSWORD_BYTES];

	random_bytes(bytes, sizeof(bytes));
	AUTO(freep) char *text = base64url_encode(bytes, sizeof(bytes));
	if (!text || secret_set(ret, text) < 0)
		return fault_oom(err);
	secret_wipe(text, strlen(text));
	return 0;
}

static int with_password(const struct ctl *ctl, const char *verb, const char *name)
{
	AUTO(secret_done) struct secret password = { 0 };
	struct fault err = FAULT_INIT;
	AUTO(json_decrefp) json_t *v = NULL;
	int r = ctl->password_file ? read_password(ctl->password_file, &password, &err)
				   : make_password(&password, &err);

	if (r == 0)
		r = ctl_request(ctl, verb,
				json_pack("{s:s, s:s?, s:s}", "name", name, "role", ctl->role,
					  "password", secret_reveal(&password)),
				-1, &v, &err);
	if (r < 0)
		return ctl_fail(&err);
	/* only now: whoever reads it may rely on it */
	if (!ctl->password_file)
		printf("%s\n", secret_reveal(&password));
	return EXIT_DONE;
}

static int add(void *ctx, int argc, char **argv)
{
	return with_password(ctx, "users-add", argv[0]);
}

static int passwd(void *ctx, int argc, char **argv)
{
	return with_password(ctx, "users-passwd", argv[0]);
}

static int remove_one(void *ctx, int argc, char **argv)
{
	return ctl_simple(ctx, "users-remove", json_pack("{s:s}", "name", argv[0]), -1);
}

static int list(void *ctx, int argc, char **argv)
{
	const struct ctl *ctl = ctx;
	struct fault err = FAULT_INIT;
	AUTO(json_decrefp) json_t *v = NULL;
	size_t i;
	json_t *u;

	if (ctl_request(ctl, "users-list", NULL, -1, &v, &err) < 0)
		return ctl_fail(&err);
	if (ctl->json) {
		ctl_print_json(json_child(v, "users"));
		return EXIT_DONE;
	}
	json_array_foreach(json_child(v, "users"), i, u)
		printf("%-10s %s\n", json_str(u, "role"), json_str(u, "name"));
	return EXIT_DONE;
}

const struct verb verb_users_list = {
	.name = "users list", .args = "", .help = "list the users and their roles", .run = list
};
const struct verb verb_users_add = {
	.name = "users add",
	.args = "NAME",
	.help = "add a user; without a file a random password is printed",
	.options = add_options,
	.min_operands = 1,
	.max_operands = 1,
	.run = add,
};
const struct verb verb_users_passwd = {
	.name = "users passwd",
	.args = "NAME",
	.help = "give a user another password",
	.options = passwd_options,
	.min_operands = 1,
	.max_operands = 1,
	.run = passwd,
};
const struct verb verb_users_remove = {
	.name = "users remove",
	.args = "NAME",
	.help = "remove a user",
	.min_operands = 1,
	.max_operands = 1,
	.run = remove_one,
};
