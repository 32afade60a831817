#!/bin/sh
# Proves the installer and the service under a real systemd.
#
#     sudo tests/nspawn.sh          (or: sudo make test-systemd)
#
# Makes a Debian tree under build/systemd (0.5 GB, a minute; kept for the next time), boots a copy
# of it with systemd-nspawn, and does in there what an owner, a fault and a power cut would do:
# install, install again, a wrong station file, a killed process, a frozen process, each of its
# threads that hangs, a camera that is not there yet, a stop, a reboot, an uninstall.
#
# Needs root, mmdebstrap, systemd-container, and a network for the packages. Takes four minutes and,
# meanwhile, 1 GB.
# PILAH_SYSTEMD_ROOT names another tree: a Debian or Ubuntu with systemd and dbus.
set -eu

checkout=$(cd "$(dirname "$0")/.." && pwd)
base=${PILAH_SYSTEMD_ROOT:-$checkout/build/systemd}
config=/etc/pilah/station.yaml
home=/var/lib/pilah

say() { echo "systemd: $*" >&2; }
die() { say "$*"; exit 69; }

[ "$(id -u)" = 0 ] || die "must be root to boot another tree: sudo $0"
command -v systemd-nspawn >/dev/null || die "install systemd-container"

if [ ! -x "$base/lib/systemd/systemd" ]; then
    command -v mmdebstrap >/dev/null || die "install mmdebstrap"
    say "making a Debian tree in $base"
    mkdir -p "$base"
    # Without Python: bringing it is the installer's business.
    mmdebstrap --quiet --variant=minbase --include=systemd,systemd-sysv,dbus,ca-certificates \
        bookworm "$base" >&2
    # systemd-nspawn brings devices of its own. Here they would be a trap for whoever copies the
    # checkout: a copy of dev/zero has no end.
    find "$base/dev" -mindepth 1 -delete
fi

root=$(mktemp -d "$(dirname "$base")/booted.XXXXXX")
container='' leader=''
finish() {
    # A container that is told to end twice ends at once.
    [ -z "$container" ] || { kill "$container" && sleep 1 && kill "$container"; } 2>/dev/null || true
    [ -z "$container" ] || wait "$container" 2>/dev/null || true
    rm -rf "$root" "$root.console"
}
trap finish EXIT
trap 'exit 130' INT TERM
cp -a --reflink=auto "$base/." "$root"

# A copy, so that the installer finds the same twice while someone works on the checkout.
mkdir "$root/checkout"
(
    cd "$checkout"
    cp -R pyproject.toml README.md LICENSE edge trainer converter deploy tests "$root/checkout"
)

# The host's own way to packages: resolver, certificates, pip's settings.
for file in /etc/hosts /etc/pip.conf /etc/ssl/certs/ca-certificates.crt; do
    [ ! -e "$file" ] || cp -L "$file" "$root$file"
done
[ ! -d /etc/xdg/pip ] || { mkdir -p "$root/etc/xdg" && cp -rL /etc/xdg/pip "$root/etc/xdg/"; }

# boot: starts the tree's systemd, and waits until it is up.
boot() {
    # Without --register and a scope of its own it also boots where systemd does not run. Not with
    # the control groups of version 1 that such a host may have.
    SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn --quiet --directory="$root" --register=no \
        --keep-unit --resolv-conf=replace-host --boot </dev/null >"$root.console" 2>&1 &
    container=$!
    wait_for 90 "the tree boots" is_up
}

inside() {
    nsenter --target "$leader" --mount --uts --ipc --pid --cgroup --root \
        /usr/bin/env --chdir=/ "$@"
}
shell() { inside /bin/sh -euc "$@"; }

# wait_for SECONDS WHAT COMMAND...: until COMMAND is true.
wait_for() {
    seconds=$1 what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        seconds=$((seconds - 1))
        [ "$seconds" -gt 0 ] || fail "$what: not within the time it should take"
        sleep 1
    done
}

fail() {
    say "FAILED: $*"
    [ ! -s "$root.console" ] || tail -n 5 "$root.console" >&2
    [ -z "$leader" ] || inside journalctl --no-pager -n 40 -u pilah.service >&2 || true
    exit 1
}

# expect WHAT PATTERN TEXT
expect() {
    printf '%s\n' "$3" | grep -q -- "$2" || fail "$1: expected $2. Received: $3"
    say "ok: $1"
}

is_up() {
    leader=$(cut -d' ' -f1 "/proc/$container/task/$container/children")
    [ -n "$leader" ] && inside systemctl is-system-running | grep -qE 'running|degraded'
}

show() { inside systemctl show --value --property="$1" pilah.service; }
is_active() { [ "$(show ActiveState)" = active ]; }
# restarted COUNT: whether it was started again by itself more than so many times.
restarted() { [ "$(show NRestarts)" -gt "$1" ]; }
runs_again() { restarted "$1" && is_active; }
rows() {
    shell "/opt/pilah/bin/python -c 'import sqlite3; print(sqlite3.connect(
        \"file:$home/ledger.sqlite?mode=ro\", uri=True).execute(
        \"select count(*) from items\").fetchone()[0])'"
}
grows() { [ "$(rows)" -gt "$1" ]; }
journal() { inside journalctl --no-pager -o cat -u pilah.service; }
install() { inside /checkout/deploy/install.sh --any-arch "$@" 2>&1; }

boot
say "booted: $(inside systemctl --version | head -n 1)"

# The installer

before=$(cd "$root" && find etc usr var/lib opt | sort | sha256sum)
text=$(install --dry-run --without-picamera2) || fail "a dry run: $text"
expect "a dry run says so" "dry run: nothing was changed" "$text"
[ "$before" = "$(cd "$root" && find etc usr var/lib opt | sort | sha256sum)" ] ||
    fail "a dry run changed something"
text=$(install 2>&1) && fail "an install without picamera2's package succeeded: $text"
expect "what Debian lacks is named, with what to do" "without-picamera2" "$text"

start=$(date +%s)
text=$(install --without-picamera2) || fail "install: $text"
expect "installed, with what comes next" "there is no station file yet" "$text"
say "installing took $(($(date +%s) - start)) seconds, $(inside du -sm /opt/pilah | cut -f1) MB"
text=$(install --without-picamera2) || fail "install again: $text"
expect "a second run finds nothing to do" "nothing was to do" "$text"
! printf '%s\n' "$text" | grep -q '^+' || fail "a second run did something: $text"
text=$(inside systemd-analyze verify --man=no pilah.service 2>&1) || fail "verify: $text"
[ -z "$text" ] || fail "systemd-analyze verify: $text"
say "ok: systemd-analyze verify has nothing to say"
say "$(inside systemd-analyze security pilah.service --no-pager | tail -n 1)"

# A bundle, photographs and a station, made with what was installed

shell "cd /tmp && PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/checkout /opt/pilah/bin/python -c '
from pathlib import Path
from tests.bundles import BGR, make_bundle, write_picture
make_bundle(Path(\"/tmp/bundle\"))
for number, label in enumerate((\"blue\", \"blue\", \"red\", \"green\")):
    write_picture(Path(\"/tmp/photos\") / f\"{number}.png\", BGR[label])
' && install -d -o pilah $home/photos && cp /tmp/photos/* $home/photos/"
# The tree has the network of the host, where a broker or other pages may run.
cat >"$root/srv/station.yaml" <<YAML
station: bin-1
bundle: $home/bundle
camera: {kind: folder, path: $home/photos, frames_per_second: 2, loop: true}
trigger: {kind: continuous}
lanes:
  warm:
    labels: [red]
    actuator: {kind: servo, pin: 18, rest_angle: 0, active_angle: 60, hold_seconds: 0.3}
  cold:
    labels: [blue]
    actuator: {kind: solenoid, pin: 23, hold_seconds: 0.4}
  rest: {labels: [green]}
default_lane: rest
keep_alive: {pin: 21}
ledger: {path: $home/ledger.sqlite}
publish: {mqtt: {host: 127.0.0.1, port: 9, tls: false}}
web: {listen: '127.0.0.1:8047'}
YAML
sed 's/red/crimson/' "$root/srv/station.yaml" >"$root/srv/wrong.yaml"
# Mock pins tell the journal what a wire on them would feel; and a thread whose name is in the file
# `hang` gives no more signs of life, and does nothing any more.
shell "cd /opt/pilah/lib/python3*/site-packages && cat >traced_pins.py &&
    echo 'import traced_pins' >traced_pins.pth" <<'PYTHON'
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path

from gpiozero.pins import mock

change, hang, traced_pins = mock.MockPin._change_state, Path("/var/lib/pilah/hang"), []


def stopping(method):
    def maybe(*args):
        with suppress(OSError):
            if hang.read_text() == threading.current_thread().name:
                hang.unlink()
                threading.Event().wait()
        return method(*args)

    return maybe


def traced(pin, value):
    if not traced_pins and "edge.station" in sys.modules:
        from edge.runtime import heartbeat

        heartbeat.Heartbeat.beat = stopping(heartbeat.Heartbeat.beat)
        heartbeat.ThreadMonitor.look = stopping(heartbeat.ThreadMonitor.look)
    traced_pins.append(pin)
    if pin.info.name != "GPIO21":  # it changes all the time
        os.write(2, f"pin {pin.info.name} {float(value):.3f}\n".encode())
    return change(pin, value)


mock.MockPin._change_state = traced
PYTHON

# A wrong station file

text=$(install --without-picamera2 --bundle /tmp/bundle --station /srv/wrong.yaml) &&
    fail "a wrong station file was taken: $text"
expect "a wrong station file is told by the installer" "no label 'crimson'" "$text"
inside systemctl start pilah.service 2>/dev/null && fail "started with a wrong station file"
sleep 12
[ "$(show ExecMainStatus)/$(show NRestarts)/$(show ActiveState)" = 78/0/failed ] ||
    fail "wrong station file: exit code, restarts and state are" \
        "$(show ExecMainStatus)/$(show NRestarts)/$(show ActiveState)"
say "ok: a wrong station file ends with 78 and is not tried again"

# A right one

inside cp /srv/station.yaml $config
inside systemctl reset-failed pilah.service
text=$(install --without-picamera2 --bundle /tmp/bundle) || fail "install with a station: $text"
expect "started by the installer" "the station runs" "$text"
is_active || fail "not active"
[ "$(inside systemctl is-enabled pilah.service)" = enabled ] || fail "not enabled"
say "ok: $(show StatusText)"
case " $(show RestrictAddressFamilies) " in
    *AF_INET*) fail "the station has a network: $(show RestrictAddressFamilies)" ;;
esac
say "ok: a station without a network camera has no network"
publisher() { inside systemctl show --value --property="$1" pilah-publish.service; }
pages() { inside systemctl show --value --property="$1" pilah-web.service; }
told() { inside journalctl --no-pager -o cat -u "${1:-pilah-publish}.service"; }
is_told() { told | grep -q 'broker 127.0.0.1:9 is not reached'; }
[ "$(publisher ActiveState)" = active ] || fail "the publisher is not active: $(told)"
wait_for 30 "the publisher says that its broker is away" is_told
says_so() { publisher StatusText | grep -q 'is not reached'; }
wait_for 15 "its status line says so" says_so
say "ok: its status line says so, too"
for unit in pilah-publish pilah-web; do
    text=$(inside systemd-analyze verify --man=no $unit.service 2>&1) || fail "verify: $text"
    [ -z "$text" ] || fail "systemd-analyze verify $unit: $text"
    say "$(inside systemd-analyze security $unit.service --no-pager | tail -n 1)"
done
[ "$(pages ActiveState)" = active ] || fail "the pages are not active: $(told pilah-web)"
front() {
    inside /opt/pilah/bin/python -c 'import sys, urllib.request
print(urllib.request.urlopen("http://127.0.0.1:8047/", timeout=20).read().decode())'
}
shows_it() { front | grep -q 'action="/pause"\|formaction="/pause"'; }
wait_for 30 "a page, with a button that only the station's socket can give" shows_it
say "ok: the pages are served, and reach the station"
accounts=$home/ledger-accounts
for password in correct-horse battery-staple; do
    shell "echo $password | runuser -u pilah -- /opt/pilah/bin/pilah-edge web $config --set-password Ana" ||
        fail "no account was made"
done
in_the_pages() { shell "nsenter -m -t $(pages MainPID) -- runuser -u pilah -- sh -c '$1'" 2>/dev/null; }
in_the_pages "test -r $accounts/accounts.json && : >>$home/ledger.sqlite" ||
    fail "the pages cannot read their accounts, or not write the ledger"
in_the_pages ": >>$accounts/accounts.json" && fail "the pages can change who may come in"
in_the_pages "mv $accounts $home/aside" && fail "the pages can put another list of accounts there"
inside rm -r $accounts/accounts.json
say "ok: the pages cannot change who may come in, after a new password either"
text=$(inside runuser -u pilah -- pilah-publish $config --status)
expect "entries wait for the broker" "waiting [1-9]" "$text"
wait_for 10 "rows in the ledger" grows 0
# Those beside the station: killed, they start again; stopped, they end with 0 and soon.
for unit in pilah-publish pilah-web; do
    beside() { inside systemctl show --value --property="$1" "$unit".service; }
    is_back() { [ "$(beside NRestarts)" -gt 0 ] && [ "$(beside ActiveState)" = active ]; }
    shell "kill -KILL $(beside MainPID)" || fail "no process of $unit to kill"
    wait_for 60 "restart of $unit" is_back
    start=$(date +%s)
    inside systemctl stop $unit.service
    [ "$(beside ExecMainCode)/$(beside ExecMainStatus)/$(beside Result)" = 1/0/success ] ||
        fail "stop of $unit: $(beside ExecMainStatus)/$(beside Result): $(told $unit)"
    say "ok: $unit was killed and started again, and ended in $(($(date +%s) - start)) s"
    inside systemctl start $unit.service || fail "start of $unit: $(told $unit)"
done
text=$(install --without-picamera2) || fail "install while it runs: $text"
expect "a run of the installer leaves a running station alone" "nothing was to do" "$text"
usec=$(($(show ActiveEnterTimestampMonotonic) - $(show ExecMainStartTimestampMonotonic)))
say "start to ready: $((usec / 1000)) ms"
# A machine that hung sorts again within 15 seconds: 8 until the watchdog finds it, 2 until a new start,
# and a second for this measuring. Before that start another Python brings the pins into their safe
# state, so a machine on which a start takes more than three seconds has to wait twice: there it is
# told that the 15 seconds were not held, and what it has to hold is what two starts take.
limit=$((9 + 2 * usec / 1000000))
[ "$limit" -ge 15 ] || limit=15
late=

# sorts_again START: waits for new rows, and tells for how long after START there were none: by the
# times of the rows, since on a busy machine this script looks late.
sorts_again() {
    wait_for 60 "it sorts again" grows "$(rows)"
    took=$(shell "/opt/pilah/bin/python -c 'import sqlite3
from datetime import UTC, datetime
start = datetime.fromtimestamp($1, UTC).isoformat()[:19]
print(int(sqlite3.connect(\"file:$home/ledger.sqlite?mode=ro\", uri=True).execute(
    \"SELECT max(gap) FROM (SELECT time, 86400 * (julianday(time) \"
    \"- julianday(lag(time) OVER (ORDER BY id))) AS gap FROM items) WHERE time >= ?\", [start]
).fetchone()[0]) + 1)'")
    [ "$took" -le "$limit" ] || fail "sorts again only after $took seconds, of $limit"
    say "    and sorts again within $took seconds"
    [ "$took" -le 15 ] && return
    late="the 15 seconds after a hang were NOT held ($took; a start takes $((usec / 1000)) ms here)"
    say "    $late"
}

# A second station beside it, as deploy/two-stations.md has it

sed "s|/etc/pilah/station.yaml|/etc/pilah/%i.yaml|g" "$root/etc/systemd/system/pilah.service" \
    >"$root/etc/systemd/system/pilah@.service"
sed "s/bin-1/bin-2/; s/ledger.sqlite/second.sqlite/; s/pin: 18/pin: 5/; s/pin: 23/pin: 6/
    s/pin: 21/pin: 13/; /^publish/d; /^web/d" "$root/srv/station.yaml" >"$root/etc/pilah/second.yaml"
inside systemctl daemon-reload
text=$(inside runuser -u pilah -- pilah-edge check $config /etc/pilah/second.yaml) ||
    fail "the two station files: $text"
expect "two station files that go together" "bin-1, bin-2: nothing collides" "$text"
inside systemctl start pilah@second.service || fail "the second station: $(told pilah@second)"
# The tree has two boot ids, one for those whose /proc is protected, so none of them is called well.
for station in bin-1:$config bin-2:/etc/pilah/second.yaml; do
    text=$(inside runuser -u pilah -- pilah-edge status "${station#*:}") || true
    expect "the status of ${station%%:*}, beside the other one" "^sorting *Execute" "$text"
done
sed -i 's/bin-2/bin-1/' "$root/etc/pilah/second.yaml"
inside systemctl stop pilah@second.service
inside systemctl start pilah@second.service 2>/dev/null && fail "two stations of one name run"
expect "of two stations with one name, the second one says who the first is" \
    "the name bin-1 (station) is needed by the station bin-1 ($config" "$(told pilah@second)"
inside systemctl stop pilah@second.service
grows "$(($(rows) - 1))" || fail "the first station suffered"

# Killed, frozen, hung

count=$(show NRestarts)
shell "kill -KILL $(show MainPID)" || fail "no process to kill"
wait_for 30 "restart after SIGKILL" runs_again "$count"
say "ok: killed, and started again"
text=$(journal | sed -n '/code=killed, status=9/,/Scheduled restart/p')
expect "meanwhile, its pins were put into their safe state" "^pin GPIO23 0.000" "$text"

wait_for 20 "rows after it" grows "$(rows)"

start=$(date +%s) count=$(show NRestarts)
shell "kill -STOP $(show MainPID)" || fail "no process to freeze"
wait_for 60 "restart of a frozen process" runs_again "$count"
text=$(journal)
expect "a frozen process is found by the watchdog" "Failed with result 'watchdog'" "$text"
expect "the journal shows what each thread was doing" " in _sort$" "$text"
sorts_again "$start"

for thread in camera sorting lanes ledger MainThread; do
    start=$(date +%s) count=$(show NRestarts)
    shell "printf $thread >$home/hang && chown pilah: $home/hang"
    wait_for 60 "restart with a hung $thread" restarted "$count"
    [ $thread = MainThread ] || expect "a hung $thread ends the station, which starts again" \
        "the thread $thread has not responded" "$(journal)"
    sorts_again "$start"
done
[ "$(journal | grep -c "Failed with result 'watchdog'")" = 2 ] || fail "one watchdog too few"
say "ok: the watchdog finds a hung main thread"

# Stopped: clean, and nothing left under current

wait_for 10 "the solenoid moves" shell "journalctl -o cat -n 3 -u pilah | grep -q 'pin GPIO23 1'"
inside systemctl stop pilah.service
[ "$(show ExecMainCode)/$(show ExecMainStatus)/$(show Result)" = 1/0/success ] ||
    fail "stop: $(show ExecMainCode)/$(show ExecMainStatus)/$(show Result)"
text=$(journal | grep '^pin GPIO23' | tail -n 1)
expect "stopped with exit code 0, the solenoid without current" "pin GPIO23 0.000" "$text"
text=$(journal | grep '^pin GPIO18' | grep -v ' 0.000' | tail -n 1)
expect "the servo's last pulse, 7.5 % of 20 ms, turned it to its rest" "pin GPIO18 0.075" "$text"
count=$(rows)
sleep 7
[ "$(rows)" = "$count" ] || fail "a stopped station went on"

# A camera that comes later

inside mv $home/photos $home/elsewhere
shell "install -d -o pilah $home/photos"
inside systemctl start pilah.service 2>/dev/null && fail "started without pictures"
count=$(show NRestarts)
wait_for 60 "as soon as it works again" restarted $((count + 3))
shell "cp $home/elsewhere/*.png $home/photos/"
wait_for 30 "the camera is there now" is_active
say "ok: a camera that comes later is waited for ($(show NRestarts) tries)"

# A power cut's other half

count=$(rows)
inside systemctl reboot
wait "$container" || [ $? = 133 ] || fail "the reboot"    # 133: boot me again
boot
wait_for 60 "starts with the machine" is_active
wait_for 20 "sorts after the reboot" grows "$count"
say "ok: it starts with the machine, and the ledger goes on"

text=$(install --uninstall) || fail "uninstall: $text"
shell "! [ -e /opt/pilah ] && ! [ -e /etc/systemd/system/pilah.service ] &&
    ! [ -e /etc/systemd/system/pilah-publish.service ] &&
    ! [ -e /etc/systemd/system/pilah-web.service ] && [ -s $config ] &&
    [ -s $home/ledger.sqlite ]" || fail "uninstall left or took the wrong things"
say "ok: uninstalled; station file and ledger are still there"
say "all as it should be${late:+, but $late}"
