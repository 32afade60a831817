#!/bin/sh
# Measures what this machine makes of a bundle; see --help.
set -eu

usage() {
    cat <<'TEXT'
Measures how fast this machine runs a bundle: deploy/benchmark.sh BUNDLE [OPTIONS]

One `pilah-edge bench` for each number of threads from 1 to the number of cores, with the
temperature before and after, whether the machine slowed itself down meanwhile, and what it is.
Prints a table, and writes everything into one JSON file. Stop a station that runs first
(sudo systemctl stop pilah): it would be measured too.

  --json FILE      where to write (default: benchmark-HOSTNAME.json in this folder)
  --seconds N      measure for so many seconds at each number of threads (default: 20)
  --image FILE     a picture to measure with (default: a 640x480 frame of noise)
  --help           this text

PILAH_EDGE names another pilah-edge than the one that is found. Works on any Linux; what a machine
does not tell is null in the JSON file and `-` in the table.
TEXT
}

say() { echo "benchmark: $*" >&2; }
wrong() { say "error: $*"; say "--help says what it takes"; exit 2; }

bundle='' json='' seconds=20 image=''
while [ $# -gt 0 ]; do
    option=$1
    case $option in
        --json | --seconds | --image)
            [ -n "${2:-}" ] || wrong "$option: needs a value"
            shift
            ;;
    esac
    case $option in
        --json) json=$1 ;;
        --seconds)
            seconds=$1
            case $seconds in '' | *[!0-9]* | 0) wrong "--seconds: a whole number from 1: $1" ;; esac
            ;;
        --image) image=$1 ;;
        --help | -h)
            usage
            exit 0
            ;;
        -*) wrong "unknown: $option" ;;
        *)
            [ -z "$bundle" ] || wrong "one bundle at a time: $option"
            bundle=$option
            ;;
    esac
    shift
done
[ -n "$bundle" ] || wrong "name a bundle"

# find_edge: prints the pilah-edge to use.
find_edge() {
    if [ -n "${PILAH_EDGE:-}" ]; then
        echo "$PILAH_EDGE"
        return
    fi
    here=$(cd "$(dirname "$0")/.." && pwd)
    for candidate in "$(command -v pilah-edge || true)" /opt/pilah/bin/pilah-edge \
        "$here/.venv/bin/pilah-edge"; do
        [ -z "$candidate" ] || [ ! -x "$candidate" ] || { echo "$candidate"; return; }
    done
}
edge=$(find_edge)
[ -n "$edge" ] || { say "error: no pilah-edge: run deploy/install.sh, or name one: PILAH_EDGE=..."; exit 69; }

cores=$(nproc)
json=${json:-benchmark-$(uname -n).json}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# What the machine is

first_line() { head -n 1 "$1" 2>/dev/null | tr -d '\0' || true; }
unquoted() { sed -n "s/^$1=//p" /etc/os-release 2>/dev/null | tr -d '"'; }

model=$(first_line /proc/device-tree/model)
[ -n "$model" ] || model=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)
governor=$(first_line /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor)
max_khz=$(first_line /sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq)
ram_mb=$(awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo)
firmware=''
command -v vcgencmd >/dev/null && vcgencmd get_throttled >/dev/null 2>&1 && firmware=yes

# temperature: degrees Celsius, or nothing.
temperature() {
    if [ -n "$firmware" ]; then
        vcgencmd measure_temp | sed -n "s/^temp=\([0-9.]*\).*/\1/p"
        return
    fi
    for zone in /sys/class/thermal/thermal_zone*; do
        case $(first_line "$zone/type") in
            *cpu* | x86_pkg_temp | *soc* | acpitz)
                first_line "$zone/temp" | awk 'NF { printf "%.1f\n", $1 / 1000 }'
                return
                ;;
        esac
    done
}

# throttled: the firmware's bits as 0x..., or nothing.
throttled() { [ -z "$firmware" ] || vcgencmd get_throttled | sed -n 's/^throttled=//p'; }

# decoded BITS: what they mean, one a line.
decoded() {
    [ -n "$1" ] || return 0
    bits=$(($1))
    while read -r bit meaning; do
        [ $((bits >> bit & 1)) = 0 ] || echo "$meaning"
    done <<'BITS'
0 under-voltage now
1 clock capped now
2 throttled now
3 soft temperature limit now
16 under-voltage since boot
17 clock capped since boot
18 throttled since boot
19 soft temperature limit since boot
BITS
}

# text VALUE, number VALUE: as JSON, null where there is none.
text() {
    if [ -n "$1" ]; then
        printf '"%s"' "$(printf '%s' "$1" | tr -d '\000-\037' | sed 's/[\\"]/\\&/g')"
    else
        printf null
    fi
}
number() { printf '%s' "${1:-null}"; }

for missing in "vcgencmd:$firmware:throttling and under-voltage" \
    "cpufreq:$governor:governor and clock" "thermal zones:$(temperature):temperature"; do
    rest=${missing#*:}
    [ -n "${rest%%:*}" ] || say "no ${missing%%:*} here: ${rest#*:} not known"
done
case $governor in
    '' | performance) ;;
    *) say "the governor is $governor: the first runs may be slower than with performance" ;;
esac

# Measuring

temperature_before=$(temperature) throttled_before=$(throttled)
threads=1
while [ "$threads" -le "$cores" ]; do
    say "$threads of $cores threads, $seconds seconds"
    set -- "$bundle" --json --num-threads "$threads" --min-secs "$seconds"
    [ -z "$image" ] || set -- "$@" --image "$image"
    "$edge" bench "$@" >"$work/run.json" 2>"$work/talk" || { code=$?; cat "$work/talk" >&2; exit "$code"; }
    temperature >"$work/temperature"
    # One object a line, with the temperature at its end.
    sed "s/}\$/, \"temperature_celsius\": $(number "$(cat "$work/temperature")")}/" \
        "$work/run.json" >>"$work/runs"
    threads=$((threads + 1))
done
temperature_after=$(temperature) throttled_after=$(throttled)

{
    printf '{\n"time": "%s",\n"pilah": %s,\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
        "$(text "$("$edge" --version)")"
    printf '"machine": {"model": %s, "architecture": %s, "cores": %s, "ram_mb": %s,' \
        "$(text "$model")" "$(text "$(uname -m)")" "$cores" "$(number "$ram_mb")"
    printf ' "max_clock_mhz": %s, "governor": %s, "os": %s, "kernel": %s},\n' \
        "$(number "${max_khz:+$((max_khz / 1000))}")" "$(text "$governor")" \
        "$(text "$(unquoted PRETTY_NAME)")" "$(text "$(uname -r)")"
    printf '"temperature_celsius": {"before": %s, "after": %s},\n' \
        "$(number "$temperature_before")" "$(number "$temperature_after")"
    printf '"throttled": {"before": %s, "after": %s, "meaning": [' \
        "$(text "$throttled_before")" "$(text "$throttled_after")"
    decoded "$throttled_after" | sed 's/.*/"&"/' | paste -sd, - | tr -d '\n'
    printf ']},\n"runs": [\n'
    sed '$!s/$/,/' "$work/runs"
    printf ']\n}\n'
} >"$work/all.json"

# A table of it

# figure STAGE PERCENTILE: from the run in $run.
figure() {
    printf '%s\n' "$run" |
        sed -n "s/.*\"$1\": {[^}]*\"$2_ms\": \([0-9.]*\).*/\1/p" | awk '{ printf "%.2f", $1 }'
}
echo "machine    ${model:--}, $cores cores, ${ram_mb:--} MB, $(unquoted PRETTY_NAME), $(uname -m)"
echo "governor   ${governor:--}${max_khz:+, up to $((max_khz / 1000)) MHz}"
echo "bundle     $(sed -n '1s/.*"bundle": "\([^"]*\)".*/\1/p' "$work/runs")"
echo "runtime    $(sed -n '1s/.*"runtime": "\([^"]*\)".*/\1/p' "$work/runs"), XNNPACK $(
    sed -n '1s/.*"xnnpack": \([a-z]*\).*/\1/p' "$work/runs")"
echo
printf '%-8s %27s  %27s  %9s %6s %6s\n' '' 'frame to verdict, ms' 'inference alone, ms' \
    'prepare' 'MB' 'C'
printf '%-8s %9s%9s%9s  %9s%9s%9s  %9s %6s %6s\n' threads p50 p95 p99 p50 p95 p99 p50 '' after
while read -r run; do
    printf '%-8s %9s%9s%9s  %9s%9s%9s  %9s %6s %6s\n' \
        "$(printf '%s\n' "$run" | sed -n 's/.*"threads": \([0-9]*\).*/\1/p')" \
        "$(figure total p50)" "$(figure total p95)" "$(figure total p99)" \
        "$(figure invoke p50)" "$(figure invoke p95)" "$(figure invoke p99)" \
        "$(figure preprocess p50)" \
        "$(printf '%s\n' "$run" | sed -n 's/.*"rss_mb": \([0-9]*\).*/\1/p')" \
        "$(printf '%s\n' "$run" | sed -n 's/.*"temperature_celsius": \([0-9.]*\)}.*/\1/p')"
done <"$work/runs"
echo
echo "temperature ${temperature_before:--} C before, ${temperature_after:--} C after"
if [ -z "$throttled_after" ]; then
    echo "throttling  -"
elif [ -z "$(decoded "$throttled_after")" ]; then
    echo "throttling  none ($throttled_after)"
else
    echo "throttling  $throttled_after: $(decoded "$throttled_after" | paste -sd, - | sed 's/,/, /g')"
    say "these figures are those of a machine that slowed down: see to its supply and its cooling"
fi
cp "$work/all.json" "$json"
say "written: $json"
