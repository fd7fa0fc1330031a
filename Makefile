# Slipway: top-level build. All rules are here; each folder's module.mk holds data only.
#
# Knobs (command line or config.mk):
#   BUILD=build            where objects, libraries and programs go (build/bin, build/lib)
#   V=1                    print the commands
#   DEBUG=1                no optimisation, debug information
#   SAN=address,undefined  sanitizers, in a build folder of their own
#   WERROR=1               warnings are errors (what CI uses)
#   CC, CFLAGS, LDFLAGS    as a packager sets them
#   PREFIX=/usr/local, DESTDIR, SYSTEMDUNITDIR, MANDIR   for `make install`
-include config.mk

CC      ?= cc
PREFIX  ?= /usr/local
BINDIR  ?= $(PREFIX)/bin
SBINDIR ?= $(PREFIX)/sbin
LIBDIR  ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DATADIR ?= $(PREFIX)/share
MANDIR  ?= $(DATADIR)/man
SYSTEMDUNITDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
TMPFILESDIR ?= $(PREFIX)/lib/tmpfiles.d
BUILD   ?= build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))
comma   := ,
Q       := $(if $(V),,@)
say      = $(if $(V),,@printf '  %-6s %s\n' $(1) $(2))

VERSION := $(shell cat VERSION)
CFLAGS  ?= $(if $(DEBUG),-O0 -g3,-O2 -g)
warn    := -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 \
           -Wwrite-strings -Wno-unused-parameter -Wno-missing-field-initializers $(if $(WERROR),-Werror)
cflags   = -std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -I. -fvisibility=hidden -fPIC \
           -fno-strict-aliasing $(warn) -DSLIPWAY_VERSION='"$(VERSION)"' \
           -DSLIPWAY_LIBEXECDIR='"$(PREFIX)/lib/slipway"' -DSLIPWAY_DATADIR='"$(DATADIR)/slipway"' \
           $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=undefined) $(CFLAGS) $(CPPFLAGS)
ldflags  = -Wl,--as-needed -Wl,-z,relro,-z,now $(if $(SAN),-fsanitize=$(SAN)) $(LDFLAGS)

# mbedTLS 2.28 ships no .pc file; 3.x does.
MBEDTLS_LIBS ?= $(shell pkg-config --libs mbedtls mbedx509 mbedcrypto 2>/dev/null || echo -lmbedtls -lmbedx509 -lmbedcrypto)

.DEFAULT_GOAL := all
libs :=
bins :=
shared :=
include common/module.mk hwprobe/module.mk imagebuilder/module.mk agent/module.mk service/module.mk tests/module.mk

# --- objects ------------------------------------------------------------------------------------
all_pkgs := $(sort $(foreach l,$(libs) $(bins),$($(l).pkgs)))
pkg_cflags := $(shell pkg-config --cflags $(all_pkgs) 2>/dev/null)

# The flags in force; everything is rebuilt when they change. What is missing is named before the first compiler error.
$(BUILD)/.flags: FORCE
	@pkg-config --exists --print-errors $(all_pkgs) || \
		{ echo "Slipway needs these to build; \"scripts/deps build\" installs them" >&2; exit 1; }
	@mkdir -p $(@D)
	@printf '%s\n' '$(CC) $(subst ','\'',$(cflags) $(ldflags))' | cmp -s - $@ || \
		printf '%s\n' '$(CC) $(subst ','\'',$(cflags) $(ldflags))' > $@

$(BUILD)/obj/%.o: %.c $(BUILD)/.flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(cflags) $(pkg_cflags) -MMD -MP -c $< -o $@

objs_of = $(patsubst %.c,$(BUILD)/obj/%.o,$(filter %.c,$(1)))
# Libraries a program or library links with, users before used.
uses_of = $(foreach u,$($(1).uses),$(u) $(call uses_of,$(u)))
libfiles_of = $(foreach u,$(1),$(BUILD)/lib/lib$(u).a)
ldlibs_of = $(if $(strip $(foreach u,$(1),$($(u).pkgs))),$(shell pkg-config --libs $(sort $(foreach u,$(1),$($(u).pkgs))) 2>/dev/null)) \
            $(if $(filter common,$(1)),$(MBEDTLS_LIBS)) $(sort $(foreach u,$(1),$($(u).ldlibs)))

define lib_rules
$(BUILD)/lib/lib$(1).a: $(call objs_of,$($(1).src))
	@mkdir -p $$(@D)
	$$(call say,AR,$$@)
	$(Q)rm -f $$@ && $(AR) rcs $$@ $$^
endef
$(foreach l,$(libs),$(eval $(call lib_rules,$(l))))

define bin_rules
$(BUILD)/bin/$(1): $(call objs_of,$($(1).src)) $(call libfiles_of,$(call uses_of,$(1)))
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$(Q)$(CC) $$(ldflags) -pie -o $$@ $(call objs_of,$($(1).src)) -Wl,--start-group $(call libfiles_of,$(call uses_of,$(1))) -Wl,--end-group $$(call ldlibs_of,$(1) $(call uses_of,$(1)))
endef
$(foreach b,$(bins),$(eval $(call bin_rules,$(b))))

# Shared libraries: the objects of a library and what they need of the libraries it uses; nothing is offered but the names of its .sym file.
# libX.so.ABI.VERSION, and the links libX.so.ABI (what programs load) and libX.so (what they are linked with).
shared_libs := $(foreach l,$(shared),$(BUILD)/lib/lib$(l).so)
define shared_rules
$(BUILD)/lib/lib$(1).so: $(call objs_of,$($(1).src)) $(call libfiles_of,$(call uses_of,$(1))) $($(1).sym)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$(Q)$(CC) $$(ldflags) -shared $(if $(SAN),,-Wl,-z,defs) -Wl,-soname,lib$(1).so.$($(1).abi) -Wl,--version-script=$($(1).sym) -o $$@.$($(1).abi).$(VERSION) $(call objs_of,$($(1).src)) -Wl,--start-group $(call libfiles_of,$(call uses_of,$(1))) -Wl,--end-group $$(call ldlibs_of,$(1) $(call uses_of,$(1)))
	$(Q)ln -sf $$(@F).$($(1).abi).$(VERSION) $$@.$($(1).abi)
	$(Q)ln -sf $$(@F).$($(1).abi) $$@
endef
$(foreach l,$(shared),$(eval $(call shared_rules,$(l))))

.PHONY: all libs bins check check-unit check-cli check-api check-fuzz check-e2e check-guest guest-bins bench fuzz lint format install dist clean demo FORCE
all: $(addprefix $(BUILD)/bin/,$(filter-out bench-% guest-%,$(bins))) $(shared_libs)
# what runs inside the test guests, beside the programs themselves
guest-bins: $(addprefix $(BUILD)/bin/,slipway-hwprobe slipway-agent $(filter bench-measure guest-%,$(bins)))
FORCE:

# --- tests (every suite prints TAP; tests/run adds them up) ---------------------------------------
# tests/unit/<library>/…/test_x.c -> $(BUILD)/tests/unit/<library>/…/test_x, linked with the library and cmocka; where a
# folder's tests are another library's, its module.mk says so: tests/unit/<folder>/.lib := NAME
unit_src := $(wildcard tests/unit/*/test_*.c tests/unit/*/*/test_*.c)
unit_bin := $(patsubst %.c,$(BUILD)/%,$(unit_src))
unit_lib = $(or $($(dir $(1)).lib),$(word 3,$(subst /, ,$(1))))
define unit_rules
$(BUILD)/$(1:.c=): $(BUILD)/obj/$(1:.c=.o) $(call libfiles_of,$(unit_lib_x) $(call uses_of,$(unit_lib_x)))
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$(Q)$(CC) $$(ldflags) -pie -o $$@ $$< -Wl,--start-group $(call libfiles_of,$(unit_lib_x) $(call uses_of,$(unit_lib_x))) -Wl,--end-group $$(call ldlibs_of,$(unit_lib_x) $(call uses_of,$(unit_lib_x))) $(if $($(basename $(notdir $(1))).pkgs),$(shell pkg-config --libs $($(basename $(notdir $(1))).pkgs) 2>/dev/null)) -lcmocka
endef
$(foreach t,$(unit_src),$(eval unit_lib_x := $(call unit_lib,$(t)))$(eval $(call unit_rules,$(t))))

# tests/fuzz/<library>/fuzz_x.c -> a program that replays the files named on its command line
fuzz_src := $(wildcard tests/fuzz/*/fuzz_*.c)
fuzz_bin := $(patsubst %.c,$(BUILD)/%,$(fuzz_src))
define fuzz_rules
$(BUILD)/$(1:.c=): $(BUILD)/obj/$(1:.c=.o) $(BUILD)/obj/tests/fuzz/replay.o $(call libfiles_of,$(unit_lib_x) $(call uses_of,$(unit_lib_x)))
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$(Q)$(CC) $$(ldflags) -pie -o $$@ $$< $(BUILD)/obj/tests/fuzz/replay.o -Wl,--start-group $(call libfiles_of,$(unit_lib_x) $(call uses_of,$(unit_lib_x))) -Wl,--end-group $$(call ldlibs_of,$(unit_lib_x) $(call uses_of,$(unit_lib_x)))
endef
$(foreach t,$(fuzz_src),$(eval unit_lib_x := $(call unit_lib,$(t)))$(eval $(call fuzz_rules,$(t))))

# The same linked with libFuzzer's main, for exploring (scripts/fuzz; clang only).
define libfuzzer_rules
$(BUILD)/$(1:.c=.libfuzzer): $(BUILD)/obj/$(1:.c=.o) $(call libfiles_of,$(unit_lib_x) $(call uses_of,$(unit_lib_x)))
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$(Q)$(CC) -fsanitize=fuzzer,address,undefined $(LDFLAGS) -pie -o $$@ $$< -Wl,--start-group $(call libfiles_of,$(unit_lib_x) $(call uses_of,$(unit_lib_x))) -Wl,--end-group $$(call ldlibs_of,$(unit_lib_x) $(call uses_of,$(unit_lib_x)))
endef
$(foreach t,$(fuzz_src),$(eval unit_lib_x := $(call unit_lib,$(t)))$(eval $(call libfuzzer_rules,$(t))))

fuzz-objs: $(patsubst %.c,$(BUILD)/obj/%.o,$(fuzz_src))
unit-bins: $(unit_bin)
fuzz-bins: $(fuzz_bin)
.PHONY: unit-bins fuzz-bins fuzz-objs

export BUILD
check-unit: $(unit_bin)
	tests/run unit $(if $(UNIT),$(filter $(BUILD)/tests/unit/$(UNIT)%,$(unit_bin)),$(unit_bin))
check-cli: all
	tests/run cli
check-api: all
	tests/run api
check-fuzz:
	$(MAKE) SAN=address,undefined BUILD=$(BUILD)/san fuzz-bins
	tests/run fuzz
check-e2e: all
	tests/run e2e
check-guest: guest-bins
	tests/run guest
check:
	scripts/check
bench: all guest-bins $(addprefix $(BUILD)/bin/,$(filter bench-%,$(bins)))
	tests/bench/run
demo:
	scripts/demo
lint:
	scripts/lint
format:
	scripts/format
fuzz:
	scripts/fuzz

install: all
	scripts/install-files '$(DESTDIR)' '$(BINDIR)' '$(SBINDIR)' '$(LIBDIR)' '$(INCLUDEDIR)' '$(DATADIR)' '$(MANDIR)' '$(SYSTEMDUNITDIR)' '$(SYSUSERSDIR)' '$(TMPFILESDIR)'
dist:
	git archive --prefix=slipway-$(VERSION)/ -o slipway-$(VERSION).tar.gz HEAD
clean:
	rm -rf build

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
