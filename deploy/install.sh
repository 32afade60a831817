#!/bin/sh
# Installs pilah as a service on a 64-bit Raspberry Pi OS (bookworm or trixie); see --help.
set -eu

usage() {
    cat <<'TEXT'
Installs pilah as a service: sudo deploy/install.sh [OPTIONS]

From the copy of pilah that this script lies in, on 64-bit Raspberry Pi OS (bookworm or trixie).
Done again, it changes only what is not as it should be: that is also how to update.

  --station FILE        station file to begin with, copied to /etc/pilah/station.yaml
  --example NAME        or an example: two-flap-bin, carousel-bin, three-lane-belt, receiving-table
  --bundle FOLDER       model bundle to begin with, given to the station by `pilah-edge install`,
                        which also gives it newer ones; needs a station file
                        (a station file and a bundle that are there already are never replaced)
  --dry-run             print every command, run none; the bundle is tried with the station file
  --uninstall           stop the service and remove the program; station file, bundle, ledger and
                        photographs stay
  --without-picamera2   for a station without the Pi's own camera: no python3-picamera2
  --any-arch            go on where this is no 64-bit Arm machine
  --help                this text

It makes:  the user pilah (groups gpio, i2c, video and render, where there are such)
           /opt/pilah                  the program, with the system's Python packages in view
           /usr/local/bin/pilah-edge   its command
           /etc/pilah/station.yaml     what the station is: yours to write
           /etc/pilah/station.schema.json  by which editors complete and check it
           /var/lib/pilah              the user's home: bundle, ledger, photographs
           pilah.service               starts with the machine, once there is a station file; it
                                       has no network but for a network camera (kind: stream)
           pilah-publish.service, /usr/local/bin/pilah-publish
                                       where the station file has a section `publish`: tells other
                                       systems, and has the network
           pilah-web.service           where the station file has a section `web`: the operator's
                                       pages; it has the network, and no device
           /etc/udev/rules.d/70-pilah-scanner.rules  where the station file has a hand scanner: by
                                       it the service may read that one, and no other keyboard
Where the station file has a section `codes`, the packages that read barcodes are installed, too.

Exit codes: 0 done, 1 installed but the service does not run (with --dry-run: would not), 2 wrong
usage, 69 something needed is missing.
TEXT
}

program=/opt/pilah
command=/usr/local/bin/pilah-edge
unit=/etc/systemd/system/pilah.service
network=/etc/systemd/system/pilah.service.d/camera-network.conf
publish_command=/usr/local/bin/pilah-publish
publish_unit=/etc/systemd/system/pilah-publish.service
web_unit=/etc/systemd/system/pilah-web.service
config=/etc/pilah/station.yaml
home=/var/lib/pilah
rule=/etc/udev/rules.d/70-pilah-scanner.rules
python=/usr/bin/python3    # the system's own: picamera2 and lgpio are built for no other
needed_mb=700

say() { echo "install: $*" >&2; }
die() { say "error: $*"; exit 69; }
wrong() { say "error: $*"; say "--help says what it takes"; exit 2; }

# run COMMAND...: runs what changes something, or only prints it.
run() {
    changes=$((changes + 1))
    line=+
    for word in "$@"; do
        case $word in
            '' | *[!A-Za-z0-9_./:=,@%+-]*) word="'$word'" ;;
        esac
        line="$line $word"
    done
    echo "$line" >&2
    [ -n "$dry" ] || "$@"
}

# place FROM TO MODE GROUP: a copy of FROM, which belongs to root, unless TO is the same already.
place() {
    if ! cmp -s "$1" "$2"; then
        run install -D -o root -g "$4" -m "$3" "$1" "$2"
    fi
}

# finish CODE: ends, and says so where there was nothing to do.
finish() {
    if [ -n "$dry" ]; then
        say "dry run: nothing was changed"
    elif [ "$changes" = 0 ]; then
        say "nothing was to do: everything is as it should be"
    fi
    exit "$1"
}

# fits STATION BUNDLE: for a dry run, whether the station file has no mistakes with that bundle.
fits() {
    ask=''
    for ask in "$command" "$checkout/.venv/bin/pilah-edge" "$(command -v pilah-edge)"; do
        [ ! -x "$ask" ] || break
        ask=''
    done
    if [ -z "$ask" ]; then
        # Nobody here can read it yet: each label must at least be in it somewhere.
        unknown=$(
            while read -r label || [ -n "$label" ]; do
                [ "$label" = empty ] || grep -qwF -e "$label" "$1" || printf ' %s' "'$label'"
            done <"$2/labels.txt"
        )
        [ -n "$unknown" ] || return 0
        say "$1 has no lane for$unknown of $2"
        return 1
    fi
    # In a folder that stands in for the two that an install makes.
    try=$(mktemp -d)
    cp -R /etc/pilah/. "$try" 2>/dev/null || true
    sed "s|$home|$try|g" "$1" >"$try/station.yaml"
    fitting=yes
    "$ask" check "$try/station.yaml" --bundle "$2" >"$try/said" 2>&1 || fitting=''
    sed "s|$try/station.yaml|$1|g; s|$try|$home|g" "$try/said" >&2
    rm -r "$try"
    [ -n "$fitting" ]
}

# is_installed PACKAGE: whether dpkg has it.
is_installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# is_offered PACKAGE: whether this system's package sources have it.
is_offered() { apt-cache show --no-all-versions "$1" >/dev/null 2>&1; }

# is_pi: whether this is a Raspberry Pi.
is_pi() { tr -d '\0' 2>/dev/null </proc/device-tree/model | grep -q '^Raspberry Pi'; }

# systemd_runs: false in a chroot, as when an image is made.
systemd_runs() { [ -d /run/systemd/system ]; }

changes=0
dry='' uninstall='' station='' bundle='' picamera2=yes any_arch=''
checkout=$(cd "$(dirname "$0")/.." && pwd)

while [ $# -gt 0 ]; do
    option=$1
    case $option in
        --station | --example | --bundle)
            [ -n "${2:-}" ] || wrong "$option: needs a value"
            shift
            ;;
    esac
    case $option in
        --station)
            [ -z "$station" ] || wrong "give one station file: --station or --example"
            station=$1
            [ -f "$station" ] || wrong "--station: no such file: $station"
            ;;
        --example)
            [ -z "$station" ] || wrong "give one station file: --station or --example"
            station=$checkout/deploy/examples/$1.yaml
            [ -f "$station" ] || wrong "--example: no such example: $1"
            ;;
        --bundle)
            bundle=$1
            [ -f "$bundle/bundle.json" ] || wrong "--bundle: not a bundle's folder: $bundle"
            ;;
        --dry-run) dry=yes ;;
        --uninstall) uninstall=yes ;;
        --without-picamera2) picamera2='' ;;
        --any-arch) any_arch=yes ;;
        --help | -h)
            usage
            exit 0
            ;;
        *) wrong "unknown: $option" ;;
    esac
    shift
done

not_started='not started' installed='installed'
[ -z "$dry" ] || not_started='would not be started' installed='would be installed'

# What must be so

[ "$(id -u)" = 0 ] || [ -n "$dry" ] || die "must be root: sudo $0 (or see first: $0 --dry-run)"

# without NAME UNIT: no service of that name, where one is installed.
without() {
    [ -e "$2" ] || return 0
    if systemd_runs; then
        run systemctl disable --now "$1.service"
    else
        run systemctl disable "$1.service"
    fi
    run rm "$2"
    ! systemd_runs || run systemctl daemon-reload
}

# enabled_or_gone ASKED NAME UNIT: enabled where the station file asks for it, else removed.
enabled_or_gone() {
    if [ -z "$1" ]; then
        without "$2" "$3"
    elif [ "$(systemctl is-enabled "$2.service" 2>/dev/null)" != enabled ]; then
        run systemctl enable --quiet "$2.service"
    fi
}

# started NAME AGAIN WHAT: runs a service beside the station, anew where AGAIN is not empty.
started() {
    failed=''
    if ! systemctl is-active --quiet "$1.service"; then
        run systemctl start "$1.service" || failed=yes
    elif [ -n "$2" ]; then
        run systemctl restart "$1.service" || failed=yes
    fi
    [ -n "$failed" ] || return 0
    say "the station runs, and $3 did not start. What it said:"
    journalctl --no-pager -o cat -n 15 -u "$1.service" >&2 || true
    finish 1
}

if [ -n "$uninstall" ]; then
    without pilah-publish "$publish_unit"
    without pilah-web "$web_unit"
    [ ! -e "$network" ] || run rm "$network"
    [ ! -L "$publish_command" ] || run rm "$publish_command"
    if [ -e "$unit" ]; then
        if systemd_runs; then
            run systemctl disable --now pilah.service
        else
            run systemctl disable pilah.service
        fi
        run rm "$unit"
        ! systemd_runs || run systemctl daemon-reload
    fi
    [ ! -L "$command" ] || run rm "$command"
    [ ! -e "$rule" ] || run rm "$rule"
    [ ! -d "$program" ] || run rm -r "$program"
    say "kept, where they are there: /etc/pilah, $home, the user pilah. To remove these too:"
    say "    rm -r /etc/pilah $home; userdel pilah"
    finish 0
fi

machine=$(uname -m)
[ "$machine" = aarch64 ] || [ -n "$any_arch" ] ||
    die "this is a $machine system. pilah needs the 64-bit Raspberry Pi OS: write that to the" \
        "card (or, to try things out on another machine: --any-arch)"
command -v apt-get >/dev/null ||
    die "this system has no apt-get: it is neither Raspberry Pi OS nor Debian"
if [ -x "$python" ]; then
    "$python" -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11))' ||
        die "$("$python" --version) is too old: 3.11 or later comes with bookworm and trixie"
fi
free_mb=$(df -Pm /opt | awk 'NR == 2 { print $4 }')
[ -d "$program" ] || [ "$free_mb" -ge "$needed_mb" ] ||
    die "/opt has $free_mb MB left, and $needed_mb are needed: make room or take a larger card"

# The system's packages

packages='python3 python3-venv ca-certificates'
[ -z "$picamera2" ] || packages="$packages python3-picamera2"
! is_pi || packages="$packages python3-lgpio"

missing=''
for package in $packages; do
    is_installed "$package" || missing="$missing $package"
done
if [ -n "$missing" ]; then
    say "packages needed:$missing"
    run apt-get -q update
    for package in $missing; do
        is_offered "$package" && continue
        [ -z "$dry" ] || { say "$package: not known before \`apt-get update\`"; continue; }
        case $package in
            python3-picamera2)
                die "$package is in none of this system's package sources: Raspberry Pi OS has it," \
                    "Debian does not. A station with a USB or network camera does without:" \
                    "--without-picamera2"
                ;;
            *) die "$package is in none of this system's package sources" ;;
        esac
    done
    # Without what is only recommended: picamera2's would bring a desktop's windows.
    # shellcheck disable=SC2086 # one word for each package
    run env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install $missing
fi

# The user

if ! id pilah >/dev/null 2>&1; then
    run useradd --system --user-group --home-dir "$home" --no-create-home \
        --shell /usr/sbin/nologin pilah
fi
for group in gpio i2c video render; do
    getent group "$group" >/dev/null || continue
    id -nG pilah 2>/dev/null | tr ' ' '\n' | grep -qx "$group" || run usermod -a -G "$group" pilah
done
[ -d "$home" ] || run install -d -o pilah -g pilah -m 0750 "$home"
[ -d /etc/pilah ] || run install -d -o root -g pilah -m 0750 /etc/pilah
# By it an editor completes and checks the station file that lies beside it.
place "$checkout/deploy/examples/station.schema.json" "${config%/*}/station.schema.json" 0644 root

# The program

before_program=$changes
extra=edge
[ "$machine" != aarch64 ] || [ -z "$picamera2" ] || extra=pi
# The station file that there will be: one that is there is never replaced.
kept=$config
[ -e "$kept" ] || kept=$station
codes=''
[ -z "$kept" ] || ! grep -q '^codes:' "$kept" || codes=codes
publish='' web='' stream=''
[ -z "$kept" ] || ! grep -q '^publish:' "$kept" || publish=publish
[ -z "$kept" ] || ! grep -q '^web:' "$kept" || web=web
[ -z "$kept" ] || ! grep -Eq "kind: *[\"']?stream" "$kept" || stream=yes
sources="pyproject.toml README.md LICENSE edge trainer converter deploy/locks/$extra.txt"
[ -z "$codes" ] || sources="$sources deploy/locks/$codes.txt"
[ -z "$publish" ] || sources="$sources deploy/locks/$publish.txt"
[ -z "$web" ] || sources="$sources deploy/locks/$web.txt"
wanted="$extra $codes $publish $web $("$python" --version 2>/dev/null || echo none) $(
    cd "$checkout"
    # shellcheck disable=SC2086 # one word for each
    find $sources -type f ! -name '*.pyc' -exec sha256sum {} + | LC_ALL=C sort | sha256sum
)"
if [ "$(cat "$program/installed" 2>/dev/null)" != "$wanted" ]; then
    say "installing pilah[$extra] into $program: about 350 MB, some minutes on a Pi"
    # Gone first: what is interrupted is done again the next time.
    [ ! -e "$program/installed" ] || run rm "$program/installed"
    if [ "$("$program/bin/python" --version 2>/dev/null)" != "$("$python" --version 2>&1)" ]; then
        # Not there yet, or the system's Python has become another one.
        run "$python" -m venv --clear --system-site-packages "$program"
    fi
    # Built in a copy: setuptools would leave its traces in the checkout, as root.
    copy=/tmp/pilah-build
    if [ -z "$dry" ]; then
        copy=$(mktemp -d)
        trap 'rm -rf "$copy"' EXIT
        echo "$wanted" >"$copy/installed"
    fi
    (
        cd "$checkout"
        run cp -R pyproject.toml README.md LICENSE edge trainer converter "$copy"
    )
    run "$program/bin/python" -m pip install --quiet --require-hashes \
        --requirement "$checkout/deploy/locks/$extra.txt"
    # Of the same versions, and two packages more.
    [ -z "$codes" ] || run "$program/bin/python" -m pip install --quiet --require-hashes \
        --requirement "$checkout/deploy/locks/$codes.txt"
    [ -z "$publish" ] || run "$program/bin/python" -m pip install --quiet --require-hashes \
        --requirement "$checkout/deploy/locks/$publish.txt"
    [ -z "$web" ] || run "$program/bin/python" -m pip install --quiet --require-hashes \
        --requirement "$checkout/deploy/locks/$web.txt"
    # All that is needed is there, setuptools too: nothing is fetched that has no hash.
    run "$program/bin/python" -m pip install --quiet --no-deps --no-build-isolation "$copy"
    run install -m 0644 "$copy/installed" "$program/installed"
fi
[ "$(readlink "$command" 2>/dev/null)" = "$program/bin/pilah-edge" ] ||
    run ln -sfn "$program/bin/pilah-edge" "$command"
[ -z "$publish" ] || [ "$(readlink "$publish_command" 2>/dev/null)" = "$program/bin/pilah-publish" ] ||
    run ln -sfn "$program/bin/pilah-publish" "$publish_command"

# The station

if [ -n "$station" ]; then
    if [ ! -e "$config" ]; then
        place "$station" "$config" 0640 pilah
    elif ! cmp -s "$station" "$config"; then
        say "$config is there already: kept as it is"
    fi
fi
if [ -e "$config" ] && [ -x "$command" ]; then
    # The service may read the station's hand scanner, and no other keyboard. 1: it has none.
    told=0
    made=$("$command" scanner rule "$config" 2>/dev/null) || told=$?
    if [ "$told" = 0 ] && [ "$made" != "$(cat "$rule" 2>/dev/null)" ]; then
        copied=$(mktemp)
        echo "$made" >"$copied"
        place "$copied" "$rule" 0644 root
        rm "$copied"
        if command -v udevadm >/dev/null && systemd_runs; then
            run udevadm control --reload
            run udevadm trigger --subsystem-match=input --action=change
        fi
    elif [ "$told" = 1 ] && [ -e "$rule" ]; then
        run rm "$rule"
    fi
fi
misfit='' active=$home/bundle
# Where the station file says that its bundle is.
named=$(sed -n 's/^bundle: *\([^ #]*\).*/\1/p' "$config" 2>/dev/null) || named=''
case $named in
    /*) active=$named ;;
    ?*) active=$(dirname "$config")/$named ;;
esac
if [ -n "$bundle" ] && [ ! -e "$config" ] && { [ -z "$dry" ] || [ -z "$station" ]; }; then
    say "the bundle was not installed, for there is no station file yet"
elif [ -n "$bundle" ] && [ -e "$active" ]; then
    diff -rq "$bundle" "$active" >/dev/null || {
        say "$active is another bundle: kept. To give the station a newer version:"
        say "    sudo pilah-edge install $bundle $config"
    }
elif [ -n "$bundle" ]; then
    # As root, so that the service can read its bundle and not change it.
    umask 022
    run "$command" install "$bundle" "$config" || misfit=yes
fi
if [ -n "$dry" ] && [ -n "$bundle$(ls "$active" 2>/dev/null)" ]; then
    # What would be there by now: what is there already is never replaced.
    [ ! -e "$config" ] || station=$config
    [ ! -e "$active" ] || bundle=$active
    [ -z "$station" ] || fits "$station" "$bundle" || misfit=yes
fi

# The service

restart=''
[ "$changes" = "$before_program" ] || restart=yes
before=$changes
place "$checkout/deploy/pilah.service" "$unit" 0644 root
if [ -n "$stream" ]; then
    place "$checkout/deploy/camera-network.conf" "$network" 0644 root
elif [ -e "$network" ]; then
    run rm "$network"
fi
# A unit that may do more or less than before is started again.
[ "$changes" = "$before" ] || restart=yes
republish=$restart before_publish=$changes
[ -z "$publish" ] || place "$checkout/deploy/pilah-publish.service" "$publish_unit" 0644 root
[ "$changes" = "$before_publish" ] || republish=yes
reweb=$restart before_web=$changes
[ -z "$web" ] || place "$checkout/deploy/pilah-web.service" "$web_unit" 0644 root
[ "$changes" = "$before_web" ] || reweb=yes
if [ "$changes" != "$before" ] && systemd_runs; then
    run systemctl daemon-reload
fi

if [ ! -e "$config" ] && { [ -z "$dry" ] || [ -z "$station" ]; }; then
    say "not started, for there is no station file yet. Next:"
    say "  1. a station file in $config, made from one of $checkout/deploy/examples"
    say "  2. a model bundle in the place that it names: $0 --bundle FOLDER"
    say "     (both at once: $0 --bundle FOLDER --example two-flap-bin)"
    say "  3. the wiring: $checkout/deploy/wiring.md"
    say "  4. $0 once more"
    finish 0
fi
if [ -n "$misfit" ]; then
    say "$not_started, for the bundle and the station file do not fit, as told" \
        "above. When they do:"
    say "    $0 --bundle $bundle"
    finish 1
fi
cd /
if [ -z "$dry" ] && ! runuser -u pilah -- "$command" check "$config" >&2; then
    say "not started, for there are mistakes, named above. When they are mended:"
    say "    sudo -u pilah pilah-edge check $config"
    say "    sudo systemctl enable --now pilah"
    finish 1
fi
[ "$(systemctl is-enabled pilah.service 2>/dev/null)" = enabled ] ||
    run systemctl enable --quiet pilah.service
enabled_or_gone "$publish" pilah-publish "$publish_unit"
enabled_or_gone "$web" pilah-web "$web_unit"
if ! systemd_runs; then
    say "$installed; it starts with the machine"
    finish 0
fi
failed=''
if ! systemctl is-active --quiet pilah.service; then
    say "starting the station"
    run systemctl start pilah.service || failed=yes
elif [ -n "$restart" ]; then
    run systemctl restart pilah.service || failed=yes
fi
if [ -n "$failed" ]; then
    say "the service did not start. What it said:"
    journalctl --no-pager -o cat -n 15 -u pilah.service >&2 || true
    say "it is tried again every few seconds, unless the station file or the bundle is wrong"
    finish 1
fi
[ -z "$publish" ] || started pilah-publish "$republish" 'its publisher'
[ -z "$web" ] || started pilah-web "$reweb" 'the pages of its operator'
[ -n "$dry" ] || say "the station runs: systemctl status pilah; journalctl -fu pilah"
finish 0
