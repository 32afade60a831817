#!/bin/sh
# Makes .venv with all of pilah and what it needs, as pinned; `make setup` calls it.
# What pip does is shown as it goes on, and so is how full .venv is while pip says nothing.
needed_mb=2550    # .venv when all is there; tests/deploy/test_setup.py compares it with what is said
lock=deploy/locks/dev.txt
log=$(mktemp) && trap 'rm -f "$log"' EXIT || exit 74

say() { echo "make setup: $*"; }
die() { code=$1; shift; say "error: $*" >&2; exit "$code"; }
size_mb() { du -sm .venv 2>/dev/null | cut -f 1; }
free_mb() { df -Pm "$1" | awk 'NR == 2 { print $4 }'; }

# pip ARGS...: pip's own lines, and then why it failed, in words.
pip() {
    : > "$log"
    (
        while sleep 5 > /dev/null 2>&1; do    # not to hold the output open when it is killed
            if grep -q "Installing collected packages" "$log" &&
                ! grep -q "Successfully installed" "$log"; then
                say "writing packages: $(size_mb) of about $needed_mb MB in .venv"
            fi
        done
    ) &
    watch=$!
    .venv/bin/python -m pip --log "$log" --disable-pip-version-check install "$@"
    code=$?
    kill "$watch" 2>/dev/null
    wait "$watch" 2>/dev/null
    [ "$code" = 0 ] && return
    if grep -q "No space left on device\|Disk quota exceeded" "$log"; then
        die 74 "the disk is full: .venv takes $needed_mb MB, and unpacking as much as 1000 MB in" \
            "${TMPDIR:-/tmp} meanwhile. Here are $(free_mb .) MB free, there" \
            "$(free_mb "${TMPDIR:-/tmp}"). Free some, or set TMPDIR; then: make setup"
    elif grep -qi "name resolution\|NewConnectionError\|ConnectTimeout\|ReadTimeout\|ProxyError\|SSLError\|Network is unreachable\|Connection refused" "$log"; then
        die 69 "pip could not reach its package index, see above. Is there a network? A proxy is" \
            "set by https_proxy, another index by pip config. Then: make setup"
    fi
    die 69 "pip ended with exit code $code, see above. Mend it, and then: make setup"
}

if [ ! -x .venv/bin/python ]; then
    python=$(PYTHON="${PYTHON:-}" sh deploy/find-python.sh) || exit 69
    free=$(free_mb .)
    [ "$free" -ge "$needed_mb" ] ||
        die 74 "it takes $needed_mb MB, most of it TensorFlow, and here are $free MB free"
    say "making .venv with $python; it will hold 2.5 GB, most of it TensorFlow"
    "$python" -m venv .venv || die 69 "$python cannot make a virtual environment, see above"
fi
say "pip fetches and writes about 85 packages; 3 minutes where the network is fast"
pip --require-hashes --requirement "$lock"
# All that is needed is there, setuptools too: nothing is fetched that has no hash.
pip --no-deps --no-build-isolation --editable .
say "done, $(size_mb) MB in .venv. Next:"
say "    . .venv/bin/activate"
say "    make demo               # drawn items from photograph to lane, about 4 minutes"
say "    pilah-trainer --help    # or begin with your own photographs, as the README says"
