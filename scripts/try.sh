#!/bin/sh
# Builds the native binary and runs the main job for real, in a network namespace of its own: a dead and a busy
# connection, a dry run, the kill, and what both ends saw. Needs no root where user namespaces are allowed.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

rid=linux-$(own_arch)
tool=artifacts/publish/TcpCloser/release_$rid/tcp-closer
lab=artifacts/publish/TcpCloser.Lab/release_$rid/tcp-closer-lab
port=7000

if test "${1-}" != --inside; then
    need_build_tools
    need unshare:util-linux
    say "building the native binary ($tool) and the Lab, which makes the connections"
    publish TcpCloser.csproj
    publish tests/TcpCloser.Lab/TcpCloser.Lab.csproj
    if test "$(id -u)" = 0; then exec unshare -n "$0" --inside; fi
    unshare -rn true 2>/dev/null || die "this system allows no user namespaces: run $0 as root"
    exec unshare -rn "$0" --inside
fi

work=$(mktemp -d)
lab_pid=
finish() {
    exec 8>&- || true
    test -z "$lab_pid" || wait "$lab_pid" || true
    rm -rf "$work"
}
trap finish EXIT
exec 2>&1
mkfifo "$work/in"
: >"$work/out"

# ask WORD: what the Lab answers to it.
ask() {
    : >"$work/out"
    echo "$1" >&8
    until grep -q '^\.$' "$work/out"; do sleep 0.01; done
    grep -v '^\.$' "$work/out"
}
run() { printf '\n$ tcp-closer %s\n' "$*"; "$tool" "$@"; }

"$lab" hold --count 2 --busy 1 --port $port <"$work/in" >>"$work/out" &
lab_pid=$!
exec 8>"$work/in"
until grep -q '^READY' "$work/out"; do sleep 0.05; done
echo "Two connections to port $port: one where nothing has happened since it was made, one that talks all the time."
ask list
sleep 1

run -n -s $port -t 500ms
run -s $port -t 500ms --disable-syslog
printf '\nWhat the ends have seen:\n'
ask list >"$work/seen"
cat "$work/seen"
grep -q 'server=[^ ]* .*aborted.*reset' "$work/seen" || die "the dead connection was not closed"
grep -q 'alive.*alive' "$work/seen" || die "the busy connection is gone"
echo "The dead connection is closed, and both its programs know; the busy one lives."
