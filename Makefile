# make            release build: build/mailfilter, build/scanner
# make demo       a private mail server, EICAR mails, both programs: watch it work
# make check      unit and end-to-end tests              make deps   missing Debian packages
# make check-long the end-to-end tests that can be longer, at their full length
# make asan       unit tests under address and undefined sanitizers
# make bench      judging alone, the scanner beside clamd, the whole job beside five fetchers with
#                 clamd, many accounts at once, slow lines: some 20 minutes on 2 cores
# make bench-long the whole job with all mails for all, up to 100,000 mails and 300 accounts, 300
#                 accounts that wait in IDLE, mail beside a sweep of 50,000 files
# make lint       format, clang-tidy, cppcheck, shellcheck, manual pages, clang build
# make install    programs, manual pages, units, samples under PREFIX; make uninstall
# make deb        Debian packages: build/mailfilter-av*.deb
# make clean      removes build/                        make V=1    show the commands

VERSION := 0.1
MODE    ?= release
Q       := $(if $(V),,@)
CC      := $(if $(filter default,$(origin CC)),gcc,$(CC))
B       := build/$(MODE)

WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
           -Wmissing-prototypes -Wold-style-definition -Wformat=2 -Wvla -Walloca -Wcast-qual \
           -Wwrite-strings -Wpointer-arith -Wundef -Wnull-dereference -Wswitch-enum \
           -Wimplicit-fallthrough
WARNGCC := -Wduplicated-cond -Wduplicated-branches -Wlogical-op -Wjump-misses-init
# A level of _FORTIFY_SOURCE that is given from outside is the one.
HARDEN  := $(if $(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS)),,-D_FORTIFY_SOURCE=3) \
           -fstack-protector-strong -fstack-clash-protection -fcf-protection=full
IS_GCC  := $(findstring gcc,$(CC))

OPT_release := -O2 -g $(HARDEN)
OPT_debug   := -O1 -g -Werror $(HARDEN)
OPT_asan    := -O1 -g -Werror -fno-omit-frame-pointer -fsanitize=address,undefined \
               -fno-sanitize-recover=all
PKGS    := gmime-3.0 libzmq libconfuse sqlite3 gnutls libclamav libseccomp libarchive cmocka \
           libetpan
# Asked once, and only when something is compiled: "make deps" may have to install pkg-config.
INCLUDE  = $(eval INCLUDE := $$(shell pkg-config --cflags $$(PKGS) | sed 's/-I/-isystem /g'))$(INCLUDE)
FLAGS    = -std=gnu17 -fPIE -D_GNU_SOURCE -DMAILFILTER_VERSION='"$(VERSION)"' -I. $(WARN) \
           $(if $(IS_GCC),$(WARNGCC)) $(OPT_$(MODE)) $(INCLUDE) $(CPPFLAGS) $(CFLAGS)
LINK     = $(CC) -fPIE -pie -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed \
           $(filter -fsanitize%,$(OPT_$(MODE))) $(LDFLAGS)
# Its own sscanf is taken from its archive though nobody there calls it: libclamav does.
LINK_scanner   = -Wl,-u,sscanf
# libetpan by hand: its .pc file carries specs that undo PIE.
LIB_common     = $(shell pkg-config --libs gmime-3.0 libzmq libconfuse gnutls)
LIB_mailfilter = $(LIB_common) -letpan $(shell pkg-config --libs sqlite3 libseccomp)
LIB_scanner    = $(LIB_common) $(shell pkg-config --libs libclamav libseccomp libarchive)

src      = $(wildcard $(1)/*.c)
obj      = $(patsubst %.c,$(B)/%.o,$(call src,$(1)))
TESTS   := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/*/test_*.c))

all: build/mailfilter build/scanner
build/mailfilter build/scanner: build/%: $(B)/bin/% FORCE
	@ln -sfn $(MODE)/bin/$* $@

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo 'CC $<'
	$Q$(CC) $(FLAGS) -MMD -MP -c -o $@ $<
$(B)/lib%.a:
	@rm -f $@; ar rcs $@ $^
$(B)/libcommon.a: $(call obj,common)
$(B)/libmailfilter.a: $(filter-out $(B)/mailfilter/main.o,$(call obj,mailfilter))
$(B)/libscanner.a: $(filter-out $(B)/scanner/main.o,$(call obj,scanner))
$(B)/bin/%: $(B)/%/main.o $(B)/lib%.a $(B)/libcommon.a
	@mkdir -p $(@D)
	@echo 'LD $@'
	$Q$(LINK) $(LINK_$*) -o $@ $^ $(LIB_$*)

# A test of one folder links that folder's archive: tests/common/test_buf.c stands for common/buf.c.
$(B)/tests/common/%: $(B)/tests/common/%.o $(B)/libcommon.a
	@echo 'LD $@'
	$Q$(LINK) -o $@ $^ $(LIB_common) -lcmocka
$(B)/tests/mailfilter/%: $(B)/tests/mailfilter/%.o $(B)/libmailfilter.a $(B)/libcommon.a
	@echo 'LD $@'
	$Q$(LINK) -o $@ $^ $(LIB_mailfilter) -lcmocka
$(B)/tests/scanner/%: $(B)/tests/scanner/%.o $(B)/libscanner.a $(B)/libcommon.a
	@echo 'LD $@'
	$Q$(LINK) -o $@ $^ $(LIB_scanner) -lcmocka
# What a benchmark calls of mailfilter's own.
$(B)/tests/bench/%: $(B)/tests/bench/%.o $(B)/libmailfilter.a $(B)/libcommon.a
	@echo 'LD $@'
	$Q$(LINK) -o $@ $^ $(LIB_mailfilter)

deps:
	@tests/deps.sh
demo: deps
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@tests/demo.pl
check: deps
	@$(MAKE) --no-print-directory -j$$(nproc) all unit-tests
	prove -j3 --timer tests/tree.t tests/build.t tests/install.t tests/completion.t tests/manuals.t \
		tests/deb.t tests/run-unit.t tests/e2e/*.t
# Those that heed LONG.
check-long: deps
	@tests/deps.sh long
	@$(MAKE) --no-print-directory -j$$(nproc) all
	LONG=1 prove --timer tests/e2e/54-storm.t tests/e2e/73-faults.t \
		tests/e2e/74-rules-changed.t tests/e2e/75-matrix.t tests/e2e/82-inplace-killed.t \
		tests/deb.t tests/e2e/95-deb.t
unit-tests: $(TESTS)
asan: deps
	@$(MAKE) --no-print-directory -j$$(nproc) MODE=asan unit-tests
	MODE=asan prove --timer tests/run-unit.t
bench: deps
	@tests/deps.sh bench
	@$(MAKE) --no-print-directory -j$$(nproc) all $(B)/tests/bench/judge
	@tests/bench/all.sh $(B)
bench-long: deps
	@tests/deps.sh bench
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@tests/bench/whole.pl --full
	@tests/bench/idle.pl
	@tests/bench/sweep.pl
	@tests/bench/growth.pl
lint:
	@tests/lint.sh

# What is in /etc belongs to who runs it: the samples come as documents, to be copied there. Each
# pair below is a file and where it is installed; "make uninstall" removes just these.
PREFIX  ?= /usr/local
HERE     = $(DESTDIR)$(PREFIX)
DOCS     = README.md conf/mailfilter.conf conf/scanner.conf conf/mailfilter.cron \
           $(wildcard conf/mailfilter-scanner-sweep-*.conf)
to       = $(foreach f,$(2),$(f)=$(1)/$(notdir $(f)))
PAIRS    = build/mailfilter=bin/mailfilter build/scanner=bin/mailfilter-scanner \
           $(foreach n,5 8,$(call to,share/man/man$(n),$(wildcard */*.$(n)))) \
           $(call to,share/doc/mailfilter,$(DOCS)) \
           $(call to,lib/systemd/system,$(wildcard conf/*.service conf/*.timer)) \
           $(call to,lib/systemd/user,$(wildcard conf/user/*.service conf/user/*.timer)) \
           'conf/mailfilter-scanner.mount=lib/systemd/system/run-mailfilter\x2dscanner.mount' \
           $(foreach d,sysusers tmpfiles,conf/mailfilter.$(d)=lib/$(d).d/mailfilter.conf) \
           $(foreach f,$(wildcard conf/*.bash-completion), \
           $(f)=share/bash-completion/completions/$(basename $(notdir $(f))))
OWN_DIRS = share/doc/mailfilter share/man/man5 share/man/man8 lib/systemd/system \
           lib/systemd/user lib/systemd lib/sysusers.d lib/tmpfiles.d \
           share/bash-completion/completions share/bash-completion
install: all
	@set -e; for pair in $(PAIRS); do \
		to="$(HERE)/$${pair#*=}"; mode=644; \
		case $$pair in *=bin/*) mode=755;; esac; \
		install -D -m $$mode "$${pair%%=*}" "$$to"; \
		case $$to in *.service) sed -i 's|=/usr/bin/|=$(PREFIX)/bin/|' "$$to";; esac; \
	done
uninstall:
	@for pair in $(PAIRS); do rm -f "$(HERE)/$${pair#*=}"; done
	@for dir in $(OWN_DIRS); do \
		if [ -d "$(HERE)/$$dir" ]; then rmdir --ignore-fail-on-non-empty "$(HERE)/$$dir"; fi; \
	done

# Debian wants conf/debian at the top of a tree: a copy of what is built and installed has it there. What
# dpkg-buildpackage leaves beside the packages (debug symbols, what was built from what) stays there, too.
DEB      = build
STAGE    = $(DEB)/deb/mailfilter-av-$(VERSION)
deb:
	@tests/deps.sh deb
	rm -rf $(DEB)/deb $(DEB)/mailfilter-av*.deb
	mkdir -p $(STAGE)
	cp -r Makefile README.md LICENSE common mailfilter scanner conf $(STAGE)
	mv $(STAGE)/conf/debian $(STAGE)
	sed -i 's/@VERSION@/$(VERSION)/' $(STAGE)/debian/changelog
	cd $(STAGE) && env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL dpkg-buildpackage -b -uc
	for p in $(DEB)/deb/*.deb; do case $$p in *-dbgsym_*) ;; *) cp $$p $(DEB);; esac; done
	@ls $(DEB)/*.deb
clean:
	rm -rf build

-include $(shell find $(B) -name '*.d' 2>/dev/null)

.PHONY: FORCE all deps demo check check-long unit-tests asan bench bench-long lint install uninstall deb clean
.SECONDARY:
