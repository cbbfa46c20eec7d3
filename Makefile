# The one door to building, running, testing and measuring. `make help` lists the targets.
#
# Only Rust is needed for `make run` and `make build`; with npm there too, the chat page is built and embedded.
# `make test` installs what else it needs: npm packages, and through apt, as root, Chromium, strace and Go.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

CARGO ?= cargo
NPM ?= npm
TARGET := $(or $(CARGO_TARGET_DIR),target)
HAS_NPM := $(shell command -v $(NPM) 2>/dev/null)

# Finished npm work is known by files that go away with it, so that removing a folder is enough to have it made again.
WEB_MODULES := web/node_modules/.installed
WEB_PAGE := web/dist/index.html
JS_MODULES := tests/js/node_modules/.installed
CLIENT_MODULES := tests/clients/node_modules/.installed
CLIENT_TOOLS := $(TARGET)/clients/.installed
ECHO := $(abspath $(TARGET))/debug/examples/echo
MONGO_SERVER := $(TARGET)/mongo-server
WEB_SOURCES := $(shell find web -type f -not -path 'web/node_modules/*' -not -path 'web/dist/*' -not -path 'web/chat-client/dist/*' 2>/dev/null)

## run: build the server and its page, run it on the embedded store, print its URL (Ctrl-C ends it)
.PHONY: run
run: build
	exec $(TARGET)/release/chat-server serve

## build: the release binary, with the page embedded where npm is there
.PHONY: build
build: page
	$(CARGO) build --release --locked -p chat-server

## web: install the page's packages and build it to web/dist
.PHONY: web
web: $(WEB_PAGE)

# Where npm is missing: a word, not an error. The server builds without a page.
.PHONY: page
ifdef HAS_NPM
page: $(WEB_PAGE)
else
page:
	@echo 'make: npm is not installed, so the chat page is left out; the server says at / how to get it.' >&2
endif

$(WEB_MODULES): web/package-lock.json web/package.json
	cd web && $(NPM) ci
	@touch $@

$(WEB_PAGE): $(WEB_MODULES) $(WEB_SOURCES)
	cd web && $(NPM) run build
	@touch $@

$(JS_MODULES): tests/js/package-lock.json tests/js/package.json
	cd tests/js && $(NPM) ci
	@touch $@

## test: everything: unit and integration tests, the page's tests, the real binary over sockets and in a browser
.PHONY: test
test: test-rust test-web test-js

## test-rust: the unit and integration tests of all crates
.PHONY: test-rust
test-rust: mongo-server
	MONGO_SERVER_BIN="$(abspath $(MONGO_SERVER))" $(CARGO) test --locked --workspace --no-fail-fast

## test-web: the page's own tests
.PHONY: test-web
test-web: need-npm $(WEB_MODULES)
	cd web && $(NPM) test

## test-js: the real binary on both stores, by the official client, raw sockets and a browser (STORE=mongo ONLY='order crash' picks)
.PHONY: test-js
test-js: need-npm tools mongo-server $(if $(ONLY),,test-protocol) $(JS_MODULES) $(WEB_PAGE)
	$(CARGO) build --locked -p chat-server
	@failed=; for store in $(or $(STORE),embedded mongo); do \
		echo "The store is $$store."; \
		(cd tests/js && STORE=$$store CHAT_SERVER_BIN="$(abspath $(TARGET))/debug/chat-server" \
			MONGO_SERVER_BIN="$(abspath $(MONGO_SERVER))" \
			node --test --test-concurrency=$(or $(JOBS),3) --test-reporter=spec \
			$(if $(ONLY),$(addsuffix .test.mjs,$(ONLY)),*.test.mjs)) || failed+=" $$store"; \
	done; [[ -z $$failed ]] || { echo "make: end-to-end tests failed on:$$failed" >&2; exit 1; }

## test-protocol: the echo server by the cases of the protocols' own test suites, and beside Node's server (part of test-js)
.PHONY: test-protocol
test-protocol: need-npm $(JS_MODULES) echo
	cd tests/js && ECHO_BIN="$(ECHO)" node --test --test-concurrency=1 --test-reporter=spec protocol/*.test.mjs

## differential: thousands of random sessions against the echo server and Node's socket.io (ARGS='<seed> <count>')
.PHONY: differential
differential: need-npm $(JS_MODULES) echo
	cd tests/js && ECHO_BIN="$(ECHO)" node protocol/differential.mjs $(ARGS)

.PHONY: echo
echo:
	$(CARGO) build --locked -p chat-socketio-actix --example echo

## hostile: a release server under attack, ten minutes: memory, and what honest clients notice (CONNECTIONS=100 of each kind tries it)
.PHONY: hostile
hostile: need-npm $(JS_MODULES)
	$(CARGO) build --release --locked -p chat-server
	cd tests/js && CHAT_SERVER_BIN="$(abspath $(TARGET))/release/chat-server" node hostile.mjs \
		$(or $(CONNECTIONS),1000) $(or $(ATTACK_SECONDS),30) $(or $(ABORTED),100000) $(or $(ABANDONED),10000)

## fuzz: ten minutes over all fuzz targets (SECONDS_IN_ALL=60, TARGETS='packet session' pick; needs a C++ compiler)
.PHONY: fuzz
fuzz:
	@tests/fuzz "$(abspath $(TARGET))" $(or $(SECONDS_IN_ALL),600) $(TARGETS)

## soak: schedules of devices, ten times ROUNDS on the fakes, then against the real binary, which is killed meanwhile (ROUNDS=2000, SEED=1 is the first one's; STORE=mongo: on MongoDB)
.PHONY: soak
soak: $(if $(filter mongo,$(STORE)),mongo-server)
	VERIFY_ROUNDS=$$(( 10 * $(or $(ROUNDS),2000) )) VERIFY_SEED=$(or $(SEED),1) $(CARGO) test --locked -p chat-verify --test fakes -- nothing_is_lost
	MONGO_SERVER_BIN="$(abspath $(MONGO_SERVER))" VERIFY_ROUNDS=$(or $(ROUNDS),2000) VERIFY_SEED=$(or $(SEED),1) $(CARGO) test --locked -p chat-server --test verify -- \
		$(if $(filter mongo,$(STORE)),on_mongodb,nothing_is_lost)

## coverage: line coverage of the parsers by the tests of their crates; fails below 95 % (target/coverage/lines.txt has each line)
.PHONY: coverage
coverage:
	@tests/coverage/run "$(abspath $(TARGET))"

## clients: official clients of many versions and languages against both servers (CLIENTS=JavaScript picks; docs/clients.md)
.PHONY: clients
clients: need-npm $(JS_MODULES) $(CLIENT_MODULES) $(if $(filter JavaScript,$(CLIENTS)),,$(CLIENT_TOOLS)) echo
	$(CARGO) build --locked -p chat-server
	cd tests/clients && CHAT_SERVER_BIN="$(abspath $(TARGET))/debug/chat-server" ECHO_SERVER_BIN="$(ECHO)" \
		CLIENT_TOOLS="$(abspath $(TARGET))/clients" node --test --test-reporter=spec matrix.test.mjs

$(CLIENT_MODULES): tests/clients/package-lock.json tests/clients/package.json
	cd tests/clients && $(NPM) ci
	@touch $@

$(CLIENT_TOOLS): $(addprefix tests/clients/,install requirements.txt java/pom.xml) $(wildcard tests/clients/java/src/*.java)
	@tests/clients/install "$(abspath $(TARGET))/clients"

## mongo-server: the MongoDB-wire server of the tests, where there is neither TEST_MONGODB_URI nor a mongod in PATH
.PHONY: mongo-server
ifneq ($(or $(TEST_MONGODB_URI),$(shell command -v mongod 2>/dev/null)),)
mongo-server:
else
mongo-server: $(MONGO_SERVER)
endif

$(MONGO_SERVER): $(addprefix tests/mongo-server/,main.go go.mod go.sum build)
	@tests/mongo-server/build "$(abspath $@)"

.PHONY: need-npm
need-npm:
	@command -v $(NPM) >/dev/null || { echo 'make: this needs Node 20 or newer with npm.' >&2; exit 1; }

# What the tests use besides Rust and Node. Without strace one test is skipped and says so; a browser must be there.
.PHONY: tools
tools:
	@tests/install-tools

## bench: the load tool against release servers, five minutes; the table goes to docs/benchmarks.md (ARGS=--quick tries it)
.PHONY: bench
bench:
	$(CARGO) build --release --locked -p chat-server -p chat-loadgen
	$(TARGET)/release/loadgen suite --binary $(TARGET)/release/chat-server \
		$(or $(ARGS),--docs docs/benchmarks.md)

## bench-mongo: what MongoDB as the store costs the server, and what batches gain, against the tests' MongoDB server
.PHONY: bench-mongo
bench-mongo: $(MONGO_SERVER)
	$(CARGO) build --release --locked -p chat-server -p chat-loadgen
	$(CARGO) build --release --locked -p chat-mongo-adapter --example batching
	@tests/mongo-server/bench "$(abspath $(TARGET))"

## lint: formatting, clippy and docs, warnings are errors
.PHONY: lint
lint:
	$(CARGO) fmt --all -- --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --workspace --no-deps

## fmt: format the code
.PHONY: fmt
fmt:
	$(CARGO) fmt --all

## docs: the API docs of all crates
.PHONY: docs
docs:
	$(CARGO) doc --locked --workspace --no-deps
	@echo "file://$(abspath $(TARGET))/doc/chat_domain/index.html"

## clean: remove all that was built, installed or left behind by tests; data/ stays
.PHONY: clean
clean:
	$(CARGO) clean
	rm -rf web/node_modules web/dist web/chat-client/dist tests/js/node_modules tests/clients/node_modules artifacts
	rm -rf {crates/socketio/fuzz,fuzz}/{corpus,artifacts,target}

## help: this list
.PHONY: help
help:
	@sed -n 's/^## \([a-z-]*\): \(.*\)/  make \1\t\2/p' Makefile | expand -t 20
