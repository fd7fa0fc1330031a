#include "hwprobe/lldp.h"
#include "hwprobe/scrub.h"
#include "tests/fuzz/hwprobe/pass.h"

/* As one frame, and as a file of frames: parsed, then scrubbed, which must keep every frame's shape. */
static void parse_file(struct pass *p, const char *data, size_t size)
{
	size_t pos = 0, len;
	struct hwp_lldp n;
	for (const uint8_t *frame; (frame = lldp_file_next(data, size, &pos, &len));)
		(void)lldp_parse(&p->s, frame, len, &n);
	if (pos > size)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pass p;
	struct scrub scrub = { .key = "k" };
	static struct hwp_nic nic;
	struct hwp_lldp n;
	pass_init(&p);
	char *copy = malloc(size ? size : 1);
	if (!copy)
		abort();
	memcpy(copy, data, size);
	/* What was found stands in the document: it must be text. */
	if (lldp_parse(&p.s, (uint8_t *)copy, size, &n) == 0) {
		nic = (struct hwp_nic){ .lldp = &n, .lldp_count = 1 };
		p.s.inv->nics = &nic;
		p.s.inv->nic_count = 1;
	}
	parse_file(&p, copy, size);
	scrub_learn_lldp(&scrub, copy, size);
	scrub_ready(&scrub);
	scrub_lldp(&scrub, copy, size);
	parse_file(&p, copy, size);
	arena_done(&scrub.mem);
	pass_done(&p);
	free(copy);
	return 0;
}
