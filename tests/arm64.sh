#!/bin/sh
# Proves that an arm64 machine answers as this one does, without an arm64 machine.
#
#     sudo tests/arm64.sh [BUNDLE...]          (or: sudo make test-arm64)
#
# Makes a Debian arm64 tree under build/arm64 (0.9 GB, about 20 minutes; kept for the next time),
# installs both OpenCV lines into it and runs there, in emulation:
#   - tests/edge/core/images and model: the hashes of every awkward picture, golden checks of the
#     tests' bundle;
#   - for each BUNDLE, a folder: its golden pictures with the reference kernels, to the last bit,
#     and with XNNPACK, within the bundle's tolerance.
#
# Needs root, debootstrap, qemu-user-static with binfmt-support, and a network the first time.
# PILAH_ARM64_ROOT names another tree; it must hold a Debian with python3-venv.
set -eu

checkout=$(cd "$(dirname "$0")/.." && pwd)
root=${PILAH_ARM64_ROOT:-$checkout/build/arm64}
# The default CPU of qemu-user makes XNNPACK compute wrong scores.
export QEMU_CPU=cortex-a72

say() { echo "arm64: $*" >&2; }
die() { say "$*"; exit 69; }

if [ -z "${PILAH_ARM64_INSIDE:-}" ]; then
    [ "$(id -u)" = 0 ] || die "must be root to make and enter another tree: sudo $0"
    [ "$(uname -m)" = aarch64 ] || command -v qemu-aarch64-static >/dev/null ||
        die "install qemu-user-static and binfmt-support"
    # In a mount namespace of its own: what is mounted below vanishes with this script.
    PILAH_ARM64_INSIDE=1 exec unshare --mount --propagation private "$0" "$@"
fi

if [ ! -x "$root/usr/bin/python3" ]; then
    command -v debootstrap >/dev/null || die "install debootstrap"
    say "making a Debian arm64 tree in $root"
    mkdir -p "$root"
    debootstrap --arch=arm64 --variant=minbase \
        --include=python3,python3-venv,ca-certificates bookworm "$root" >&2
fi
chroot "$root" /bin/true ||
    die "this kernel does not run arm64 programs: update-binfmts --enable qemu-aarch64"

# The host's own way to packages: resolver, certificates, pip's settings.
for file in /etc/resolv.conf /etc/hosts /etc/pip.conf /etc/ssl/certs/ca-certificates.crt; do
    [ ! -e "$file" ] || cp -L "$file" "$root$file"
done
[ ! -d /etc/xdg/pip ] || { mkdir -p "$root/etc/xdg" && cp -rL /etc/xdg/pip "$root/etc/xdg/"; }

mkdir -p "$root/proc" "$root/sys" "$root/checkout" "$root/tmp"
mount -t proc proc "$root/proc"
mount --bind "$checkout" "$root/checkout"
mount -o remount,bind,ro "$root/checkout"
# XNNPACK asks these two what it runs on, and is silently off where they speak of another machine.
about=$(mktemp -d)
trap 'rm -rf "$about"' EXIT
for cpu in 0 1 2 3; do
    printf 'processor\t: %s\nBogoMIPS\t: 108.00\n' "$cpu"
    printf 'Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid\n'
    printf 'CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\n'
    printf 'CPU part\t: 0xd08\nCPU revision\t: 3\n\n'
done >"$about/cpuinfo"
mkdir -p "$about/sys/devices/system/cpu"
for cpu in 0 1 2 3; do mkdir -p "$about/sys/devices/system/cpu/cpu$cpu/topology"; done
for list in possible present online; do echo 0-3 >"$about/sys/devices/system/cpu/$list"; done
mount --bind "$about/cpuinfo" "$root/proc/cpuinfo"
mount --bind "$about/sys" "$root/sys"

# environment NAME: makes /opt/NAME with the packages of deploy/locks/NAME.txt, and what tests need.
environment() {
    name=$1
    set -- pytest pytest-timeout pytest-xdist hypothesis pillow
    python=/opt/$name/bin/python
    lock=deploy/locks/$name.txt
    made=$(echo "$@" | cat - "$checkout/$lock")
    [ "$(cat "$root$python.installed" 2>/dev/null)" != "$made" ] || return 0
    say "installing $lock"
    chroot "$root" /usr/bin/python3 -m venv "/opt/$name"
    chroot "$root" "$python" -m pip install --quiet -r "/checkout/$lock" >&2
    chroot "$root" "$python" -m pip install --quiet "$@" >&2
    printf '%s\n' "$made" >"$root$python.installed"
}

inside() {
    chroot "$root" /usr/bin/env PYTHONPATH=/checkout PYTHONDONTWRITEBYTECODE=1 \
        sh -c 'cd /checkout && exec "$@"' sh "$@"
}

environment edge
environment legacy

# With LiteRT, XNNPACK must be on: else the tests below prove less than they say.
xnnpack=$(inside /opt/edge/bin/python -m tests.edge.core.model.xnnpack) ||
    die "the edge packages do not work in this tree"
[ "$xnnpack" = on ] ||
    die "XNNPACK is off in this tree: $root/proc/cpuinfo and $root/sys were not believed"

for name in edge legacy; do
    python=/opt/$name/bin/python
    say "$name: the contract's tests"
    inside "$python" -m pytest -q -p no:cacheprovider \
        tests/edge/core/images tests/edge/core/model tests/test_bundles.py
    for bundle in "$@"; do
        say "$name: golden pictures of $bundle"
        mkdir -p "$root/bundle"
        mount --bind "$bundle" "$root/bundle"
        inside "$python" -m edge inspect /bundle
        inside sh -c "exec $python -m edge classify /bundle /bundle/golden/*.png"
        umount "$root/bundle"
    done
done
say "all the same as here"
