#!/bin/sh
# Builds the native binary and demonstrates it in a separate network namespace: a dead, a quiet and a busy connection, a dry
# run, the real run, and what both sides observed. Needs no root if user namespaces are allowed.
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
    say "building the native binary ($tool) and the Lab, which creates the connections"
    publish TcpCloser.csproj
    publish tests/TcpCloser.Lab/TcpCloser.Lab.csproj
    if test "$(id -u)" = 0; then exec unshare -n "$0" --inside; fi
    unshare -rn true 2>/dev/null || die "this system allows no user namespaces: run $0 as root"
    exec unshare -rn "$0" --inside
fi

work=$(mktemp -d)
lab_pids=
finish() {
    exec 8>&- 9>&- || true
    for pid in $lab_pids; do wait "$pid" || true; done
    rm -rf "$work"
}
trap finish EXIT
exec 2>&1

# start DESCRIPTOR NAME ARGUMENT...: starts a Lab that reads commands from the descriptor.
start() {
    descriptor=$1 name=$2
    shift 2
    mkfifo "$work/$name.in"
    : >"$work/$name"
    "$lab" "$@" <"$work/$name.in" >>"$work/$name" &
    lab_pids="$lab_pids $!"
    eval "exec $descriptor>$work/$name.in"
    until grep -q '^READY' "$work/$name"; do sleep 0.05; done
}
# ask DESCRIPTOR NAME WORDS: sends a command to a Lab and prints its answer.
ask() {
    : >"$work/$2"
    echo "$3" >&"$1"
    until grep -q '^\.$' "$work/$2"; do sleep 0.01; done
    grep -v '^\.$' "$work/$2" || true
}
run() { printf '\n$ tcp-closer %s\n' "$*"; "$tool" "$@"; }

start 8 living hold --count 2 --busy 1 --port $port
start 9 dead sockets
ask 9 dead "listen 127.0.0.1 $((port + 1))" >/dev/null
client=$(ask 9 dead "connect 127.0.0.1 $((port + 1)) 1")
server=$(ask 9 dead "accept $((port + 1)) 1")
ask 9 dead "deafen ${client%% *}" >/dev/null

echo "Three connections. Port $port: one is quiet, with a live client, and one is busy."
echo "Port $((port + 1)): one is dead. Nothing that is sent to its client arrives any more."
sleep 4

printf '\nThe idle time alone does not distinguish a quiet connection from a dead one:\n'
run -n -q -s $port-$((port + 1)) -t 3s
printf '\nTherefore probe the peers, and close only connections whose peer does not answer for 3 seconds:\n'
run -s $port-$((port + 1)) -t 3s --probe 3s --disable-syslog

printf '\nWhat both sides observed:\n'
ask 8 living list | tee "$work/seen"
ask 9 dead "look ${server%% *}" | tee -a "$work/seen"
test "$(grep -c 'alive.*alive' "$work/seen")" = 2 || die "a live connection was closed"
grep -q ' ECONNABORTED$' "$work/seen" || die "the dead connection was not closed"
echo "The dead connection is closed, and its program got an error. The quiet one and the busy one are still open."
