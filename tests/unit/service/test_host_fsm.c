#include "unit.h"
#include "service/host_fsm.h"

/* Every allowed move, by name, as assisted-v2 §7.2 and §7.3 list them; every other pair must be refused. */
static const struct {
	enum host_trigger why;
	const char *from, *to;
} allowed[] = {
	{ HT_REGISTER,
	  "discovering known disconnected insufficient pending-for-input binding resetting-pending-user-action",
	  "discovering" },
	{ HT_REGISTER,
	  "discovering-unbound known-unbound insufficient-unbound disconnected-unbound unbinding unbinding-pending-user-action "
	  "reclaiming-rebooting",
	  "discovering-unbound" },
	{ HT_REGISTER, "installing-in-progress added-to-existing-cluster",
	  "installing-pending-user-action" },
	{ HT_REGISTER, "installing installing-in-progress", "error" },
	{ HT_REGISTER, "preparing-for-installation preparing-successful", "known" },
	{ HT_BIND, "known-unbound", "binding" },
	{ HT_UNBIND, "discovering known disconnected insufficient pending-for-input binding",
	  "unbinding" },
	{ HT_UNBIND,
	  "preparing-for-installation preparing-failed preparing-successful installing installing-in-progress "
	  "installing-pending-user-action installed error cancelled added-to-existing-cluster resetting-pending-user-action",
	  "unbinding-pending-user-action" },
	{ HT_INSTALL, "known", "installing" },
	{ HT_PROGRESS, "installing installing-in-progress installing-pending-user-action",
	  "installing-in-progress" },
	{ HT_PROGRESS, "installing installing-in-progress installing-pending-user-action",
	  "added-to-existing-cluster" },
	{ HT_INSTALLATION_FAILED,
	  "installing installing-in-progress installing-pending-user-action", "error" },
	{ HT_RESET,
	  "discovering known preparing-for-installation preparing-failed preparing-successful pending-for-input installing "
	  "installing-in-progress installing-pending-user-action installed error cancelled added-to-existing-cluster resetting",
	  "resetting-pending-user-action" },
	{ HT_MEDIA_DISCONNECT,
	  "discovering insufficient known pending-for-input disconnected binding", "disconnected" },
	{ HT_MEDIA_DISCONNECT,
	  "preparing-for-installation preparing-failed preparing-successful installing installing-in-progress",
	  "error" },
	{ HT_MEDIA_DISCONNECT,
	  "discovering-unbound known-unbound insufficient-unbound disconnected-unbound unbinding",
	  "disconnected-unbound" },
	{ HT_REFRESH, "discovering known disconnected insufficient pending-for-input",
	  "discovering" },
	{ HT_REFRESH, "discovering known disconnected insufficient pending-for-input", "known" },
	{ HT_REFRESH, "discovering known disconnected insufficient pending-for-input",
	  "disconnected" },
	{ HT_REFRESH, "discovering known disconnected insufficient pending-for-input",
	  "insufficient" },
	{ HT_REFRESH, "discovering known disconnected insufficient pending-for-input",
	  "pending-for-input" },
	{ HT_REFRESH, "installing installing-in-progress", "error" },
	{ HT_REFRESH, "installing-in-progress", "installing-pending-user-action" },
	{ HT_REFRESH, "discovering-unbound known-unbound insufficient-unbound disconnected-unbound",
	  "discovering-unbound" },
	{ HT_REFRESH, "discovering-unbound known-unbound insufficient-unbound disconnected-unbound",
	  "known-unbound" },
	{ HT_REFRESH, "discovering-unbound known-unbound insufficient-unbound disconnected-unbound",
	  "insufficient-unbound" },
	{ HT_REFRESH, "discovering-unbound known-unbound insufficient-unbound disconnected-unbound",
	  "disconnected-unbound" },
	{ HT_REFRESH, "reclaiming reclaiming-rebooting", "unbinding-pending-user-action" },
	{ HT_RECLAIM, "installed added-to-existing-cluster", "reclaiming" },
	{ HT_RECLAIM, "reclaiming", "reclaiming-rebooting" },
	{ HT_RECLAIM, "reclaiming", "unbinding-pending-user-action" },
};

static bool has_word(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = words; (p = strstr(p, word)); p += n) {
		if ((p == words || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
			return true;
	}
	return false;
}

static bool is_listed(enum host_trigger why, const char *from, const char *to)
{
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++) {
		if (allowed[i].why == why && !strcmp(allowed[i].to, to) &&
		    has_word(allowed[i].from, from))
			return true;
	}
	return false;
}

static void test_every_pair(void **state)
{
	for (int why = 0; why < HT_TRIGGER_COUNT; why++) {
		for (int from = 0; from < HOST_STATUS_COUNT; from++) {
			for (int to = 0; to < HOST_STATUS_COUNT; to++) {
				const char *a = host_status_name((enum host_status)from),
					   *b = host_status_name((enum host_status)to);
				bool want = from == to || is_listed((enum host_trigger)why, a, b);
				if (host_may_move((enum host_trigger)why, (enum host_status)from,
						  (enum host_status)to) != want)
					fail_msg("trigger %d, %s -> %s: wanted %d", why, a, b,
						 want);
			}
		}
	}
}

static void test_names_of_the_list_exist(void **state)
{
	enum host_status s;

	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++) {
		char copy[512], *save = NULL;
		snprintf(copy, sizeof(copy), "%s %s", allowed[i].from, allowed[i].to);
		for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
			assert_int_equal(host_status_parse(w, &s), 0);
	}
}

static void test_out_of_range(void **state)
{
	assert_false(host_may_move(HT_BIND, HOST_STATUS_COUNT, HOST_BINDING));
	assert_false(host_may_move(HT_BIND, HOST_KNOWN_UNBOUND, HOST_STATUS_COUNT));
	assert_false(host_may_move(HT_TRIGGER_COUNT, HOST_KNOWN_UNBOUND, HOST_BINDING));
}

static void test_move(void **state)
{
	struct host h = { .status = HOST_KNOWN_UNBOUND, .status_updated_at = 1 };
	struct fault err = FAULT_INIT;

	assert_int_equal(host_move(&h, HT_BIND, HOST_BINDING, "why", 5, &err), 0);
	assert_int_equal(h.status, HOST_BINDING);
	assert_string_equal(h.status_info, "why");
	assert_int_equal(h.status_updated_at, 5);

	/* staying changes the words, not the date */
	assert_int_equal(host_move(&h, HT_BIND, HOST_BINDING, "again", 9, &err), 0);
	assert_string_equal(h.status_info, "again");
	assert_int_equal(h.status_updated_at, 5);

	assert_int_equal(host_move(&h, HT_INSTALL, HOST_INSTALLING, "no", 9, &err), -EPERM);
	assert_int_equal(h.status, HOST_BINDING);
	assert_string_equal(h.status_info, "again");
	host_done(&h);
}

static void test_info_is_cut(void **state)
{
	struct host h = { .status = HOST_KNOWN };
	char text[3001];

	/* "é" is two bytes: a cut at 2,040 with an odd start would split one */
	text[0] = 'x';
	for (size_t i = 1; i + 1 < sizeof(text) - 1; i += 2)
		memcpy(text + i, "\xc3\xa9", 2);
	text[sizeof(text) - 2] = text[sizeof(text) - 1] = '\0';
	assert_int_equal(host_move(&h, HT_REFRESH, HOST_KNOWN, text, 1, NULL), 0);
	assert_int_equal(strlen(h.status_info), 2039);
	host_done(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_pair),   cmocka_unit_test(test_names_of_the_list_exist),
		cmocka_unit_test(test_out_of_range), cmocka_unit_test(test_move),
		cmocka_unit_test(test_info_is_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
