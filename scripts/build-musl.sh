#!/bin/sh
# Builds artifacts/tcp-closer-linux-musl-ARCH, one static file for any Linux of that architecture, and its symbols (.dbg).
# Usage: scripts/build-musl.sh [--arch x64|arm64] [--no-sock-destroy]
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

arch=$(own_arch)
suffix=
variant=false
while test $# -gt 0; do
    case $1 in
        --arch) arch=${2-}; shift; test $# -gt 0 || die "--arch needs x64 or arm64" ;;
        --arch=*) arch=${1#*=} ;;
        --no-sock-destroy) suffix=-no-sock-destroy variant=true ;;
        *) die "unknown argument '$1'. Usage: scripts/build-musl.sh [--arch x64|arm64] [--no-sock-destroy]" ;;
    esac
    shift
done
case $arch in x64 | arm64) ;; *) die "--arch '$arch': expected x64 or arm64" ;; esac
set -- -p:NoSockDestroy=$variant # from here on, the arguments of dotnet publish
command -v dotnet >/dev/null || die "dotnet is missing: install the .NET SDK 10"

name=tcp-closer-linux-musl-$arch$suffix
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

case $(dotnet --info | awk '$1 == "RID:" { print $2 }') in
    linux-musl-*)
        # Alpine and similar: the SDK's own static link, with the linux-musl packages of the feed.
        test "$arch" = "$(own_arch)" || die "on a musl machine only the architecture of the machine can be built"
        for command in clang readelf; do
            command -v $command >/dev/null || die "missing: $command. As root: apk add clang build-base"
        done
        say "building with RID linux-musl-$arch and StaticExecutable (the SDK's static link)"
        set -- "$@" -r "linux-musl-$arch" -p:StaticExecutable=true
        objcopy=objcopy no_cgroup=
        ;;
    *)
        need clang:clang ld.lld:lld llvm-objcopy:llvm readelf:binutils
        set -- "$@" -r "linux-$arch" -p:StaticMusl=true
        objcopy=llvm-objcopy no_cgroup=build/no-cgroup.cpp
        if test "$arch" = "$(own_arch)"; then
            need "/usr/lib/$(uname -m)-linux-musl/rcrt1.o:musl-dev"
        else
            libgcc=$(apt_from "$arch" apt-cache search --names-only '^libgcc-[0-9]+-dev$' |
                sort -Vr | awk 'NR == 1 { print $1 }')
            unpack "$arch" "$PWD/artifacts/sysroot/$arch" musl-dev "$libgcc"
            set -- "$@" "-p:SysRoot=$PWD/artifacts/sysroot/$arch"
        fi
        say "building objects of RID linux-$arch, linked against musl (build/StaticMusl.targets)"
        ;;
esac

dotnet publish TcpCloser.csproj -c Release "$@" -o "$work/out" --disable-build-servers -v quiet

binary=$work/out/tcp-closer
test -s "$binary.dbg" || die "the build left no symbols (.dbg)"
if test -n "$no_cgroup"; then
    # If a new runtime changes the names, the link silently uses the runtime's functions. These are longer than a few bytes and
    # contain the names of the files of control groups.
    readelf -sW "$binary.dbg" >"$work/symbols"
    for function in InitializeCGroup GetRestrictedPhysicalMemoryLimit GetPhysicalMemoryUsed InitializeCpuCGroup GetCpuLimit; do
        awk -v name="^_Z[0-9]+$function" '$4 == "FUNC" && $8 ~ name { found++; long += $3 > 16 } END { exit found != 1 || long }' \
            "$work/symbols" || die "$name lacks the $function of $no_cgroup"
    done
    ! grep -aEq '/(memory|cpu)\.(max|stat|limit_in_bytes|cfs_quota_us)' "$binary" || die "$name reads control groups despite $no_cgroup"
fi
readelf -sW "$binary.dbg" | grep -q ' drop_runtime_settings$' || die "$name lacks build/no-knobs.c, so environment variables would configure its runtime"
# The debug link must contain the final name of the symbol file.
mv "$binary.dbg" "$work/$name.dbg"
(cd "$work" && $objcopy --remove-section=.gnu_debuglink out/tcp-closer && $objcopy --add-gnu-debuglink="$name.dbg" out/tcp-closer)

readelf -hldSW "$binary" >"$work/elf"
check() { # MESSAGE EXTENDED-REGEX, or MESSAGE ! EXTENDED-REGEX if it must not match
    if test "$2" = "!"; then ! grep -Eq "$3" "$work/elf"; else grep -Eq "$2" "$work/elf"; fi || die "$name $1"
}
case $arch in x64) machine=X86-64 ;; arm64) machine=AArch64 ;; esac
check "is not for $arch" "Machine: .*$machine"
check "is not position-independent" "Type: +DYN"
check "has an interpreter" ! "INTERP"
check "needs shared libraries" ! "\(NEEDED\)"
check "is not stripped" ! " \.(symtab|debug_info) "
check "has a writable and executable segment" ! "LOAD .* RWE "
check "has an executable stack" "GNU_STACK .* RW "

if test "$arch" = "$(own_arch)"; then
    mkdir "$work/empty"
    cp "$binary" "$work/empty/tcp-closer"
    if test "$(id -u)" = 0; then enter=chroot; else enter="unshare -r chroot"; fi
    version=$(DOTNET_GCHeapHardLimit=1000 $enter "$work/empty" /tcp-closer --version) || die "$name --version failed in an empty chroot"
    test -n "$version" || die "$name --version printed nothing in an empty chroot"
    say "in an empty chroot: $version"
fi

mkdir -p artifacts
mv "$work/$name.dbg" "artifacts/$name.dbg"
mv "$binary" "artifacts/$name"
say "artifacts/$name: $(wc -c <"artifacts/$name") bytes, SHA-256 $(sha256sum <"artifacts/$name" | cut -d' ' -f1)"
