#!/bin/sh
# Gives damaged input to the program's parsers, in process: answers of the kernel, files of /proc, /etc/passwd and /etc/services, lists of
# connections, and command lines, some of which read stdin. Every input follows from its seed, which is printed with a finding.
# Usage: tests/fuzz/run.sh [--seconds N] [--seed N]
# By default 25 seconds in total, with the same inputs each time; --seed "$(date +%s)" for new ones.
# Ends with one line: N passed, N failed, N skipped; each part of the program counts as one.
set -eu
cd "$(dirname "$0")/../.."
. scripts/lib.sh

seconds=25
seed=
while test $# -gt 1; do
    case $1:$2 in
        *:*[!0-9]* | *:) break ;;
        --seconds:*) seconds=$2 ;;
        --seed:*) seed=$2 ;;
        *) break ;;
    esac
    shift 2
done
test $# = 0 || die "'$*'? Usage: tests/fuzz/run.sh [--seconds N] [--seed N]"
command -v dotnet >/dev/null || die "dotnet is missing: install the .NET SDK 10 (https://dotnet.microsoft.com)"
test -n "${NO_BUILD-}" || quiet dotnet build tests/fuzz/TcpCloser.Fuzz.csproj -c Release || die "the build failed"
exec artifacts/bin/TcpCloser.Fuzz/release/tcp-closer-fuzz --seconds "$seconds" ${seed:+--seed "$seed"} </dev/null
