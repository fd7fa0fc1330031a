#include <stdlib.h>
#include "hwprobe/efi_option.h"
#include "tests/fuzz/hwprobe/pass.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct efi_option o;
	struct pass p;
	uint8_t *copy = malloc(size ? size : 1);
	if (!copy)
		abort();
	memcpy(copy, data, size);
	pass_init(&p);
	/* The description must be text whatever the units were: the document below refuses anything else. */
	if (efi_option_parse(copy, size, &o) == 0) {
		put_str(&p.s, &p.s.inv->boot.boot_entry, o.description, "fuzz");
		put_str(&p.s, &p.s.inv->boot.boot_uri, o.uri, "fuzz");
	}
	pass_done(&p);
	free(copy);
	return 0;
}
