/* The token segment as it is read back from an image. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "imagebuilder/area_read.h"
#include "imagebuilder/imagebuilder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fault err = FAULT_INIT;
	char *text = NULL;
	uint64_t len;

	if (media_token_describe(data, size, &text, &err) == 0 && !text)
		abort();
	free(text);
	if (area_check_segment(data, size, &len, &err) == 0 && len > size)
		abort();
	return 0;
}
