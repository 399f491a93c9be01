# Posthouse. GNU make; one file, no recursion. `make help` lists the targets.

VERSION		:= $(shell cat VERSION)
BUILD		?= build
CC		?= cc
AR		?= ar
PKG_CONFIG	?= pkg-config
ifeq ($(origin CC),default)
CC		:= gcc
endif

PREFIX		?= /usr/local
SBINDIR		?= $(PREFIX)/sbin
BINDIR		?= $(PREFIX)/bin
LIBEXECDIR	?= $(PREFIX)/libexec/posthouse
MANDIR		?= $(PREFIX)/share/man
DOCDIR		?= $(PREFIX)/share/doc/posthouse
SYSCONFDIR	?= /etc
SPOOLDIR	?= /var/spool/posthouse
RUNDIR		?= /run/posthouse
TABLEDIR	?= /var/lib/posthouse
LOGFILE		?= /var/log/posthouse.log
INSTALL		?= install

# ---- flags -----------------------------------------------------------------

WARN := -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wvla \
	-Wcast-qual -Wmissing-prototypes -Wstrict-prototypes -Wwrite-strings \
	-Wpointer-arith -Wundef -Wformat=2
ifdef WERROR
WARN += -Werror
endif
OPT		?= -O2 -g
HARDEN		:= -fPIE -fstack-protector-strong -fno-strict-aliasing
HARDEN_LD	:= -pie -Wl,-z,relro,-z,now,-z,noexecstack
ifdef SANITIZE
HARDEN		+= -fsanitize=address,undefined -fno-sanitize-recover=undefined \
		   -fno-omit-frame-pointer -DPH_SANITIZE
HARDEN_LD	+= -fsanitize=address,undefined
OPT		:= -O1 -g
else ifeq (,$(findstring FORTIFY_SOURCE,$(CPPFLAGS)))
HARDEN		+= -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
endif

PATHS := -DPH_LIBEXECDIR='"$(LIBEXECDIR)"' -DPH_SYSCONFDIR='"$(SYSCONFDIR)"' \
	-DPH_SPOOLDIR='"$(SPOOLDIR)"' -DPH_RUNDIR='"$(RUNDIR)"' \
	-DPH_TABLEDIR='"$(TABLEDIR)"' -DPH_LOGFILE='"$(LOGFILE)"' \
	-DPH_VERSION='"$(VERSION)"'
BSD_CFLAGS	:= $(shell $(PKG_CONFIG) --cflags libbsd-overlay)
STD		:= -std=c17 -D_GNU_SOURCE -I. $(BSD_CFLAGS)
ALL_CFLAGS	= $(STD) $(PATHS) $(WARN) $(OPT) $(HARDEN) \
		  -ffile-prefix-map=$(CURDIR)=. -ffile-prefix-map=$(abspath $(BUILD))=build -MMD -MP $(CPPFLAGS) $(CFLAGS)
BANNED		:= -include common/base/banned.h
ALL_LDFLAGS	= $(HARDEN_LD) -Wl,--as-needed $(LDFLAGS)
# Each program gets only what its objects ask for (--as-needed); `make layering` checks which.
ifneq ($(wildcard /usr/include/security/pam_appl.h),)
PAM		?= yes
endif
LIBS		:= -lbsd -lseccomp -lcdb -levent_core -lcrypt -lssl -lcrypto -lz \
		   -lunbound -lidn2 -lutf8proc -ljansson -lcurl -largon2 -lsqlite3
ifeq ($(PAM),yes)
PATHS		+= -DPH_PAM
LIBS		+= -lpam
endif
# deliver lives for a millisecond or two, of which the dynamic loader takes 0.1 for each library; there is a pop3d-session
# or an imapd-session for each session, and each library is memory of its own, too.
LIBS_deliver	?= -Wl,-Bstatic -lbsd -lmd -lcdb -Wl,-Bdynamic
LIBS_pop3d-session ?= -Wl,-Bstatic -lbsd -lmd -Wl,-Bdynamic
LIBS_imapd-session ?= -Wl,-Bstatic -lbsd -lmd -lz -lutf8proc -Wl,-Bdynamic
ifdef SANITIZE
# ASan stands in front of crypt_r, so that libcrypt seems not to be needed.
$(BUILD)/bin/auth $(BUILD)/unit/test_auth%: LIBS += -Wl,--no-as-needed -lcrypt
endif

# What everything is made with; objects older than a change of it are made anew.
FLAGS		= $(CC) $(filter-out -Werror,$(ALL_CFLAGS)) $(ALL_LDFLAGS) $(LIBS)

# ---- sources ---------------------------------------------------------------

ROOMS		:= base fmt store net proc
COMMON_SRC	:= $(sort $(wildcard $(ROOMS:%=common/%/*.c)))
FOLDERS		:= master log keys smtpd queue route deliver pop3d imapd auth
MAIN_SRC	:= $(sort $(wildcard $(FOLDERS:%=%/main.c) $(FOLDERS:%=%/*_main.c)))
FOLDER_SRC	:= $(filter-out $(MAIN_SRC),$(sort $(wildcard $(FOLDERS:%=%/*.c))))
UNIT_SRC	:= $(sort $(wildcard tests/unit/test_*.c))
FUZZ_SRC	:= $(sort $(wildcard tests/fuzz/fuzz_*.c))
TOOL_SRC	:= $(sort $(wildcard tests/tools/*.c))

obj		= $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
LIBCOMMON	:= $(BUILD)/libcommon.a
folder_lib	= $(if $(filter $(1)/%,$(FOLDER_SRC)),$(BUILD)/lib$(1).a)

# A folder's main.c is its daemon, named after the folder (but for these two);
# CMD_main.c is the command CMD.
daemon		= $(or $(daemon_$(1)),$(1))
daemon_master	:= posthouse
prog_name	= $(if $(filter %/main.c,$(1)),$(call daemon,$(patsubst %/main.c,%,$(1))),$(subst _,-,$(patsubst %_main.c,%,$(notdir $(1)))))
daemon_deliver	:= deliver
PROGRAMS	:= $(foreach m,$(MAIN_SRC),$(BUILD)/bin/$(call prog_name,$(m)))
UNITS		:= $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(UNIT_SRC))
FUZZERS		:= $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(FUZZ_SRC))
TOOLS		:= $(patsubst tests/tools/%.c,$(BUILD)/tools/%,$(TOOL_SRC))

# Where they are installed.
SBIN_PROGRAMS	:= posthouse sendmail postq
BIN_PROGRAMS	:= mailq deliver
LIBEXEC_PROGRAMS := $(filter-out $(SBIN_PROGRAMS) $(BIN_PROGRAMS),$(notdir $(PROGRAMS)))

.PHONY: all install check check-long run fuzz bench dist clean layering lint units objects tools help FORCE
.DELETE_ON_ERROR:
# Nothing is removed when make ends: the summary of the tests is the last line.
.SECONDARY:
all: $(PROGRAMS)

help:
	@echo 'all install check check-long run fuzz bench dist clean layering lint'
	@echo 'variables: BUILD CC SANITIZE=1 WERROR=1 V=1 PREFIX DESTDIR CFLAGS LDFLAGS'

# ---- rules -----------------------------------------------------------------

# "CC file" for a command, so that a warning is seen; all of it with V=1, nothing with -s.
SILENT		:= $(findstring s,$(filter-out --%,$(firstword -$(MAKEFLAGS))))
say		= $(if $(filter 1,$(V))$(SILENT),,@printf '  %-4s %s\n' $(1) $@; )

ifneq ($(strip $(FLAGS)),$(strip $(file <$(BUILD)/flags)))
$(BUILD)/flags: FORCE
endif
$(BUILD)/flags:
	@mkdir -p $(@D)
	@echo '$(subst ','\'',$(FLAGS))' >$@

$(BUILD)/obj/tests/%.o: tests/%.c Makefile $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/obj/%.o: %.c Makefile $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(ALL_CFLAGS) $(BANNED) -c -o $@ $<

# Tables that programs of common/gen make while Posthouse is built.
TABLES		:= $(patsubst common/gen/make_%.c,%,$(sort $(wildcard common/gen/make_*.c)))
GEN_LIBS	:= -lutf8proc
# Rules for these files alone: make would look for a way to make the .d files, too.
$(TABLES:%=$(BUILD)/gen/make_%): $(BUILD)/gen/make_%: common/gen/make_%.c Makefile $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(STD) $(WARN) -O1 -MMD -MP -MF $@.d $(CPPFLAGS) -o $@ $(filter %.c,$^) -Wl,--as-needed $(GEN_LIBS)
$(TABLES:%=$(BUILD)/gen/%.c): $(BUILD)/gen/%.c: $(BUILD)/gen/make_%
	$(call say,GEN)$< >$@.new && mv -f $@.new $@ || exit 1
$(TABLES:%=$(BUILD)/obj/gen/%.o): $(BUILD)/obj/gen/%.o: $(BUILD)/gen/%.c Makefile $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(ALL_CFLAGS) $(BANNED) -c -o $@ $<

$(LIBCOMMON): $(call obj,$(COMMON_SRC)) $(TABLES:%=$(BUILD)/obj/gen/%.o)
	@rm -f $@
	$(call say,AR)$(AR) rcsD $@ $^

define folder_rule
$$(BUILD)/lib$(1).a: $$(call obj,$$(filter $(1)/%,$$(FOLDER_SRC)))
	@rm -f $$@
	$$(call say,AR)$$(AR) rcsD $$@ $$^
endef
$(foreach f,$(FOLDERS),$(if $(call folder_lib,$(f)),$(eval $(call folder_rule,$(f)))))

define program_rule
$$(BUILD)/bin/$(call prog_name,$(1)): $$(call obj,$(1)) $$(call folder_lib,$(firstword $(subst /, ,$(1)))) $$(LIBCOMMON)
	@mkdir -p $$(@D)
	$$(call say,LD)$$(CC) $$(ALL_CFLAGS) $$(ALL_LDFLAGS) -o $$@ $$^ $$(or $$(LIBS_$$(@F)),$$(LIBS))
endef
$(foreach m,$(MAIN_SRC),$(eval $(call program_rule,$(m))))

# Unit tests may look into any folder's archive; static archives give only what is used.
ALL_LIBS	= $(foreach f,$(FOLDERS),$(call folder_lib,$(f))) $(LIBCOMMON)
$(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(ALL_LIBS)
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(shell $(PKG_CONFIG) --libs check) $(LIBS)
units: $(UNITS)
# Compiled, not linked: for a compiler's opinion.
objects: $(call obj,$(COMMON_SRC) $(FOLDER_SRC) $(MAIN_SRC) $(UNIT_SRC) $(TOOL_SRC))

$(BUILD)/tools/%: $(BUILD)/obj/tests/tools/%.o $(LIBCOMMON)
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)
tools: $(TOOLS)

# Fuzz targets link the same sources, built with coverage by clang.
FUZZ_CC		?= clang
FUZZ_TIME	?= 20
FUZZ_FLAGS	:= -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -O1 -g \
		   -Werror=implicit-function-declaration
FUZZ_LIB_SRC	:= $(COMMON_SRC) $(FOLDER_SRC)
$(BUILD)/fuzz/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC)$(FUZZ_CC) $(STD) $(PATHS) $(FUZZ_FLAGS) -MMD -MP -c -o $@ $<
$(TABLES:%=$(BUILD)/fuzz/obj/gen/%.o): $(BUILD)/fuzz/obj/gen/%.o: $(BUILD)/gen/%.c Makefile
	@mkdir -p $(@D)
	$(call say,CC)$(FUZZ_CC) $(STD) $(PATHS) $(FUZZ_FLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/fuzz/libfuzzed.a: $(patsubst %.c,$(BUILD)/fuzz/obj/%.o,$(FUZZ_LIB_SRC)) $(TABLES:%=$(BUILD)/fuzz/obj/gen/%.o)
	@rm -f $@
	$(call say,AR)$(AR) rcsD $@ $^
$(BUILD)/fuzz/fuzz_%: $(BUILD)/fuzz/obj/tests/fuzz/fuzz_%.o $(BUILD)/fuzz/libfuzzed.a
	$(call say,LD)$(FUZZ_CC) $(FUZZ_FLAGS) -fsanitize=fuzzer -Wl,--as-needed -o $@ $^ $(LIBS)
fuzz: $(FUZZERS)
	tests/fuzz/run $(BUILD)/fuzz $(FUZZ_TIME)

-include $(shell find $(BUILD)/obj $(BUILD)/fuzz/obj $(BUILD)/gen -name '*.d' 2>/dev/null)

# ---- what users call ---------------------------------------------------------

run: all
	tests/run-demo

check: all units tools lint layering
	PH_BUILD=$(BUILD) tests/check short

check-long: all units tools lint layering
	PH_BUILD=$(BUILD) tests/check long

bench: all tools
	tests/bench/run

lint: all
	tests/lint $(BUILD)

layering: all
	tests/layering $(BUILD)

install: all
	$(INSTALL) -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(DOCDIR) \
	    $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man7 $(DESTDIR)$(MANDIR)/man8 \
	    $(DESTDIR)$(SYSCONFDIR)/posthouse
	for p in $(SBIN_PROGRAMS); do $(INSTALL) -m 755 $(BUILD)/bin/$$p $(DESTDIR)$(SBINDIR)/ || exit 1; done
	for p in $(BIN_PROGRAMS); do $(INSTALL) -m 755 $(BUILD)/bin/$$p $(DESTDIR)$(BINDIR)/ || exit 1; done
	for p in $(LIBEXEC_PROGRAMS); do $(INSTALL) -m 755 $(BUILD)/bin/$$p $(DESTDIR)$(LIBEXECDIR)/ || exit 1; done
	ln -sf $(SBINDIR)/sendmail $(DESTDIR)$(BINDIR)/newaliases
	ln -sf $(LIBEXECDIR)/route $(DESTDIR)$(SBINDIR)/posthouse-route
	for m in man/*.[1578]; do $(INSTALL) -m 644 $$m $(DESTDIR)$(MANDIR)/man$${m##*.}/ || exit 1; done
	$(INSTALL) -m 644 README LICENSE $(DESTDIR)$(DOCDIR)/
	$(INSTALL) -m 644 man/posthouse.conf.example $(DESTDIR)$(DOCDIR)/

dist:
	git archive --format=tar --prefix=posthouse-$(VERSION)/ -o posthouse-$(VERSION).tar HEAD
	gzip -9nf posthouse-$(VERSION).tar

clean:
	rm -rf $(BUILD) posthouse-*.tar.gz
