# kafka-connector. `make help` lists what there is.
# SANITIZE=address,undefined | thread and CC=clang build into folders of their own.
CC       ?= cc
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
comma    := ,
FLAVOUR  := $(if $(SANITIZE),$(subst $(comma),-,$(SANITIZE)),release)$(if $(findstring clang,$(CC)),-clang)
B        := build/$(FLAVOUR)
# where the tests find the programs
export BUILD := $(B)/bin
PACKAGES := rdkafka libcurl libcjson libuv libmicrohttpd

WARN     := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla $(if $(CI),-Werror)
HARDEN   := -fPIE -fstack-protector-strong $(if $(SANITIZE),,-D_FORTIFY_SOURCE=2)
OPTIMISE := $(if $(SANITIZE),-O1 -fno-omit-frame-pointer -fsanitize=$(SANITIZE) -fno-sanitize-recover=all,-O2)
CFLAGS   += -std=gnu17 -g $(OPTIMISE) $(WARN) $(HARDEN) -Iconnector -I. -I$(B)/proto -MMD -MP
CFLAGS   += $(shell pkg-config --cflags $(PACKAGES))
LDFLAGS  += -pie -Wl,-z,relro,-z,now $(if $(SANITIZE),-fsanitize=$(SANITIZE))
LDLIBS   += $(shell pkg-config --libs $(PACKAGES)) -lm
# gRPC is the scaler's alone.
GRPCLIBS := -lgrpc -lgpr $(shell pkg-config --libs libprotobuf-c)

# The layers, lowest first: an archive each. What is linked with a layer is that layer and those
# below it, so a unit test proves that its module needs nothing above.
LAYERS   := base core kafka gateway web admin invoke watch scale commands program
archive   = $(B)/lib$(1).a
objects   = $(patsubst %.c,$(B)/%.o,$(filter-out connector/scale/main.c,$(wildcard $(1)/*.c)))
ARCHIVES := $(foreach l,program commands scale watch invoke admin web gateway kafka core base,$(call archive,$(l)))

UNIT     := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/unit/*/*_test.c))
MOCK     := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/mock/*_test.c))
KAFKA    := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/kafka/*_test.c))
FUZZ     := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/fuzz/*_fuzz.c))
BENCH    := $(addprefix $(B)/tests/bench/,measure ceiling fill sample)
# In a folder of their own: $(B)/producer and $(B)/sandbox are those of their objects.
PROGRAMS := $(addprefix $(B)/bin/,kafka-connector kafka-connector-scale producer sandbox)

PREFIX    ?= /usr/local
INSTALLED := $(addprefix build/,$(filter-out sandbox,$(notdir $(PROGRAMS))))
UNIT_FILE := lib/systemd/system/kafka-connector.service

.SECONDARY:
.DELETE_ON_ERROR:
.PHONY: FORCE all tests test test-unit test-mock test-grpc test-kafka test-faults test-docs test-page
.PHONY: test-image test-manifests bench bench-lag bench-scale bench-grpc check fuzz fuzz-run
.PHONY: install uninstall clean help

all: $(PROGRAMS) ## build the programs into build/
	@$(if $(SANITIZE),,ln -sf $(addprefix $(FLAVOUR)/bin/,$(notdir $(PROGRAMS))) build/)

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -c -o $@ $<

# made again when the version changes, and with it the one object that knows it
$(B)/version: FORCE
	@mkdir -p $(@D); echo '$(VERSION)' | cmp -s - $@ || echo '$(VERSION)' > $@
$(B)/connector/base/version.o: $(B)/version
$(B)/connector/base/version.o: CFLAGS += -DVERSION='"$(VERSION)"'

# the status page's files are in it
$(B)/connector/admin/page.o: $(wildcard connector/admin/page/*)

define layer_rule
$(call archive,$(1)): $(call objects,connector/$(1))
	@rm -f $$@
	ar rcs $$@ $$^
endef
$(foreach l,$(LAYERS),$(eval $(call layer_rule,$(l))))

# The scaler's protocol: what takes and sends its messages, and what grpcurl is told of it.
PROTOS   := $(patsubst connector/%.proto,$(B)/proto/%,$(wildcard connector/scale/*.proto))
$(B)/proto/%.pb-c.c $(B)/proto/%.pb-c.h: connector/%.proto
	@mkdir -p $(B)/proto
	protoc-c --proto_path=connector --c_out=$(B)/proto $<
$(B)/proto/%.pb-c.o: $(B)/proto/%.pb-c.c
	$(CC) $(CFLAGS) -c -o $@ $<
$(B)/proto/%.set: connector/%.proto
	@mkdir -p $(@D)
	protoc-c --proto_path=connector --descriptor_set_out=$@ $<
$(B)/proto/scale/proto_files.h: connector/scale/proto_files.sh $(addsuffix .set,$(PROTOS))
	$^ > $@
$(call objects,connector/scale): | $(addsuffix .pb-c.h,$(PROTOS)) $(B)/proto/scale/proto_files.h
$(call archive,scale): $(addsuffix .pb-c.o,$(PROTOS))

SCALER    = $(foreach l,program scale admin web kafka core base,$(call archive,$(l)))
$(B)/bin/kafka-connector-scale: $(B)/connector/scale/main.o $(SCALER)
$(B)/bin/kafka-connector-scale: LDLIBS += $(GRPCLIBS)
$(B)/bin/kafka-connector: $(B)/connector/main.o $(ARCHIVES)
$(B)/bin/producer: $(call objects,producer) $(foreach l,web kafka core base,$(call archive,$(l)))
$(B)/bin/sandbox: $(call objects,sandbox) $(foreach l,web kafka core base,$(call archive,$(l)))
$(PROGRAMS):
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# tests/unit/<layer>/<module>_test.c is linked with its layer and the ones below.
below_base    := base
below_core    := core base
below_kafka   := kafka core base
below_gateway := gateway core base
below_web     := web base
below_admin   := admin web gateway kafka core base
below_invoke  := invoke admin web gateway kafka core base
below_watch   := watch admin web gateway kafka core base
below_scale   := scale admin web gateway kafka core base
below_commands := commands kafka core base
below_program := program base
define unit_rule
$(B)/tests/unit/$(1)/%_test: $(B)/tests/unit/$(1)/%_test.o $(foreach l,$(below_$(1)),$(call archive,$(l)))
	$$(CC) $$(LDFLAGS) -o $$@ $$^ $$(LDLIBS) -lcriterion
endef
$(foreach l,$(LAYERS),$(eval $(call unit_rule,$(l))))
$(B)/tests/unit/scale/rpc_%_test: LDLIBS += $(GRPCLIBS)
# tests/unit/producer/<module>_test.c: that module alone.
$(B)/tests/unit/producer/%_test: $(B)/tests/unit/producer/%_test.o $(B)/producer/%.o $(call archive,base)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcriterion
# tests/unit/bench/<module>_test.c and tests/unit/faults/<module>_test.c likewise.
$(B)/tests/unit/bench/%_test: $(B)/tests/unit/bench/%_test.o $(B)/tests/bench/%.o $(call archive,base)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcriterion
$(B)/tests/unit/faults/%_test: $(B)/tests/unit/faults/%_test.o $(B)/tests/faults/%.o $(call archive,base)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcriterion

# The sandbox's gateway is the tests' too.
HARNESS = $(call objects,tests/harness) $(filter-out %/main.o,$(call objects,sandbox))
$(B)/tests/mock/%_test: $(B)/tests/mock/%_test.o $(HARNESS) $(ARCHIVES)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcriterion
$(B)/tests/kafka/%_test: $(B)/tests/kafka/%_test.o $(HARNESS) $(ARCHIVES)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcriterion

GRPC = $(B)/tests/grpc/server
$(GRPC): $(call objects,tests/grpc) $(foreach l,scale admin web kafka core base,$(call archive,$(l)))
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) $(GRPCLIBS)

FAULTS = $(B)/tests/faults/faults
$(FAULTS): $(call objects,tests/faults) $(HARNESS) $(ARCHIVES)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcriterion

tests: all $(UNIT) $(MOCK) $(KAFKA) $(GRPC) $(FAULTS) $(BENCH) $(B)/tests/bench/objects ## build the tests, run none

test: test-unit test-mock test-grpc ## unit and mock tests
test-unit: $(UNIT) ## pure parts, no broker, no gateway
	@tests/run.sh $^
test-mock: all $(MOCK) ## librdkafka's mock brokers and a scripted gateway
	@tests/run.sh $(MOCK)
test-grpc: $(GRPC) ## the scaler's gRPC server by clients in Python (REQUIRE_GRPC=1: no skip)
	@tests/grpc/run.sh $(GRPC)
test-kafka: all $(KAFKA) ## a real Apache Kafka (Java 17; REQUIRE_KAFKA=1: no skip)
	@tests/kafka/run.sh $(KAFKA)

test-faults: all $(FAULTS) ## faults at random on three brokers (SEED= RUNS= SECONDS_A_RUN= FAULT= SAMPLER_SECONDS=)
	@tests/faults/run.sh $(FAULTS)

test-page: all ## the status page in Chromium (REQUIRE_CHROMIUM=1: no skip)
	@tests/page/run.sh $(B)/page

test-docs: all ## the commands of README.md and docs/, with a real Apache Kafka
	@tests/docs/run.sh

$(B)/tests/fuzz/%_fuzz: $(B)/tests/fuzz/%_fuzz.o $(ARCHIVES)
	$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)
fuzz: ## each fuzz target for FUZZ_SECONDS (20) or FUZZ_RUNS, by clang
	@$(MAKE) --no-print-directory CC=clang SANITIZE=fuzzer-no-link,address,undefined fuzz-run
fuzz-run: $(FUZZ)
	@set -e; for target in $^; do echo "$$target"; $$target -artifact_prefix=$(B)/ -timeout=10 \
		$(if $(FUZZ_RUNS),-runs=$(FUZZ_RUNS),-max_total_time=$(or $(FUZZ_SECONDS),20)); done

$(B)/tests/bench/measure: $(addprefix $(B)/tests/bench/,stub.o accounts.o)
$(BENCH): %: %.o $(call archive,kafka) $(call archive,core) $(call archive,base)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(B)/tests/bench/objects: $(B)/tests/bench/objects.o $(ARCHIVES)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
bench: all $(BENCH) ## records/s, CPU, memory beside bare libcurl (tests/bench/run.sh: settings)
	@tests/bench/run.sh
bench-lag: all $(BENCH) ## what a thousand groups on 10,000 partitions cost, beside one by one
	@tests/bench/lag.sh
bench-scale: $(B)/tests/bench/objects ## what ten thousand scaled objects cost, and answers meanwhile
	@$< 60
bench-grpc: $(GRPC) ## what calls cost the scaler's gRPC server, and leave behind (tests/bench/calls.py)
	@GRPC_SERVER=$(GRPC) $(or $(PYTHON),/usr/bin/python3) tests/bench/calls.py

test-image: ## the Dockerfile, built without Docker (root; buildah, podman, debootstrap)
	@tests/image/run.sh
test-manifests: all ## setup/, the install and the Dockerfile by the tools that read them
	@tests/manifests/run.sh

check: all ## format, layers, headers, sizes, banned functions, docs in step, clang-tidy
	@tests/check/run.sh

prefix  = $(DESTDIR)$(PREFIX)
install: all ## programs, systemd unit and docs into DESTDIR and PREFIX (/usr/local)
	install -D -t $(prefix)/bin $(INSTALLED)
	install -D -m 644 -t $(prefix)/share/doc/kafka-connector README.md LICENSE
	install -D -m 644 -t $(prefix)/share/doc/kafka-connector/docs docs/*
	install -D -m 644 -t $(prefix)/share/doc/kafka-connector setup/systemd/kafka-connector.env
	@mkdir -p $(prefix)/lib/systemd/system
	sed 's|@prefix@|$(PREFIX)|' setup/systemd/kafka-connector.service > $(prefix)/$(UNIT_FILE)
uninstall: ## what install has put there
	rm -f $(addprefix $(prefix)/bin/,$(notdir $(INSTALLED))) $(prefix)/$(UNIT_FILE)
	rm -rf $(prefix)/share/doc/kafka-connector

clean: ## remove build/
	rm -rf build

help: ## this list
	@awk -F': .*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
