# adit: `make help` lists the targets. Everything is built under $(BUILD), one folder a variant.

# Debian packages, named in this one place. BUILD_DEPS compiles; TEST_DEPS are the peers and tools
# that `make demo` and `make test` run against; LINT_DEPS serve `make lint`, `make format`, `make fuzz`.
BUILD_DEPS = gcc make libsodium-dev libbearssl-dev zlib1g-dev
TEST_DEPS  = libcunit1-dev python3 openssh-server openssh-client curl
LINT_DEPS  = clang clang-format clang-tidy cppcheck libclang-rt-dev valgrind

CC      ?= gcc
BUILD   ?= build
PREFIX  ?= /usr/local
SAN     ?=
SECONDS ?= 10

comma   := ,
VARIANT := $(if $(SAN),san-$(subst $(comma),-,$(SAN)),release)
OUT     := $(BUILD)/$(VARIANT)

WARN = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef \
       -Wcast-qual -Wpointer-arith -Wwrite-strings -Wformat=2 -Wimplicit-fallthrough -Werror
OPT  = $(if $(SAN),-O1 -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer, \
       -O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2)
ADIT_CFLAGS  = -std=c11 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -g -fPIE $(OPT) $(WARN) -I. -MMD -MP
ADIT_LDFLAGS = -pie -Wl,-z,relro,-z,now $(if $(SAN),-fsanitize=$(SAN))
LIBS         = -lsodium -lbearssl -lz -pthread

# The house, lowest folder first: each may use those before it and none after it.
LAYERS = proto crypto transport channel forward cli
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

.PHONY: all
all: $(OUT)/adit $(OUT)/aditd

$(OUT)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ADIT_CFLAGS) $(CFLAGS) -c $< -o $@

define layer_rules
$(call lib,$(1)): $(call objs,$(1))
	@mkdir -p $$(@D); rm -f $$@
	$$(AR) rcs $$@ $$^

unit_$(1) = $$(patsubst tests/unit/%.c,$$(OUT)/unit/%,$$(wildcard tests/unit/$(1)/test_*.c))
$$(OUT)/unit/$(1)/%: $$(OUT)/tests/unit/$(1)/%.o $$(OUT)/tests/unit/unit.o $$(libs_$(1))
	@mkdir -p $$(@D)
	$$(CC) $$(ADIT_LDFLAGS) $$(LDFLAGS) $$^ $$(LIBS) -lcunit -o $$@
.PRECIOUS: $$(OUT)/tests/unit/$(1)/%.o
endef
$(foreach l,$(LAYERS),$(eval $(call layer_rules,$(l))))

$(OUT)/adit: $(OUT)/cli/adit.o $(libs_cli)
	$(CC) $(ADIT_LDFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

$(OUT)/aditd: $(OUT)/cli/aditd.o $(libs_cli)
	$(CC) $(ADIT_LDFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

# make unit-proto runs one folder's tests; make unit runs them all.
define unit_rule
.PHONY: unit-$(1)
unit-$(1): $$(unit_$(1))
	@set -e; for t in $$^; do $$$$t; done
endef
$(foreach l,$(LAYERS),$(eval $(call unit_rule,$(l))))

.PHONY: unit
unit: $(foreach l,$(LAYERS),unit-$(l))

.PHONY: clean
clean:
	rm -rf $(BUILD)

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
