# make setup       .venv with edge, trainer, converter and dev, as pinned in deploy/locks;
#                  2.5 GB, 3 minutes where the network is fast
# make demo        drawn items from photograph to lane, in demo/: about 4 minutes, no network needed
#                  PHOTOS=folder: your own photographs; GROUPS=blocks:20, MINUTES=10, SEED=1, ITEMS=50
# make demo-receiving  a delivery of drawn boxes with printed codes, some of them wrong, in
#                  demo-receiving/: a few minutes, no network needed
# make test        lint and the whole suite but its slow tests, one process for each core, at most 4
#                  (1 GB each);  make test ARGS="-k bundle -x";  ARGS="-n 0 --pdb": in this process
# make suite       the same without lint
# make test-slow   the slow tests: they train, convert, measure, and install into fresh environments
# make test-pages  the operator's pages in a real browser; PILAH_SCREENSHOTS=folder keeps pictures
# make test-arm64  the contract's tests in an emulated arm64 Debian (root, debootstrap, qemu)
# make test-systemd  service and installer under a real systemd (root, mmdebstrap, systemd-container)
# make bench-pins  how late a pin moves after its verdict (BUNDLE=folder)
# make bench-beside  the same work as public examples do it, beside pilah, in one run (BUNDLE=folder;
#                  PYTHON_MEDIAPIPE=python: one that has mediapipe)
# make bench-bin   from an item that lies in a bin to the flap that has moved, part by part (BUNDLE=folder)
# make bench-idle  what a station spends on an empty belt, by thread (BUNDLE=folder)
# make virtual     100,000 items through a whole station on virtual time: none late (ITEMS=100000)
# make bench-ledger  how many bytes reach the disk for a row, in ten minutes (root)
# make bench-ledger-size  a ledger of 1,000,000 rows beside one of 1,000: start, append, status, export
# make bench-slow-disk  a station on a slow disk and on a full one: no row lost (cc; root)
# make bench-simulate  a million items with recorded scores: one verdict each, nothing grows
#                  (ITEMS=1000000);  STATION=demo/station.yaml ITEMS=5000: drawn items, 2 a second
# make bench-photographs  photographs as items on a belt, beside what evaluate says of them: a few
#                  minutes (BUNDLE=folder RUN=folder: a bundle and its run, of whose test split they are)
# make bench-stops  20 planted stops of 9 kinds: each one's state, reason and duration, and the OEE
# make bench-camera  a camera that is paused, killed, black, frozen, covered, damaged: noticed when, and as what
# make bench-codes  how many of 1,000 codes in pictures are read, and none wrongly: some ten minutes
# make bench-week      a week's corrections become a better model, the whole way, on your photographs
# make bench-receipts  the wrong shoe in the right box: how many of 40 in 1,000 receipts are stopped
#                  (BUNDLE=folder, RUN=folder: a bundle of photographs of brands, and its run)
# make kill-ledger  kills a recording process 100 times: every row shown is in the ledger (KILLS=100)
# make cut-power   the same with 40 power cuts on a disk of its own (root; CUTS=40)
# make kill-installs  interrupts 72 installs and rollbacks, by kills and (as root) power cuts (KILLS=72)
# make kill-publisher  kills a recording process and its publisher 300 times, with a real mosquitto
#                  receiving: nothing lost, nothing missing (CYCLES=300); some ten minutes
# make bench-fleet  50 stations for ten minutes, one broker, one database: nothing lost or twice (ARGS=)
# make bench-pages  the operator's pages on 100,000 items: memory, first paint, silence (chromium)
# make bench-away  50,000 items while the broker is away, then all in order (ITEMS=50000)
# make bench-unheard  a minute in which nobody reads, 70 s of a disk that hangs, and SIGTERM (root)
# make bench-check  whether data check calls clean sets spoilt, and finds planted label errors (DATA=)
# make bench-novelty  known pictures called unknown: how often a report's interval holds (DATA=sets)
# make bench-same   how often compare tells a way from itself, in real trainings (DATA=sets)
# make reference   write deploy/station-file.md, deploy/recipes.md and the JSON Schema of station files anew
# make language    bring the languages of the operator's pages up to date with their texts;
#                  make language LANGUAGE=jv: begin another one
# make hashes      write the hashes of preprocessing anew, when it was changed on purpose
# make fuzz        a million changed inputs for each reader of foreign files (Linux on x86-64);
#                  make fuzz TARGETS=pictures RUNS=50000
# make damaged     how many damaged pictures are found out;  make damaged PHOTOS=folder
# make mutated     what changed bundles do to the commands, 3,000 of structure and of bytes, 1,000 of
#                  manifests and of zip files;  make mutated ARGS="--structure 100 --seed 1"
# make corrupted   200 damages of the trainer's cache: the same model, or a sentence
# make flipped     1,000 flipped bits of an installed bundle, signed and not: each refused
# make claimed     small files that claim large pictures: memory and seconds of reading them
# make dead        how soon a station names a dead picture of its camera
# make coverage    what the tests of edge run of it; what none runs has its reason in
#                  tests/coverage_gaps.py
# make lint        ruff and mypy;  make format: ruff mends what it can
# make lock        resolve deploy/locks again, a minute;  make lock ARGS=--upgrade: the newest
# make clean       remove what these make, .venv too
#
# PYTHON=python3.12 chooses the Python that .venv is made with.

SHELL := /bin/sh
PYTHON ?=
ARGS ?=
# Tests of one file stay in one process: what it trains or converts is made once.
WORKERS := -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
BIN := .venv/bin

.PHONY: setup demo demo-receiving bench-pages test suite test-slow test-pages test-arm64 test-systemd bench-pins bench-beside bench-bin bench-idle virtual bench-ledger bench-ledger-size bench-slow-disk bench-unheard bench-check bench-novelty bench-same bench-codes bench-simulate bench-stops bench-photographs bench-camera bench-receipts \
	kill-ledger cut-power kill-publisher bench-away bench-fleet kill-installs hashes reference language \
	fuzz damaged mutated \
	corrupted flipped claimed dead coverage lint format lock clean

setup: .venv/installed

# Done again only when the requirements or their pins change; with the versions already there, pip
# then asks no registry.
.venv/installed: pyproject.toml deploy/locks/dev.txt
	@PYTHON="$(PYTHON)" sh deploy/setup.sh
	@touch $@

PHOTOS ?=
SEED ?= 0
demo: setup
	@$(BIN)/python -m deploy.demo --seed $(SEED) $(if $(ITEMS),--items $(ITEMS)) \
		$(if $(PHOTOS),--photos "$(PHOTOS)" $(if $(GROUPS),--groups "$(GROUPS)") \
		$(if $(MINUTES),--minutes $(MINUTES)))

demo-receiving: setup
	@$(BIN)/python -m deploy.demo_receiving --seed $(SEED)

test: lint suite

# Each process of the tests, and each Python that a test starts, would compile all of it anew.
suite: export PYTHONDONTWRITEBYTECODE :=
suite: setup
	$(BIN)/python -m pytest -m "not slow" $(WORKERS) $(ARGS)

test-slow: setup
	$(BIN)/python -m pytest -m slow $(ARGS)

test-pages: export PILAH_SCREENSHOTS := $(PILAH_SCREENSHOTS)
test-pages: setup
	$(BIN)/python -m pytest tests/edge/web -m slow $(ARGS)

test-arm64:
	tests/arm64.sh $(ARGS)

test-systemd:
	tests/nspawn.sh $(ARGS)

bench-pins: setup
	@test -n "$(BUNDLE)" || { echo "make bench-pins BUNDLE=folder: which model is to compute?"; exit 2; }
	$(BIN)/python -m tests.benchmarks.verdict_to_pin $(BUNDLE) $(ARGS)

bench-beside: setup
	@test -n "$(BUNDLE)" || { echo "make bench-beside BUNDLE=folder: which model is to compute?"; exit 2; }
	$(BIN)/python -m tests.benchmarks.beside $(BUNDLE) \
		$(if $(PYTHON_MEDIAPIPE),--python $(PYTHON_MEDIAPIPE)) $(ARGS)

bench-bin: setup
	@test -n "$(BUNDLE)" || { echo "make bench-bin BUNDLE=folder: which model is to compute?"; exit 2; }
	$(BIN)/python -m tests.benchmarks.bin_latency $(BUNDLE) $(ARGS)

bench-idle: setup
	@test -n "$(BUNDLE)" || { echo "make bench-idle BUNDLE=folder: which model is to be loaded?"; exit 2; }
	$(BIN)/python -m tests.benchmarks.idle_belt $(BUNDLE) $(ARGS)

virtual: setup
	$(BIN)/python -m tests.benchmarks.virtual_time $(if $(ITEMS),--items $(ITEMS)) $(ARGS)

bench-ledger: setup
	$(BIN)/python -m tests.benchmarks.ledger_bytes $(ARGS)

bench-ledger-size: setup
	$(BIN)/python -m tests.benchmarks.ledger_size $(ARGS)

bench-fleet: setup
	$(BIN)/python -m tests.benchmarks.fleet $(ARGS)

bench-slow-disk: setup
	$(BIN)/python -m tests.benchmarks.slow_disk $(ARGS)

bench-simulate: setup
	$(BIN)/python -m tests.benchmarks.simulated_items $(if $(ITEMS),--count $(ITEMS)) \
		$(if $(STATION),--station $(STATION)) $(ARGS)

bench-stops: setup
	$(BIN)/python -m tests.benchmarks.planted_stops $(ARGS)

bench-photographs: setup
	@test -n "$(BUNDLE)" && test -n "$(RUN)" || { echo "make bench-photographs BUNDLE=folder RUN=folder: which model, and which photographs?"; exit 2; }
	$(BIN)/python -m tests.benchmarks.photographs $(BUNDLE) --run $(RUN) $(ARGS)

bench-camera: setup
	$(BIN)/python -m tests.benchmarks.camera_faults $(ARGS)

bench-codes: setup
	$(BIN)/python -m tests.benchmarks.codes $(ARGS)

bench-week: setup
	@test -n "$(PHOTOS)" || { echo "make bench-week PHOTOS=folder WORK=new-folder: which photographs?"; exit 2; }
	$(BIN)/python -m tests.benchmarks.weekly_loop $(PHOTOS) $(or $(WORK),bench-week) $(ARGS)

bench-receipts: setup
	@test -n "$(BUNDLE)$(RUN)" || { echo "make bench-receipts BUNDLE=folder RUN=folder: which model is to judge?"; exit 2; }
	$(BIN)/python -m tests.benchmarks.receipts $(BUNDLE) --run $(RUN) $(ARGS)

bench-pages: setup
	$(BIN)/python -m tests.benchmarks.pages $(ARGS)

kill-ledger: setup
	$(BIN)/python -m tests.edge.ledger.killing $(or $(KILLS),100)

cut-power: setup
	$(BIN)/python -m tests.edge.ledger.killing --power $(or $(CUTS),40)

kill-publisher: setup
	$(BIN)/python -m tests.benchmarks.publishing killed --cycles $(or $(CYCLES),300) $(ARGS)

bench-away: setup
	$(BIN)/python -m tests.benchmarks.publishing away --items $(or $(ITEMS),50000) $(ARGS)

kill-installs: setup
	$(BIN)/python -m tests.edge.rollout.interrupting rounds $(or $(KILLS),72)
	[ "$$(id -u)" != 0 ] || $(BIN)/python -m tests.edge.rollout.interrupting rounds --power $(or $(KILLS),72)

bench-unheard: setup
	$(BIN)/python -m tests.benchmarks.unheard $(ARGS)

bench-check: setup
	$(BIN)/python -m tests.benchmarks.clean_sets $(or $(DATA),../shared/data) $(ARGS)

bench-novelty: setup
	$(BIN)/python -m tests.benchmarks.novelty_share $(or $(DATA),$(addprefix ../shared/data/,trashnet shoes clothes fruit bottles_cans.csv)) \
		$(or $(ARGS),--groups trashnet=blocks:20 --groups bottles_cans=blocks:20)

bench-same: setup
	$(BIN)/python -m tests.benchmarks.same_ways $(or $(DATA),$(addprefix ../shared/data/,shoes clothes bottles_cans.csv)) \
		$(or $(ARGS),--groups bottles_cans=blocks:20)

reference: setup
	$(BIN)/python -m deploy.reference

language: setup
	$(BIN)/python -m tests.edge.web.language.words $(LANGUAGE)

hashes: setup
	$(BIN)/python -m tests.edge.core.images.awkward

RUNS ?= 1000000
TARGETS ?=
fuzz: setup
	@for name in $(or $(TARGETS),$$($(BIN)/python -m tests.fuzz.target)); do \
		echo "fuzzing $$name"; $(BIN)/python -m tests.fuzz $$name --runs $(RUNS) || exit 1; done

damaged: setup
	$(BIN)/python -m tests.benchmarks.damaged_pictures $(if $(PHOTOS),"$(PHOTOS)") $(ARGS)

mutated: setup
	$(BIN)/python -m tests.benchmarks.mutated_bundles \
		$(or $(ARGS),--fork --structure 3000 --bytes 3000 --manifest 1000 --zip 1000)

corrupted: setup
	$(BIN)/python -m tests.benchmarks.corrupted_cache $(ARGS)

flipped: setup
	$(BIN)/python -m tests.benchmarks.flipped_bits $(ARGS)

claimed: setup
	$(BIN)/python -m tests.benchmarks.claimed_sizes

dead: setup
	$(BIN)/python -m tests.benchmarks.dead_pictures

# Some 20 minutes on one core. A process that a test kills leaves a measurement that is not whole.
coverage: export PYTHONDONTWRITEBYTECODE :=
# Processes that work in other folders write theirs into the same one.
coverage: export COVERAGE_FILE := $(CURDIR)/.coverage/data
coverage: setup
	rm -rf .coverage && mkdir .coverage
	$(BIN)/python -m coverage run -m pytest tests/edge -m "not slow" $(WORKERS) $(ARGS)
	$(BIN)/python -W ignore -m coverage combine --quiet
	$(BIN)/python -m coverage report --skip-covered
	$(BIN)/python -m tests.coverage_gaps

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: setup
	$(BIN)/python deploy/lock.py $(ARGS)

clean:
	rm -rf .venv .venv-* .coverage build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
	find edge trainer converter tests deploy -name __pycache__ -type d -exec rm -rf {} +
