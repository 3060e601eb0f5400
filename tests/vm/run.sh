#!/bin/sh
# Tests the static binary on real kernels: boots each with an initramfs of busybox and the binary, runs guest.sh inside, and
# reads the results from the console. A machine is an architecture and a suite of Debian, whose kernel runs under QEMU, or
# uml: user-mode-linux, which lacks SOCK_DESTROY and IPv6. An architecture alone stands for its machines in the list below.
# Usage: tests/vm/run.sh [--no-build] [MACHINE]...
# Needs no root if the packages are installed. Ends with a line "N passed, N failed, N skipped".
# Kernels are fetched once into artifacts/vm; remove that directory to fetch newer ones.
set -eu
cd "$(dirname "$0")/../.."
. scripts/lib.sh

x64="x64-bullseye x64-bookworm x64-trixie x64-sid" # Linux 5.10, 6.1, 6.12, and the newest
arm64="arm64-bookworm arm64-trixie"

build=true
machines=
for argument; do
    case $argument in
        --no-build) build=false ;;
        x64) machines="$machines $x64" ;;
        arm64) machines="$machines $arm64" ;;
        x64-?* | arm64-?* | uml) machines="$machines $argument" ;;
        *) die "unknown argument '$argument'. Usage: tests/vm/run.sh [--no-build] [x64|arm64|ARCH-SUITE|uml]..." ;;
    esac
done
machines=${machines:-$x64 $arm64 uml}
grep -q '^ID=debian' /etc/os-release || die "the kernels are packages of Debian: run this on Debian"

need apparmor_parser:apparmor cpio:cpio gzip:gzip xz:xz-utils timeout:coreutils
vm=$PWD/artifacts/vm
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
: >"$work/results"

built=" "
binary() { # ARCH SUFFIX
    case $built in *" $1$2 "*) return ;; esac
    built="$built$1$2 "
    if $build; then
        if test -n "$2"; then scripts/build-musl.sh --arch "$1" --no-sock-destroy; else scripts/build-musl.sh --arch "$1"; fi
    fi
    test -x "artifacts/tcp-closer-linux-musl-$1$2" || die "no artifacts/tcp-closer-linux-musl-$1$2: run scripts/build-musl.sh"
}

# Fetches the kernel that the metapackage of a suite depends on, by fresh package lists. Creates in artifacts/vm/MACHINE the
# file vmlinuz, the directory modules with the modules for the tests, and last the file release.
fetch_kernel() ( # MACHINE
    machine=$1
    test ! -e "$vm/$machine/release" || exit 0
    rm -rf "${vm:?}/$machine" "artifacts/apt/$machine"
    depends() { apt_from "$machine" apt-cache depends "$1" | awk -v name="$2" '$1 == "Depends:" && $2 ~ name { print $2 }'; }
    image=$(depends "linux-image-$(deb_arch "$machine")" '^linux-image-')
    test -n "$image" || die "$machine: no linux-image-$(deb_arch "$machine") there"
    # Since 7.2, the image package only depends on the packages with the kernel and its modules.
    # shellcheck disable=SC2046 # a list of words
    unpack "$machine" "$work/kernel" "$image" $(depends "$image" '^linux-(binary|modules)-') || exit
    mkdir -p "$vm/$machine/modules"
    # In /boot or, since 7.2, in the directory of the modules.
    find "$work/kernel" -type f -name 'vmlinuz*' -exec cp {} "$vm/$machine/vmlinuz" \;
    test -s "$vm/$machine/vmlinuz" || die "$machine: no vmlinuz in $image"
    for module in inet_diag tcp_diag; do
        file=$(find "$work/kernel" -name "$module.ko*")
        case $file in
            *.ko) cp "$file" "$vm/$machine/modules/" ;;
            *.ko.xz) xz -dc "$file" >"$vm/$machine/modules/$module.ko" ;;
            *) die "$machine: no module $module in $image" ;;
        esac || exit
    done
    rm -rf "$work/kernel"
    echo "${image#linux-image-}" >"$vm/$machine/release"
)

image() { # ARCH MODULES-DIRECTORY SUFFIX...: the suffixes of the builds to add; "" for no modules
    arch=$1 modules=$2
    shift 2
    root=$work/root
    rm -rf "$root"
    mkdir -p "$root/bin" "$root/modules"
    unpack "$arch" "$vm/busybox-$arch" busybox-static
    cp "$vm/busybox-$arch/bin/busybox" "$root/bin/"
    cp tests/vm/guest.sh "$root/init"
    cp tests/static/scenario.sh "$root/"
    for suffix; do cp "artifacts/tcp-closer-linux-musl-$arch$suffix" "$root/bin/tcp-closer$suffix"; done
    test -z "$modules" || cp "$modules"/*.ko "$root/modules/"
    apparmor_parser -K -Q -M /etc/apparmor.d/abi/kernel-5.4-vanilla -o "$root/docker-default" tests/vm/docker-default
    (cd "$root" && find . | cpio --quiet -o -H newc -R 0:0 | gzip -1) >"$work/initramfs"
}

boot() { # NAME COMMAND...
    name=$1 seconds=300 # an idle machine needs 20
    shift
    say "booting $name"
    status=0
    started=$(date +%s)
    timeout -k 5 "$seconds" "$@" </dev/null >"$work/console" 2>&1 || status=$?
    tr -d '\r' <"$work/console" >"$work/lines"
    grep -q '^end of tests' "$work/lines" || {
        cat "$work/lines" >&2
        echo "not ok boots and runs to the end (exit status $status, after at most $seconds s)" >>"$work/lines"
    }
    grep -E '^(ok|not ok|skip|#) ' "$work/lines" | sed -E "s/^(ok|not ok|skip) /\1 $name: /" | tee -a "$work/results"
    say "$name took $(($(date +%s) - started)) s"
}

debian() { # MACHINE
    machine=$1 arch=${1%%-*}
    case $arch in
        x64) need qemu-system-x86_64:qemu-system-x86 ;;
        arm64) need qemu-system-aarch64:qemu-system-arm ;;
    esac
    binary "$arch" ""
    fetch_kernel "$machine" 2>&1 | tee "$work/fetching" >&2
    if ! test -e "$vm/$machine/release"; then
        why=$(grep '^E: ' "$work/fetching" || cat "$work/fetching")
        echo "skip $machine: the kernel cannot be fetched: $(echo "$why" | tail -n 1)" | tee -a "$work/results"
        return
    fi
    image "$arch" "$vm/$machine/modules" ""
    # Emulation takes a few seconds more, but inside a virtual machine KVM may hang before the kernel prints anything.
    case $arch in
        x64)
            set -- qemu-system-x86_64 -M pc,accel=tcg -cpu qemu64
            console=ttyS0
            ;;
        arm64)
            set -- qemu-system-aarch64 -M virt,gic-version=max,accel=tcg -cpu cortex-a57
            console=ttyAMA0
            ;;
    esac
    boot "$machine $(cat "$vm/$machine/release")" "$@" -m 512 -display none -monitor none -serial stdio -no-reboot \
        -kernel "$vm/$machine/vmlinuz" -initrd "$work/initramfs" \
        -append "console=$console quiet loglevel=0 panic=-1 tests=destroy"
}

user_mode_linux() {
    if test "$(own_arch)" != x64; then
        echo "skip uml: Debian has user-mode-linux for x64 only" | tee -a "$work/results"
        return
    fi
    # The newest: those up to 6.12 end at once on a processor with a large state of its registers (AMX). It is linked to the C library of
    # its suite, and starts itself again by its path, so it gets a root of its own.
    root=$vm/uml
    if ! test -e "$root/usr/bin/linux.uml"; then
        rm -rf "$root"
        unpack x64-sid "$root.new" user-mode-linux libc6
        mkdir -p "$root.new/proc" "$root.new/dev" "$root.new/tmp"
        ln -sfn usr/lib "$root.new/lib"
        ln -sfn usr/lib64 "$root.new/lib64"
        mv "$root.new" "$root"
    fi
    binary x64 ""
    binary x64 -no-sock-destroy
    image x64 "" "" -no-sock-destroy
    cp "$work/initramfs" "$vm/uml/initramfs"
    user=
    test "$(id -u)" = 0 || user=-r
    # shellcheck disable=SC2016,SC2086 # for the inner shell; an option or none
    boot "user-mode-linux" unshare $user -m sh -ec '
        mount --rbind /proc "$1/proc"
        mount --rbind /dev "$1/dev"
        root=$1
        shift
        exec chroot "$root" /usr/bin/linux.uml "$@"' sh "$vm/uml" mem=256M initrd=/initramfs \
        con0=null,fd:1 con=null uml_dir=/tmp/ quiet loglevel=0 panic=-1 tests=no_destroy
}

for machine in $machines; do
    case $machine in
        uml) user_mode_linux ;;
        *) debian "$machine" ;;
    esac
done

count() { grep -c "^$1 " "$work/results" || true; }
echo "$(count ok) passed, $(count 'not ok') failed, $(count skip) skipped"
test "$(count ok)" -gt 0 && test "$(count 'not ok')" = 0
