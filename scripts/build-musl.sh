#!/bin/sh
# Builds artifacts/tcp-closer-linux-musl-ARCH, one static file for every Linux of that architecture, and its symbols
# beside it (.dbg). Usage: scripts/build-musl.sh [--arch x64|arm64] [--no-sock-destroy]
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
case $arch in x64 | arm64) ;; *) die "--arch '$arch': x64 or arm64" ;; esac
set -- -p:NoSockDestroy=$variant # from here on what dotnet publish is given
command -v dotnet >/dev/null || die "no dotnet here: install the .NET SDK 10"

name=tcp-closer-linux-musl-$arch$suffix
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

case $(dotnet --info | awk '$1 == "RID:" { print $2 }') in
    linux-musl-*)
        # Alpine and its like: the SDK's own way, with the linux-musl packages of the feed.
        test "$arch" = "$(own_arch)" || die "on a musl machine only its own architecture can be built"
        for command in clang readelf; do
            command -v $command >/dev/null || die "missing: $command. As root: apk add clang build-base"
        done
        say "way: RID linux-musl-$arch and StaticExecutable, the SDK's own"
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
        say "way: objects of RID linux-$arch linked against musl (build/StaticMusl.targets)"
        ;;
esac

dotnet publish TcpCloser.csproj -c Release "$@" -o "$work/out" --disable-build-servers -v quiet

binary=$work/out/tcp-closer
test -s "$binary.dbg" || die "the build left no symbols (.dbg)"
if test -n "$no_cgroup"; then
    # Where a new runtime has other names, the link takes the runtime's functions and says nothing. Those are longer than a few
    # bytes, and they name the files of control groups.
    readelf -sW "$binary.dbg" >"$work/symbols"
    for function in InitializeCGroup GetRestrictedPhysicalMemoryLimit GetPhysicalMemoryUsed InitializeCpuCGroup GetCpuLimit; do
        awk -v name="^_Z[0-9]+$function" '$4 == "FUNC" && $8 ~ name { found++; long += $3 > 16 } END { exit found != 1 || long }' \
            "$work/symbols" || die "$name lacks the $function of $no_cgroup"
    done
    ! grep -aEq '/(memory|cpu)\.(max|stat|limit_in_bytes|cfs_quota_us)' "$binary" || die "$name reads control groups, in spite of $no_cgroup"
fi
# The link to the symbols names the file that it now becomes.
mv "$binary.dbg" "$work/$name.dbg"
(cd "$work" && $objcopy --remove-section=.gnu_debuglink out/tcp-closer && $objcopy --add-gnu-debuglink="$name.dbg" out/tcp-closer)

readelf -hldSW "$binary" >"$work/elf"
check() { # MESSAGE EXTENDED-REGEX, or ! EXTENDED-REGEX for what must not be there
    if test "$2" = "!"; then ! grep -Eq "$3" "$work/elf"; else grep -Eq "$2" "$work/elf"; fi || die "$name $1"
}
case $arch in x64) machine=X86-64 ;; arm64) machine=AArch64 ;; esac
check "is not for $arch" "Machine: .*$machine"
check "is not position-independent" "Type: +DYN"
check "wants an interpreter" ! "INTERP"
check "wants shared libraries" ! "\(NEEDED\)"
check "is not stripped" ! " \.(symtab|debug_info) "
check "has a writable and executable segment" ! "LOAD .* RWE "
check "has an executable stack" "GNU_STACK .* RW "

if test "$arch" = "$(own_arch)"; then
    mkdir "$work/empty"
    cp "$binary" "$work/empty/tcp-closer"
    if test "$(id -u)" = 0; then enter=chroot; else enter="unshare -r chroot"; fi
    version=$($enter "$work/empty" /tcp-closer --version) || die "$name --version failed in an empty chroot"
    test -n "$version" || die "$name --version said nothing in an empty chroot"
    say "in an empty chroot: $version"
fi

mkdir -p artifacts
mv "$work/$name.dbg" "artifacts/$name.dbg"
mv "$binary" "artifacts/$name"
say "artifacts/$name: $(wc -c <"artifacts/$name") bytes, SHA-256 $(sha256sum <"artifacts/$name" | cut -d' ' -f1)"
