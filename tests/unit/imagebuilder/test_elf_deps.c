#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fd.h"
#include "imagebuilder/elf_deps.h"

/* A hand-made program: headers, dynamic section, strings, interpreter. */
struct tiny_elf {
	Elf64_Ehdr header;
	Elf64_Phdr segments[3]; /* load, dynamic, interpreter */
	Elf64_Dyn dynamic[6];
	char strings[64];
	char interp[16];
};
#define VADDR 0x400000u
#define S_LIBA 1
#define S_LIBB 9
#define S_PATH 17

static void tiny_elf_init(struct tiny_elf *e)
{
	*e = (struct tiny_elf){
		.header = { .e_machine = EM_X86_64, .e_phoff = offsetof(struct tiny_elf, segments), .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 3 },
		.segments = {
			{ .p_type = PT_LOAD, .p_vaddr = VADDR, .p_filesz = sizeof(*e) },
			{ .p_type = PT_DYNAMIC, .p_offset = offsetof(struct tiny_elf, dynamic), .p_filesz = sizeof(e->dynamic) },
			{ .p_type = PT_INTERP, .p_offset = offsetof(struct tiny_elf, interp), .p_filesz = sizeof(e->interp) },
		},
		.dynamic = {
			{ DT_NEEDED, { S_LIBA } },
			{ DT_STRTAB, { VADDR + offsetof(struct tiny_elf, strings) } },
			{ DT_STRSZ, { sizeof(e->strings) } },
			{ DT_RUNPATH, { S_PATH } },
			{ DT_NEEDED, { S_LIBB } },
		},
		.strings = "\0liba.so\0libb.so\0$ORIGIN/x",
		.interp = "/lib64/ld.so",
	};
	memcpy(e->header.e_ident, ELFMAG, SELFMAG);
	e->header.e_ident[EI_CLASS] = ELFCLASS64;
	e->header.e_ident[EI_DATA] = ELFDATA2LSB;
}

static void test_parse(void **state)
{
	struct elf_deps d;
	struct tiny_elf e;

	tiny_elf_init(&e);
	assert_int_equal(elf_deps_parse(&e, sizeof(e), &d, NULL), 0);
	assert_int_equal(d.machine, EM_X86_64);
	assert_string_equal(d.interp, "/lib64/ld.so");
	assert_string_equal(d.runpath, "$ORIGIN/x");
	assert_int_equal(d.n_needed, 2);
	assert_string_equal(d.needed[0], "liba.so");
	assert_string_equal(d.needed[1], "libb.so");
}

/* This test itself: a real program that needs libcmocka and libc. */
static void test_real(void **state)
{
	AUTO(freep) char *data = NULL;
	struct elf_deps d;
	bool has_cmocka = false;
	size_t len;

	assert_int_equal(file_read_at(AT_FDCWD, "/proc/self/exe", 64 << 20, &data, &len, NULL), 0);
	assert_int_equal(elf_deps_parse(data, len, &d, NULL), 0);
	assert_non_null(d.interp);
	for (size_t i = 0; i < d.n_needed; i++)
		has_cmocka |= strncmp(d.needed[i], "libcmocka", 9) == 0;
	assert_true(has_cmocka);
}

static void test_static(void **state)
{
	struct elf_deps d;
	struct tiny_elf e;

	tiny_elf_init(&e);
	e.header.e_phnum = 1;
	assert_int_equal(elf_deps_parse(&e, sizeof(e), &d, NULL), 0);
	assert_null(d.interp);
	assert_int_equal(d.n_needed, 0);
}

static void test_no_elf(void **state)
{
	struct elf_deps d;
	struct tiny_elf e;

	assert_int_equal(elf_deps_parse("#!/bin/sh\n", 10, &d, NULL), -ENOEXEC);
	assert_int_equal(elf_deps_parse("", 0, &d, NULL), -ENOEXEC);
	tiny_elf_init(&e);
	e.header.e_ident[EI_CLASS] = ELFCLASS32;
	assert_int_equal(elf_deps_parse(&e, sizeof(e), &d, NULL), -ENOEXEC);
}

static void test_broken(void **state)
{
	struct tiny_elf good;
	struct elf_deps d;

	tiny_elf_init(&good);
	const struct {
		size_t at;
		uint64_t value;
	} cases[] = {
		{ offsetof(struct tiny_elf, header.e_phoff), UINT64_MAX - 8 },
		{ offsetof(struct tiny_elf, segments[1].p_offset), sizeof(good) },
		{ offsetof(struct tiny_elf, segments[1].p_filesz), UINT64_MAX },
		{ offsetof(struct tiny_elf, segments[2].p_offset), UINT64_MAX },
		{ offsetof(struct tiny_elf, segments[2].p_filesz), 3 },
		{ offsetof(struct tiny_elf, dynamic[0].d_un), sizeof(good.strings) },
		{ offsetof(struct tiny_elf, dynamic[0].d_un), UINT64_MAX },
		{ offsetof(struct tiny_elf, dynamic[0].d_un), 0 },
		{ offsetof(struct tiny_elf, dynamic[1].d_tag), DT_NULL },
		{ offsetof(struct tiny_elf, dynamic[1].d_un), 1 },
		{ offsetof(struct tiny_elf, dynamic[2].d_un), UINT64_MAX },
		{ offsetof(struct tiny_elf, dynamic[2].d_un), 4 },
		{ offsetof(struct tiny_elf, dynamic[3].d_un), sizeof(good.strings) },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tiny_elf e = good;
		memcpy((char *)&e + cases[i].at, &cases[i].value, 8);
		if (elf_deps_parse(&e, sizeof(e), &d, NULL) != -EBADMSG)
			fail_msg("case %zu", i);
	}
	for (size_t len = sizeof(Elf64_Ehdr); len < sizeof(good); len++)
		assert_int_equal(elf_deps_parse(&good, len, &d, NULL), -EBADMSG);
}

static void test_too_many_needed(void **state)
{
	struct {
		struct tiny_elf e;
		Elf64_Dyn many[ELF_NEEDED_MAX + 3];
	} big = { 0 };
	struct elf_deps d;

	tiny_elf_init(&big.e);
	big.many[0] = big.e.dynamic[1];
	big.many[1] = big.e.dynamic[2];
	for (size_t i = 0; i < ELF_NEEDED_MAX; i++)
		big.many[2 + i] = big.e.dynamic[0];
	big.e.segments[1].p_offset = (uint64_t)((char *)big.many - (char *)&big);
	big.e.segments[1].p_filesz = sizeof(big.many);
	big.e.segments[0].p_filesz = sizeof(big);
	assert_int_equal(elf_deps_parse(&big, sizeof(big), &d, NULL), 0);
	assert_int_equal(d.n_needed, ELF_NEEDED_MAX);
	big.many[2 + ELF_NEEDED_MAX] = big.e.dynamic[0];
	assert_int_equal(elf_deps_parse(&big, sizeof(big), &d, NULL), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),  cmocka_unit_test(test_real),
		cmocka_unit_test(test_static), cmocka_unit_test(test_no_elf),
		cmocka_unit_test(test_broken), cmocka_unit_test(test_too_many_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
