#!/bin/sh
# Tests the static binary in minimal environments: in an empty root, a musl userland, a read-only root without /proc, /dev or /etc, as
# process 1, and under the seccomp profiles of container engines. Then runs the kernel tests with it instead of the plain build.
# Needs no root if user namespaces are allowed. Usage: tests/static/run.sh [--no-build] [--no-kernel-tests]
# Ends with a line "N passed, N failed, N skipped".
set -eu
cd "$(dirname "$0")/../.."
. scripts/lib.sh

build=true
kernel_tests=true
for argument; do
    case $argument in
        --no-build) build=false ;;
        --no-kernel-tests) kernel_tests=false ;;
        *) die "unknown argument '$argument'. Usage: tests/static/run.sh [--no-build] [--no-kernel-tests]" ;;
    esac
done

need_build_tools
need unshare:util-linux timeout:coreutils /usr/include/linux/seccomp.h:linux-libc-dev
arch=$(own_arch)
binary=$PWD/artifacts/tcp-closer-linux-musl-$arch
if $build; then
    scripts/build-musl.sh
    scripts/build-musl.sh --no-sock-destroy
fi
test -x "$binary" || die "no ${binary#"$PWD"/}: run scripts/build-musl.sh"
unpack "$arch" "$PWD/artifacts/static/userland" busybox-static musl

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
chmod 755 "$work"
mkdir "$work/scratch"
: >"$work/results"
gcc -Wall -Wextra -O1 -o "$work/seccomp" tests/static/seccomp.c

namespaces="unshare -nmpf --kill-child --mount-proc"
test "$(id -u)" = 0 || namespaces="unshare -rnmpf --kill-child --mount-proc"
userland=artifacts/static/userland
# shellcheck disable=SC2086 # $namespaces is a list of words
if $namespaces true 2>/dev/null; then
    # The end of process 1 also ends all others.
    timeout -k 5 300 $namespaces "$userland/bin/busybox" sh tests/static/inside.sh "$binary" "$work/scratch" \
        "$PWD/$userland/bin/busybox" "$work/seccomp" "$PWD/$userland" </dev/null >"$work/lines" 2>&1 ||
        echo "not ok bare roots: ended with status $?" >>"$work/lines"
    tee -a "$work/results" <"$work/lines"
else
    echo "skip bare roots: user namespaces are not allowed here: run as root" | tee -a "$work/results"
fi

count() { grep -c "^$1 " "$work/results" || true; }
passed=$(count ok) failed=$(count 'not ok') skipped=$(count skip)

if $kernel_tests; then
    publish tests/TcpCloser.Lab/TcpCloser.Lab.csproj
    log=$work/kernel-tests
    TCP_CLOSER_BINARY=$binary TCP_CLOSER_NO_SOCK_DESTROY_BINARY=$binary-no-sock-destroy \
        dotnet test tests/TcpCloser.KernelTests/TcpCloser.KernelTests.csproj -c Release --disable-build-servers \
        --logger "console;verbosity=normal" >"$log" 2>&1 || true
    # Prints each test, and the reason of each failure.
    awk '/^ *(Passed|Failed|Skipped) [^ ]/ { show = /^ *Failed/; print; any = 1; next } show { print } END { exit !any }' "$log" || cat "$log"
    sum() { awk -v key="$1:" '$1 == key { n += $2 } END { print n + 0 }' "$log"; }
    # If no test ran, that is one failure.
    test "$(sum Total)" != 0 || grep -q '^ *Total tests: [1-9]' "$log" || failed=$((failed + 1))
    passed=$((passed + $(sum Passed))) failed=$((failed + $(sum Failed))) skipped=$((skipped + $(sum Skipped)))
fi

echo "$passed passed, $failed failed, $skipped skipped"
test "$passed" -gt 0 && test "$failed" = 0
