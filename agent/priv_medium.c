/* The root process reads the live system's medium for the network process, which can open nothing. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "agent/priv.h"
#include "common/cleanup.h"
#include "common/log.h"

void priv_medium_begin(struct priv *p)
{
	AUTO(closep) int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char source[MEDIUM_NAME_MAX];

	if (root < 0 || medium_find(root, MEDIUM_MOUNT, source) != 1)
		return;
	p->medium = medium_new(p->base, source);
	if (!p->medium)
		return;
	int64_t n = medium_pin();
	if (n < 0)
		log_warning("this process may need the medium %s again: %s", source,
			    strerror((int)-n));
	else
		log_info("this system runs from the medium %s: it is looked at with each step",
			 source);
}

static void on_read(void *ctx, int code)
{
	struct priv *p = ctx;
	AUTO(freep)
	char *text = code ? str_printf("cannot read from the medium that this system runs from "
				       "(%s): it was disconnected",
				       strerror(-code))
			  : NULL;

	for (size_t i = 0; i < p->medium_asks_n; i++)
		priv_answer(p, p->medium_asks[i], code ? -ENOMEDIUM : 0, NULL, text, -1);
	p->medium_asks_n = 0;
}

void priv_medium(struct priv *p, uint32_t ask)
{
	if (!p->medium || p->medium_asks_n == PRIV_MEDIUM_ASKS_MAX) {
		priv_answer(p, ask, p->medium ? -EBUSY : 0, NULL, NULL, -1);
		return;
	}
	p->medium_asks[p->medium_asks_n++] = ask;
	int r = medium_check(p->medium, MEDIUM_WAIT_MS, on_read, p);
	if (r == 0 ||
	    r == -EALREADY) /* the answer of the read that is running serves all of them */
		return;
	p->medium_asks_n--;
	priv_answer(p, ask, r, NULL, strerror(-r), -1);
}

void priv_medium_net_lost(struct priv *p)
{
	p->medium_asks_n = 0;
}

void priv_medium_done(struct priv *p)
{
	medium_free(p->medium);
	p->medium = NULL;
}
