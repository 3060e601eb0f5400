#!/bin/sh
# The static binary on real kernels: boots each with an initramfs of busybox and the binary, runs guest.sh inside, and
# takes its results from the console. Kernels: Debian's for x64 and arm64 under QEMU, and user-mode-linux, which lacks
# SOCK_DESTROY and IPv6. Usage: tests/vm/run.sh [--no-build] [x64|arm64|uml]...
# Needs no root where the packages are installed. Ends with a line "N passed, N failed, N skipped".
# Kernels are fetched once into artifacts/vm; remove that folder to fetch newer ones.
set -eu
cd "$(dirname "$0")/../.."
. scripts/lib.sh

build=true
machines=
for argument; do
    case $argument in
        --no-build) build=false ;;
        x64 | arm64 | uml) machines="$machines $argument" ;;
        *) die "unknown argument '$argument'. Usage: tests/vm/run.sh [--no-build] [x64|arm64|uml]..." ;;
    esac
done
machines=${machines:-x64 arm64 uml}
grep -q '^ID=debian' /etc/os-release || die "the kernels come from Debian's packages: run it on Debian"

need cpio:cpio gzip:gzip timeout:coreutils
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

# The newest kernel package that Debian's metapackage names, unpacked.
kernel() { # ARCH
    meta=linux-image-$(deb_arch "$1")
    package=$(cat "$vm/kernel-$1/.unpacked" 2>/dev/null) ||
        package=$(APT_CONFIG=$(apt_conf "$1") apt-cache depends "$meta" | awk '$1 == "Depends:" { print $2; exit }')
    unpack "$1" "$vm/kernel-$1" "$package"
}

image() { # ARCH MODULES-FOLDER SUFFIX..., the suffixes of the builds to put in; a folder or none: ""
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
    for module in inet_diag tcp_diag; do
        file=$(test -z "$modules" || find "$modules" -name "$module.ko*")
        case $file in
            *.ko) cp "$file" "$root/modules/" ;;
            *.ko.xz) xz -dc "$file" >"$root/modules/$module.ko" ;;
        esac
    done
    (cd "$root" && find . | cpio --quiet -o -H newc -R 0:0 | gzip -1) >"$work/initramfs"
}

boot() { # NAME SECONDS COMMAND...
    name=$1 seconds=$2
    shift 2
    say "booting $name"
    status=0
    timeout -k 5 "$seconds" "$@" </dev/null >"$work/console" 2>&1 || status=$?
    tr -d '\r' <"$work/console" >"$work/lines"
    grep -q '^end of tests' "$work/lines" || {
        cat "$work/lines" >&2
        echo "not ok boots and runs to the end (ended with status $status, after at most $seconds s)" >>"$work/lines"
    }
    grep -E '^(ok|not ok|skip|#) ' "$work/lines" | sed -E "s/^(ok|not ok|skip) /\1 $name: /" | tee -a "$work/results"
}

for machine in $machines; do
    case $machine in
        x64)
            need qemu-system-x86_64:qemu-system-x86
            binary x64 ""
            kernel x64
            image x64 "$vm/kernel-x64/lib/modules" ""
            boot "x64 $package" 180 qemu-system-x86_64 -accel tcg -m 512 -display none -monitor none \
                -serial stdio -no-reboot -kernel "$vm"/kernel-x64/boot/vmlinuz-* -initrd "$work/initramfs" \
                -append "console=ttyS0 quiet loglevel=0 panic=-1 tests=destroy"
            ;;
        arm64)
            need qemu-system-aarch64:qemu-system-arm
            binary arm64 ""
            kernel arm64
            image arm64 "$vm/kernel-arm64/lib/modules" ""
            boot "arm64 $package" 240 qemu-system-aarch64 -M virt -accel tcg -cpu cortex-a57 -m 512 -display none -monitor none \
                -serial stdio -no-reboot -kernel "$vm"/kernel-arm64/boot/vmlinuz-* -initrd "$work/initramfs" \
                -append "console=ttyAMA0 quiet loglevel=0 panic=-1 tests=destroy"
            ;;
        uml)
            if test "$(own_arch)" != x64; then
                echo "skip uml: Debian has user-mode-linux for x64 only" | tee -a "$work/results"
                continue
            fi
            need linux.uml:user-mode-linux
            binary x64 ""
            binary x64 -no-sock-destroy
            image x64 "" "" -no-sock-destroy
            boot "user-mode-linux $(linux.uml --version)" 60 linux.uml mem=256M initrd="$work/initramfs" \
                con0=null,fd:1 con=null uml_dir="$work/" quiet loglevel=0 panic=-1 tests=no_destroy
            ;;
    esac
done

count() { grep -c "^$1 " "$work/results" || true; }
echo "$(count ok) passed, $(count 'not ok') failed, $(count skip) skipped"
test "$(count ok)" -gt 0 && test "$(count 'not ok')" = 0
