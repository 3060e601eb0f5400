#!/bin/sh
# Makes each system call of the published program fail once, with each plausible error, in every mode, and compares the report with
# what was actually closed. Usage: tests/faults/run.sh [--all] [--only CALL[:OCCURRENCE[:FAULT]]] [MODE...]
# Without --all, the first call of each kind fails with each error, and the second one, like the first one that another mode covers
# (VariantOf in Modes.cs), with one error and one signal. Runs in its own namespaces. Ends with one line: N passed, N failed, N skipped.
set -eu
cd "$(dirname "$0")/../.."
. scripts/lib.sh

faults=artifacts/bin/TcpCloser.Faults/release/tcp-closer-faults

if test "${1-}" = --inside; then
    shift
    ip link set lo up
    # /run/netns of ip-netns(8), and /dev with /dev/log, are private to this mode.
    mkdir -p /run/netns
    mount -t tmpfs none /run/netns
    devices=$(mktemp -d)
    mount -t tmpfs none "$devices"
    for device in null zero full random urandom; do touch "$devices/$device"; mount --bind "/dev/$device" "$devices/$device"; done
    mount --rbind "$devices" /dev
    ip netns add other
    ip -n other link set lo up
    status=0
    $faults run "$@" || status=$?
    exit $status
fi

options=
modes=
while test $# -gt 0; do
    case $1 in
        --all) options="$options --all" ;;
        --only) options="$options --only $2"; shift ;;
        -*) die "unknown argument '$1'. Usage: tests/faults/run.sh [--all] [--only CALL[:OCCURRENCE[:FAULT]]] [MODE...]" ;;
        *) modes="$modes $1" ;;
    esac
    shift
done

need_build_tools
need unshare:util-linux setpriv:util-linux strace:strace ip:iproute2
if test "$(id -u)" != 0; then
    say "needs root: skipped"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
native_binaries
test -n "${NO_BUILD-}" || quiet dotnet build tests/faults/TcpCloser.Faults.csproj -c Release || die "the build failed"
export DOTNET_TieredPGO=0 DOTNET_gcServer=0 DOTNET_gcConcurrent=0

results=artifacts/faults
rm -rf $results
mkdir -p $results
test -n "$modes" || modes=$($faults modes)
# Runs as many modes at once as there are processors; each has its own namespaces, and so its own processes and connections.
# shellcheck disable=SC2086,SC2016 # words; the inner shell expands
printf '%s\n' $modes | xargs -P "$(nproc)" -I MODE sh -c '
    unshare -npfm --mount-proc --kill-child "$0" --inside MODE "$@" >"'$results'/MODE.log" 2>&1
    echo $? >"'$results'/MODE.status"
    grep -E "^MODE: [0-9]+ injections|this build has no" "'$results'/MODE.log" || tail -n 20 "'$results'/MODE.log"' "$0" $options

for mode in $modes; do
    sed -n '/^WRONG/,/^[^ W]/p' "$results/$mode.log" | grep -E '^(WRONG|   )' | head -n 60 || true
done
# A mode without a count is one failure.
# shellcheck disable=SC2046 # words
awk '
    FNR == 1 { files++ }
    /^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/ { counted++; passed += $1; failed += $3; skipped += $5 }
    END {
        failed += files - counted
        printf "%d injections, %d wrong answers\n", passed + failed, failed
        printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
        exit failed > 0 || passed == 0
    }' $(for mode in $modes; do echo "$results/$mode.log"; done)
