#!/bin/sh
# Tests combinations of the program's features on this machine's kernel: methods, families, states, holders, privileges, namespaces,
# times, runs. Rows of a covering array, each in its own namespaces, with connections that must be closed, that must be skipped
# and that do not match; what both ends and the processes saw is compared with the program's report and with the contract.
# Usage: tests/matrix/run.sh [--all] [--row N|'FACTOR=LEVEL ...'] [--list] [--seed N] [--jobs N]
# --all covers all triples instead of all pairs; --row runs one row and prints all its output (also in artifacts/matrix/).
# Ends with one line: N passed, N failed, N skipped; a row counts as one.
set -eu
cd "$(dirname "$0")/../.."
. scripts/lib.sh

usage="Usage: tests/matrix/run.sh [--all] [--row N|'FACTOR=LEVEL ...'] [--list] [--seed N] [--jobs N]"
command=run
all=
row=
seed=
jobs=
while test $# -gt 0; do
    case $1 in
        --all) all=--all ;;
        --list) command=list ;;
        --row | --seed | --jobs)
            test $# -gt 1 || die "$1: a value is missing. $usage"
            case $1 in --row) row=$2 ;; --seed) seed=$2 ;; *) jobs=$2 ;; esac
            shift
            ;;
        *) die "'$1'? $usage" ;;
    esac
    shift
done

need_build_tools
need unshare:util-linux nsenter:util-linux setpriv:util-linux ip:iproute2
if test "$(id -u)" != 0; then
    say "needs root: skipped"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
native_binaries
test -n "${NO_BUILD-}" || quiet dotnet build tests/matrix/TcpCloser.Matrix.csproj -c Release || die "the build failed"
export DOTNET_TieredPGO=0 DOTNET_gcServer=0 DOTNET_gcConcurrent=0

exec artifacts/bin/TcpCloser.Matrix/release/tcp-closer-matrix $command $all ${row:+--row "$row"} ${seed:+--seed "$seed"} ${jobs:+--jobs "$jobs"}
