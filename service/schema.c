#include "service/schema.h"

/* The assembler puts the text of a file into the read-only data; a NUL ends it. Paths are relative to the top folder. */
#define SCHEMA_FILE(symbol, path)                     \
	__asm__(".pushsection .rodata\n"              \
		".globl " #symbol "\n"                \
		".hidden " #symbol "\n" #symbol ":\n" \
		".incbin \"" path "\"\n"              \
		".byte 0\n"                           \
		".popsection\n");                     \
	extern const char symbol[] __attribute__((visibility("hidden")))

SCHEMA_FILE(schema_001_objects, "service/schema/001-objects.sql");
SCHEMA_FILE(schema_002_formatting_disks, "service/schema/002-formatting-disks.sql");

const struct schema_step schema_steps[] = {
	{ 1, "001-objects", schema_001_objects },
	{ 2, "002-formatting-disks", schema_002_formatting_disks },
	{ 0, NULL, NULL },
};
