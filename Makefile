# Ramal on a fresh Debian or Ubuntu: `make run` shows a call, `make test` checks everything.
# Both install what is missing; on other systems they say what is needed, and go on.

CARGO ?= cargo

# A C compiler and CMake build Opus and the cryptography, ALSA is where sound comes from.
PACKAGES := gcc libc6-dev cmake pkg-config libasound2-dev
# What windows ask for while they run, whether the desktop speaks X11 or Wayland.
PACKAGES += libx11-6 libx11-xcb1 libxcursor1 libxi6 libxkbcommon0 libxkbcommon-x11-0 \
    libwayland-client0

# The tests start a PulseAudio of their own. It is not installed where PipeWire does its work: it
# would take its place on a person's desktop. The tests that need it then say that they are skipped.
SOUND_SERVER := $(if $(wildcard /usr/bin/pipewire-pulse),,pulseaudio pulseaudio-utils)
# Windows are tried on a screen that nobody sees, of a desktop that is none.
test: PACKAGES += $(SOUND_SERVER) xvfb dbus

# Where rustup puts cargo, also for a shell that was open before.
export PATH := $(PATH):$(HOME)/.cargo/bin

.DEFAULT_GOAL := help
.PHONY: help setup packages rust run test build install endurance fuzz seeds audit fmt clippy doc clean
.NOTPARALLEL:

help: ## Lists what can be made
	@echo "make TARGET, where TARGET is one of:"
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  \1\t\2/p' Makefile | expand -t 12

setup: packages rust ## Installs the Debian packages that are missing, and looks for Rust

packages:
	@if ! command -v dpkg >/dev/null || ! command -v apt-get >/dev/null; then \
	    echo "This is no Debian or Ubuntu. Needed: a C compiler, cmake, pkg-config, and ALSA's"; \
	    echo "headers (alsa-lib-devel, alsa-lib), for windows libX11, libXcursor, libXi and"; \
	    echo "libxkbcommon with its X11 part, and for all tests pulseaudio, its plugin for ALSA, pactl,"; \
	    echo "pacat, Xvfb and dbus-daemon; going on as if they were there."; \
	    exit 0; \
	fi; \
	missing=""; \
	for package in $(PACKAGES); do \
	    dpkg -s $$package 2>/dev/null | grep -q '^Status: .* installed$$' || \
	        missing="$$missing $$package"; \
	done; \
	[ -n "$$missing" ] || exit 0; \
	by_hand="apt-get update && apt-get install -y$$missing"; \
	if [ "$$(id -u)" = 0 ]; then as_root=""; \
	elif command -v sudo >/dev/null; then as_root="sudo"; \
	else \
	    echo "Missing:$$missing. There is no sudo here; as root, run: $$by_hand"; \
	    exit 1; \
	fi; \
	echo "Installing what is missing:$$missing"; \
	$$as_root apt-get update -q || echo "Going on with the lists of packages that are here."; \
	$$as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 \
	    install -q -y --no-install-recommends $$missing || { \
	    echo "That failed. As root, run: $$by_hand"; \
	    exit 1; \
	}

rust:
	@wanted=$$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml); \
	found=$$(rustc --version 2>/dev/null | cut -d ' ' -f 2 | cut -d - -f 1); \
	if [ -z "$$found" ] || ! $(CARGO) --version >/dev/null 2>&1; then \
	    echo "Rust $$wanted or later is needed, and cargo with it: none is here for $$(id -un)."; \
	elif ! printf '%s\n%s\n' "$$wanted" "$$found" | sort -V -C; then \
	    echo "Rust $$wanted or later is needed: this is $$found."; \
	else \
	    exit 0; \
	fi; \
	echo "Get it from https://rustup.rs (with rustup already there: rustup update stable)."; \
	exit 1

run: setup ## Builds Ramal and shows it: a registry, a phone that echoes, and one that calls it
	$(CARGO) build --locked --release -p registry -p softphone --bins --example demo
	@"$${CARGO_TARGET_DIR:-target}/release/examples/demo"

test: setup ## Checks everything: format, lints, documentation, tests
	@$(CARGO) fmt --version >/dev/null && $(CARGO) clippy --version >/dev/null || { \
	    echo "Needed: rustup component add rustfmt clippy"; \
	    exit 1; \
	}
	$(CARGO) fmt --all --check
	$(MAKE) --no-print-directory clippy doc
	$(CARGO) test --locked --workspace

PREFIX ?= /usr/local
PROGRAMS := ramal-registry ramal-registry-gui ramal-lookup ramal-phone ramal-softphone
ICON_SIZES := 32 48 64 128 256 512

install: ## Installs the programs, built before with make build, to PREFIX=/usr/local
	@for program in $(PROGRAMS); do \
	    [ -x target/release/$$program ] || { echo "Not built yet: make build"; exit 1; }; \
	done
	install -Dt $(DESTDIR)$(PREFIX)/bin $(addprefix target/release/,$(PROGRAMS))
	install -Dm 644 -t $(DESTDIR)$(PREFIX)/share/applications softphone/assets/*.desktop \
	    registry/assets/*.desktop
	@for name in softphone/assets/ramal-softphone registry/assets/ramal-registry-gui; do \
	    icons=$(DESTDIR)$(PREFIX)/share/icons/hicolor; program=$${name##*/}; \
	    install -Dm 644 $$name.svg $$icons/scalable/apps/$$program.svg; \
	    for size in $(ICON_SIZES); do \
	        install -Dm 644 $$name-$$size.png $$icons/$${size}x$$size/apps/$$program.png; \
	    done; \
	done

build: setup ## Builds the programs into target/release
	$(CARGO) build --locked --release -p registry -p softphone --bins

CALLS ?= 1000

endurance: setup ## Makes CALLS=1000 calls in a row, and counts what is left of them
	$(CARGO) build --locked --release -p softphone --example endurance
	@"$${CARGO_TARGET_DIR:-target}/release/examples/endurance" --calls $(CALLS)

# Seconds for each of the fuzz targets.
SECS ?= 300
TARGETS ?= frame message envelope name session phone

fuzz: setup ## Fuzzes everything that reads what strangers send: SECS=300 TARGETS="frame ..."
	@rustup toolchain list | grep -q '^nightly' || \
	    rustup toolchain install nightly --profile minimal
	@$(CARGO) fuzz --version >/dev/null 2>&1 || $(CARGO) install --locked cargo-fuzz
	@cd codec/fuzz && for target in $(TARGETS); do \
	    mkdir -p corpus/$$target target; log=target/$$target.log; \
	    echo "$$target: building, then $(SECS) s; it says what it does in codec/fuzz/$$log"; \
	    $(CARGO) +nightly fuzz run --features $$target $$target \
	        corpus/$$target seeds/$$target -- -max_total_time=$(SECS) -print_final_stats=1 \
	        -timeout=10 -rss_limit_mb=1024 -malloc_limit_mb=16 >$$log 2>&1 || { \
	        tail -n 60 $$log; exit 1; \
	    }; \
	    grep -E '(INITED|DONE) |executed_units|peak_rss' $$log; \
	done

seeds: ## Writes the seeds of fuzzing anew, after golden.txt or a check has changed
	RAMAL_SEEDS=write $(CARGO) test --locked -q -p codec -p registry -p softphone \
	    --test corpus derived

# Advisories need their database, which is fetched by hand: deny.toml says from where and to where.
audit: setup ## Checks licences, sources and known vulnerabilities of everything that is built in
	@$(CARGO) deny --version >/dev/null 2>&1 || $(CARGO) install --locked cargo-deny
	@$(CARGO) fetch --locked
	$(CARGO) deny --offline --all-features check --hide-inclusion-graph licenses bans sources
	@if ls "$${CARGO_HOME:-$$HOME/.cargo}"/advisory-dbs/*/crates >/dev/null 2>&1; then \
	    $(CARGO) deny --offline --all-features check advisories; \
	else \
	    echo "Advisories: not checked, there is no database of them here; see deny.toml."; \
	fi

fmt: ## Formats the code
	$(CARGO) fmt --all

clippy: ## Lints the code, and the registry as the phone has it, without server and programs
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(CARGO) clippy --locked -p registry --no-default-features -- -D warnings

doc: ## Builds the documentation into target/doc
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps

clean: ## Removes everything that was built
	$(CARGO) clean
