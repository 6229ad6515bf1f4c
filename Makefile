# cutover: build, test, demo, install.   make help  lists the targets.
#
#   make            ./cutover
#   make demo       installs what is missing, starts the lab, opens the cockpit on it
#   make test       installs what is missing, runs every test; last line: N passed, N failed
#
# Variables: CC, SAN=1 (ASan and UBSan), WERROR=1, B (build directory), BIN (the program),
#            PREFIX, DESTDIR, LAB_BLUE_PG and LAB_GREEN_PG (bin directories of two PostgreSQL versions).

CC       ?= cc
SAN      ?=
WERROR   ?=
flavour  := $(notdir $(firstword $(CC)))$(if $(SAN),-san)
B        ?= build/$(flavour)
BIN      ?= ./cutover
PREFIX   ?= /usr/local
DESTDIR  ?=

PACKAGES := ncursesw libpq libcares libcurl libconfig libuv jansson libcrypto

CSTD     := -std=c17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
WARN     := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla $(if $(WERROR),-Werror)
OPT      ?= $(if $(SAN),-O1 -fno-omit-frame-pointer -fsanitize=address$(comma)undefined -fno-sanitize-recover=undefined,-O2)
comma    := ,
CFLAGS   ?= -g
ALL_CFLAGS  = $(CSTD) $(WARN) $(OPT) -DCUTOVER_DATADIR='"$(PREFIX)/share/cutover"' -I. $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null) $(CFLAGS)
ALL_LDFLAGS = $(if $(SAN),-fsanitize=address$(comma)undefined) $(LDFLAGS)
LIBS        = $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lm

CORE_C   := $(sort $(wildcard core/*.c core/*/*.c))
TUI_C    := $(sort $(wildcard tui/*.c))
MAIN_C   := tui/main.c
LIB_O    := $(patsubst %.c,$(B)/%.o,$(CORE_C) $(filter-out $(MAIN_C),$(TUI_C)))
UNIT     := $(patsubst tests/unit/%.c,$(B)/unit/%,$(sort $(wildcard tests/unit/test_*.c)))
LAB      := $(patsubst tests/lab/%.c,$(B)/lab/%,$(sort $(wildcard tests/lab/*.c)))
E2E      := $(patsubst tests/e2e/%.c,$(B)/e2e/%,$(sort $(wildcard tests/e2e/*.c)))
WORLD    := $(patsubst tests/world/%.c,$(B)/world/%,$(sort $(wildcard tests/world/*.c)))
BENCH    := $(patsubst tests/bench/%.c,$(B)/bench/%,$(sort $(wildcard tests/bench/*.c)))

all: $(BIN)

$(B)/cutover: $(B)/tui/main.o $(B)/libcutover.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

ifneq ($(abspath $(BIN)),$(abspath $(B)/cutover))
$(BIN): $(B)/cutover always
	@cmp -s $< $@ || { cp $< $@.new && mv $@.new $@; }
endif

$(B)/libcutover.a: $(LIB_O)
	@rm -f $@
	ar rcs $@ $^

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/unit/%: tests/unit/%.c $(B)/libcutover.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP $(ALL_LDFLAGS) -o $@ $< $(B)/libcutover.a -lcmocka $(LIBS)

$(B)/lab/%: tests/lab/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP $(ALL_LDFLAGS) -o $@ $< -lmicrohttpd $(LIBS)

$(B)/e2e/%: tests/e2e/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP $(ALL_LDFLAGS) -o $@ $< -lvterm -lutil $(LIBS)

$(B)/bench/%: tests/bench/%.c $(B)/libcutover.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP $(ALL_LDFLAGS) -o $@ $< $(B)/libcutover.a $(LIBS)

$(B)/world/%: tests/world/%.c $(B)/libcutover.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP $(ALL_LDFLAGS) -o $@ $< $(B)/libcutover.a -lcmocka $(LIBS)

-include $(shell find $(B) -name '*.d' 2>/dev/null)

unit: $(UNIT)
lab: $(LAB)
e2e: $(E2E)
bench: $(BENCH)
world: $(WORLD)


# ---- the two commands of a stranger: each installs what is missing first ----

demo:
	@tests/deps lab
	@$(MAKE) --no-print-directory -j2 all lab
	@B=$(B) tests/demo

test:
	@tests/deps test
	@$(MAKE) --no-print-directory -j2 all unit lab e2e world bench
	@B=$(B) tests/run $(SUITES)

# Every suite prints TAP; the quick ones first.
SUITES ?= tests/layers $(UNIT) $(wildcard tests/lab/selftest) $(wildcard tests/world/*.test) $(wildcard tests/e2e/*.test)

# Figures, with a yardstick beside them in the same run.
bench-verify: $(WORLD)
	@B=$(B) tests/bench/verify.sh

bench-dns: $(BENCH)
	@$(B)/bench/dns_load $(or $(FOR),60)

bench-switch: $(WORLD) $(BENCH)
	@B=$(B) tests/bench/switch.sh

# libFuzzer, which comes with clang, over what a resolver may send; FOR is in seconds.
FUZZ = -fsanitize=address$(comma)undefined -fno-sanitize-recover=undefined
$(B)/fuzz/%: tests/fuzz/%.c $(B)/libcutover.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer -MMD -MP -o $@ $< $(B)/libcutover.a $(LIBS)
fuzz-dns:
	@$(MAKE) --no-print-directory -s CC=clang B=build/fuzz OPT="-O1 -fno-omit-frame-pointer $(FUZZ) -fsanitize=fuzzer-no-link" build/fuzz/fuzz/dns
	@tests/fuzz/run build/fuzz/fuzz/dns $(or $(FOR),600)

# A hundred deaths at random moments of the switch; about four minutes. SEED repeats a run.
soak-kills: $(WORLD)
	@B=$(B) KILLS=$${KILLS:-100} tests/world/kills.test

layers:
	@tests/layers

lint:
	clang-tidy --quiet $(CORE_C) $(TUI_C) -- $(CSTD) -I. $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
# NULL ends our lists of arguments (it is a pointer in every libc here); a loop macro of jansson is not known to cppcheck; a struct err
# is filled by who is given it, which it takes for a reading.
	cppcheck --quiet --std=c17 --suppress=varFuncNullUB --suppress=unknownMacro --suppress=ctuuninitvar --enable=warning,portability --inline-suppr --error-exitcode=1 --suppress=missingIncludeSystem -I. core tui

install: $(B)/cutover
	install -D -m 755 $(B)/cutover $(DESTDIR)$(PREFIX)/bin/cutover
	install -d $(DESTDIR)$(PREFIX)/share/cutover/themes
	install -m 644 themes/*.cfg $(DESTDIR)$(PREFIX)/share/cutover/themes/
	install -D -m 644 doc/cutover.1 $(DESTDIR)$(PREFIX)/share/man/man1/cutover.1
	install -D -m 644 doc/cutover-plan.5 $(DESTDIR)$(PREFIX)/share/man/man5/cutover-plan.5
	install -D -m 644 doc/completion.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/cutover
	install -D -m 644 doc/completion.zsh $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_cutover
	install -D -m 644 doc/completion.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/cutover.fish

# What the README and the man pages say about keys, kinds and metrics is what the program says; so are the pictures.
docs: $(B)/cutover
	@doc/renew $(B)/cutover

screenshots: $(B)/cutover
	@screenshots/draw $(B)/cutover

help:
	@sed -n '3,/^$$/s/^# \{0,1\}//p' Makefile

clean:
	rm -rf build $(BIN)

.PHONY: bench-dns fuzz-dns bench-verify bench-switch soak-kills all unit lab e2e bench world demo test layers lint install docs screenshots help clean always
.SECONDARY:
