#!/bin/bash
# Each check of scripts/lint finds what it is there for, and nothing in a clean tree.
. "$(dirname "$0")/../lib.sh"
requires git clang-format pmccabe shellcheck mandoc
make_tmp
cd "$TMP"
git init -q .
mkdir -p scripts common agent service tests
cp "$TOP/scripts/lint" scripts/
cp "$TOP/.clang-format" .
echo 'common.pkgs := jansson' >common/module.mk

printf '#pragma once\n/* A sum. */\nint add(int a, int b);\n' >common/add.h
printf '#include "common/add.h"\n\nint add(int a, int b)\n{\n\treturn a + b;\n}\n' >common/add.c
scripts/lint >out || fail "findings in a clean tree: $(cat out)"

# expect CHECK FINDING: the check fails and its findings hold this text
expect() {
	if scripts/lint "$1" >out; then
		fail "$1 finds nothing"
	fi
	grep -qE -e "$2" out || fail "$1 does not say '$2': $(cat out)"
}

printf 'int  x ;\n' >common/layout.c
expect format '^common/layout.c:1:'
rm common/layout.c
printf '#include "agent/a.h"\n#include "b.h"\n' >service/s.c
printf '#pragma once\n' >agent/a.h
expect layers '^service/s.c:1: service does not use agent'
expect layers '^service/s.c:2: there is no "b.h"'
rm service/s.c
printf 'size_t f(struct buf *b);\n' >agent/a.h
expect headers '^agent/a.h:1: #pragma once is missing'
expect headers '^agent/a.h:1:.*size_t'
rm agent/a.h
{
	printf 'int f(int x)\n{\n'
	for i in $(seq 15); do printf '\tif (x == %d)\n\t\treturn 1;\n' "$i"; done
	printf '\treturn 0;\n}\n'
} >common/f.c
expect complexity '^common/f.c:1: f has a complexity of 16, the limit is 15$'
{
	printf 'int g(int x)\n{\n'
	for i in $(seq 99); do printf '\tx += %d;\n' "$i"; done
	printf '\treturn x;\n}\n'
} >common/f.c
expect complexity '^common/f.c:1: g has [0-9]+ lines, the limit is 100$'
{
	for i in $(seq 621); do echo "extern int v$i;"; done
} >common/f.c
expect size '^common/f.c:621: the file has 621 lines'
printf 'int x; // note\n' >common/f.c
expect comments '^common/f.c:1: // is'
rm common/f.c
printf '#!/bin/sh\ncd \0441\n' >scripts/s
expect shell '^scripts/s:2:'
rm scripts/s
printf '.Dd today\n.Dt X 1\n.Os\n.Sh NAME\n.Nm x\n.Nd y\n.Zz\n' >common/x.1
expect man '^common/x.1:7:'
