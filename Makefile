# adit: `make help` lists the targets. Everything is built under $(BUILD), one folder a variant.

# Debian packages, named in this one place. BUILD_DEPS compiles; DEMO_DEPS and TEST_DEPS are the
# peers and tools that `make demo` and `make test` run against; the others serve one target each.
BUILD_DEPS  = gcc make libsodium-dev libbearssl-dev zlib1g-dev
BENCH_DEPS  = python3 openssh-server openssh-client putty-tools dropbear-bin
DEMO_DEPS   = python3 openssh-client curl
TEST_DEPS   = $(DEMO_DEPS) libcunit1-dev openssh-server
# Peers beside the system's OpenSSH: without one of them its tests are skipped. The others are not
# installed but unpacked below $(BUILD)/peers; a newer OpenSSH comes from the release's backports.
PEER_DEPS   = autossh dropbear-bin libnss-wrapper python3-asyncssh python3-paramiko
TINYSSH     = tinysshd
CONCH       = $(addprefix python3-,twisted appdirs attr automat constantly hyperlink idna incremental \
              pyasn1 zope.interface)
ERLANG      = erlang-ssh erlang-base $(addprefix erlang-,asn1 crypto public-key mnesia runtime-tools)
OPENSSH_10  = openssh-server openssh-client
FORMAT_DEPS = clang-format
LINT_DEPS   = $(BUILD_DEPS) libcunit1-dev clang-tidy cppcheck
FUZZ_DEPS   = $(BUILD_DEPS) clang libclang-rt-dev

CC      ?= gcc
BUILD   ?= build
PREFIX  ?= /usr/local
SAN     ?=
STATIC  ?=
SECONDS ?= 10

comma   := ,
VARIANT := $(if $(FUZZ),fuzz,$(if $(SAN),san-$(subst $(comma),-,$(SAN)),$(if $(STATIC),static,release)))
OUT     := $(BUILD)/$(VARIANT)

# FUZZ=1 is set by `make fuzz` for its own builds: clang, with libFuzzer's counters everywhere.
ifneq ($(FUZZ),)
CC := clang
sanitize = fuzzer-no-link,address,undefined
else
sanitize = $(SAN)
endif

WARN = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef \
       -Wcast-qual -Wpointer-arith -Wwrite-strings -Wformat=2 -Wimplicit-fallthrough -Werror
OPT  = $(if $(sanitize),-O1 -fsanitize=$(sanitize) -fno-sanitize-recover=all -fno-omit-frame-pointer, \
       -O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2)
ADIT_CFLAGS  = -std=c11 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -g -fPIE $(OPT) $(WARN) -I. -MMD -MP
ADIT_LDFLAGS = -pie -Wl,-z,relro,-z,now $(if $(sanitize),-fsanitize=$(sanitize))
LIBS         = -lsodium -lbearssl -lz -pthread

# STATIC=1 links the two programs (not the tests, which stand in front of libc) with no shared
# library. glibc still loads its name services when a host, user or port is looked up by name, which
# its linker warnings say; where that does not work adit needs addresses and numbers.
ifneq ($(STATIC),)
ifneq ($(SAN)$(FUZZ),)
$(error STATIC=1 does not go with sanitizers, which are shared libraries: leave SAN and FUZZ out)
endif
PROGRAM_LDFLAGS = -static-pie -Wl,-z,relro,-z,now
else
PROGRAM_LDFLAGS = $(ADIT_LDFLAGS)
endif

# The house, lowest folder first: each may use those before it and none after it.
LAYERS = proto crypto transport channel forward cli
# The folders that never touch a socket, a clock, a file or a terminal.
CORE   = proto crypto transport channel
MAINS  = cli/adit.c cli/aditd.c

lib      = $(OUT)/lib$(1).a
objs     = $(patsubst %.c,$(OUT)/%.o,$(filter-out $(MAINS),$(wildcard $(1)/*.c)))
# Libraries a folder may link, its own first, so that the linker meets users before what they use.
libs_proto     = $(call lib,proto)
libs_crypto    = $(call lib,crypto) $(libs_proto)
libs_transport = $(call lib,transport) $(libs_crypto)
libs_channel   = $(call lib,channel) $(libs_transport)
libs_forward   = $(call lib,forward) $(libs_channel)
libs_cli       = $(call lib,cli) $(libs_forward)

# Objects that make finds by chaining rules are kept like all others.
.SECONDARY:

.PHONY: all
all: $(OUT)/adit $(OUT)/aditd ## build adit and aditd

$(OUT)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ADIT_CFLAGS) $(CFLAGS) -c $< -o $@

define layer_rules
$(call lib,$(1)): $(call objs,$(1))
	@mkdir -p $$(@D); rm -f $$@
	$$(AR) rcs $$@ $$^

# Every test_*.c is a program; other .c files beside them are helpers that all of them link.
unit_$(1) = $$(patsubst tests/unit/%.c,$$(OUT)/unit/%,$$(wildcard tests/unit/$(1)/test_*.c))
unit_helpers_$(1) = $$(patsubst %.c,$$(OUT)/%.o,$$(filter-out tests/unit/$(1)/test_%, \
                        $$(wildcard tests/unit/$(1)/*.c)) tests/unit/unit.c)
$$(OUT)/unit/$(1)/%: $$(OUT)/tests/unit/$(1)/%.o $$(unit_helpers_$(1)) $$(libs_$(1))
	@mkdir -p $$(@D)
	$$(CC) $$(ADIT_LDFLAGS) $$(LDFLAGS) $$^ $$(LIBS) -lcunit -o $$@
endef
$(foreach l,$(LAYERS),$(eval $(call layer_rules,$(l))))
# forward/link.c is tested between an engine and a socket.
$(unit_forward): $(OUT)/tests/unit/transport/pair.o

$(OUT)/adit: $(OUT)/cli/adit.o $(libs_cli)
	$(CC) $(PROGRAM_LDFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

$(OUT)/aditd: $(OUT)/cli/aditd.o $(libs_cli)
	$(CC) $(PROGRAM_LDFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

# ---- unit tests

# make unit-proto runs one folder's tests and stops at the first program that fails.
define unit_rule
.PHONY: unit-$(1)
unit-$(1): $$(unit_$(1))
	@set -e; for t in $$^; do $$$$t; done
endef
$(foreach l,$(LAYERS),$(eval $(call unit_rule,$(l))))

UNIT_PROGRAMS = $(foreach l,$(LAYERS),$(unit_$(l)))

.PHONY: unit unit-programs
unit: $(UNIT_PROGRAMS) ## run the unit tests (unit-proto, unit-crypto, ... run one folder's)
	@UNIT="$(UNIT_PROGRAMS)" tests/tally.sh
unit-programs: $(UNIT_PROGRAMS)

# ---- fuzzing: fuzz/fuzz_NAME.c is a target, fuzz/seeds/NAME its kept inputs. Other .c files there
# are helpers of every target, but for replay.c: a main() that feeds files to a target without clang.

FUZZ_NAMES      = $(patsubst fuzz/fuzz_%.c,%,$(wildcard fuzz/fuzz_*.c))
fuzz_helpers    = $(patsubst %.c,$(OUT)/%.o,$(filter-out fuzz/fuzz_% fuzz/replay.c,$(wildcard fuzz/*.c)))
REPLAY_PROGRAMS = $(addprefix $(OUT)/replay/,$(FUZZ_NAMES))
FUZZ_PROGRAMS   = $(addprefix $(OUT)/bin/,$(FUZZ_NAMES))

$(OUT)/replay/%: $(OUT)/fuzz/fuzz_%.o $(OUT)/fuzz/replay.o $(fuzz_helpers) $(libs_cli)
	@mkdir -p $(@D)
	$(CC) $(ADIT_LDFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

$(OUT)/bin/%: $(OUT)/fuzz/fuzz_%.o $(fuzz_helpers) $(libs_cli)
	@mkdir -p $(@D)
	$(CC) -pie -fsanitize=fuzzer,address,undefined $(LDFLAGS) $^ $(LIBS) -o $@

.PHONY: fuzz fuzz-programs fuzz-replay replay-programs fuzz-deps
replay-programs: $(REPLAY_PROGRAMS)
fuzz-programs: $(FUZZ_PROGRAMS)
fuzz-replay: $(REPLAY_PROGRAMS) ## feed every kept fuzz input to its target, once
	@REPLAY="$(REPLAY_PROGRAMS)" tests/tally.sh
fuzz: fuzz-deps ## run every fuzz target for SECONDS=10 with clang's libFuzzer
	@$(MAKE) --no-print-directory FUZZ=1 fuzz-programs
	@fuzz/run.sh $(BUILD)/fuzz $(SECONDS) $(FUZZ_NAMES)
fuzz-deps:
	@tests/deps.sh $(FUZZ_DEPS)

# ---- the whole thing

.PHONY: deps peer-deps demo-deps demo test test-programs interop bench
deps: ## install what building and testing need (as root), or print the line that does
	@tests/deps.sh $(BUILD_DEPS) $(TEST_DEPS)
peer-deps:
	@tests/deps.sh $(PEER_DEPS) || echo 'deps: going on; the tests that want these are skipped' >&2
	@tests/unpack.sh $(BUILD)/peers/tinyssh $(TINYSSH)
	@tests/unpack.sh $(BUILD)/peers/erlang $(ERLANG)
	@tests/unpack.sh $(BUILD)/peers/conch $(CONCH)
	@tests/unpack.sh -b $(BUILD)/peers/openssh $(OPENSSH_10)
demo-deps:
	@tests/deps.sh $(BUILD_DEPS) $(DEMO_DEPS)

demo: demo-deps ## open one tunnel of each kind on this machine and say what went through where
	@$(MAKE) --no-print-directory -s -j2 all
	@ADIT=$(OUT)/adit ADITD=$(OUT)/aditd tests/demo.sh

# With SAN the unit tests and the replay are what counts; `make SAN=... interop` runs the rest too.
test-programs: all unit-programs replay-programs
test: deps peer-deps ## build, then run every test: unit, fuzz replay, interop
	@$(MAKE) --no-print-directory -j2 test-programs
	@PEERS=$(BUILD)/peers UNIT="$(UNIT_PROGRAMS)" REPLAY="$(REPLAY_PROGRAMS)" INTEROP="$(if $(SAN),,$(OUT))" tests/tally.sh

# TABLE=docs/interop.md also writes what the peers were seen to do.
ONLY  ?=
TABLE ?=
interop: deps peer-deps ## run the interop suite alone; ONLY=text keeps the tests whose name has it
	@$(MAKE) --no-print-directory -j2 all
	@PEERS=$(BUILD)/peers ADIT=$(OUT)/adit ADITD=$(OUT)/aditd python3 tests/interop/run.py \
	    $(if $(TABLE),'--table=$(TABLE)') $(if $(ONLY),'$(ONLY)')

.PHONY: bench-deps
bench-deps:
	@tests/deps.sh $(BUILD_DEPS) $(BENCH_DEPS)
bench: bench-deps ## measure adit beside ssh, plink, dbclient (QUICK=1: two minutes)
	@$(MAKE) --no-print-directory -s -j2 all
	@ADIT=$(OUT)/adit ADITD=$(OUT)/aditd tests/bench/run.sh

# Programs that mark secrets as undefined for valgrind, which then reports a branch or an address
# that depends on one: tests/ct/README.md. A planted_*.c has such a leak, and it must be reported.
CT_PROGRAMS = $(patsubst tests/ct/%.c,$(OUT)/ct/%,$(wildcard tests/ct/planted_*.c tests/ct/ct_*.c))
$(OUT)/ct/%: $(OUT)/tests/ct/%.o $(OUT)/tests/ct/mark.o $(libs_transport)
	@mkdir -p $(@D)
	$(CC) $(ADIT_LDFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@
.PHONY: ct ct-deps
ct-deps:
	@tests/deps.sh $(BUILD_DEPS) valgrind
ct: ct-deps ## run what handles secrets under valgrind with the secrets marked
	@$(MAKE) --no-print-directory -s -j2 $(CT_PROGRAMS)
	@tests/ct/run.sh $(CT_PROGRAMS)

# ---- the tree

C_FILES = $(wildcard $(foreach d,$(LAYERS) $(addprefix tests/unit/,$(LAYERS)) tests/unit tests/bench tests/ct \
          tests/interop/tools fuzz,$(d)/*.c $(d)/*.h))

.PHONY: layers pure lint lint-deps format format-check format-deps
layers: ## fail where a folder includes a header of one above it
	@tests/layers.sh $(LAYERS)

pure: $(foreach l,$(CORE),$(call lib,$(l))) ## fail where the core calls for I/O, a clock or the environment
	@tests/pure.sh $^

# ctuuninitvar takes every struct that a decoder is about to fill for one that it reads.
lint: lint-deps ## clang-tidy and cppcheck
	@status=0; \
	cppcheck --quiet --std=c11 --language=c --inline-suppr --error-exitcode=1 \
	    --enable=warning,performance,portability --suppress=missingIncludeSystem \
	    --suppress=ctuuninitvar -I. $(LAYERS) || status=1; \
	clang-tidy --quiet --warnings-as-errors='*' $(filter %.c,$(foreach l,$(LAYERS),$(wildcard $(l)/*.c))) \
	    -- $(filter-out -MMD -MP,$(ADIT_CFLAGS)) || status=1; \
	exit $$status
lint-deps:
	@tests/deps.sh $(LINT_DEPS)

format: format-deps ## lay every C file out with clang-format
	@clang-format -i $(C_FILES)
format-check: format-deps ## fail where `make format` would change a file
	@clang-format --dry-run -Werror $(C_FILES)
format-deps:
	@tests/deps.sh $(FORMAT_DEPS)

.PHONY: install clean help
install: all ## install under PREFIX=/usr/local, below DESTDIR if given
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/sbin
	install -m 755 $(OUT)/adit $(DESTDIR)$(PREFIX)/bin/adit
	install -m 755 $(OUT)/aditd $(DESTDIR)$(PREFIX)/sbin/aditd
	$(foreach s,1 5 8,$(if $(wildcard doc/*.$(s)),install -d $(DESTDIR)$(PREFIX)/share/man/man$(s) && \
	    install -m 644 $(wildcard doc/*.$(s)) $(DESTDIR)$(PREFIX)/share/man/man$(s) &&)) :

clean: ## remove everything that was built
	rm -rf $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1 \2/p' Makefile | \
	    awk '{ t = $$2; $$1 = $$2 = ""; printf "  make %-14s%s\n", t, $$0 }'
	@echo '  SAN=address,undefined builds any target with sanitizers, beside the plain build'
	@echo '  STATIC=1 links adit and aditd with no shared library, likewise'

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
