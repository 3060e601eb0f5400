#!/bin/sh
# Gives the program's parsers damaged input, in process: answers of the kernel, files of /proc, /etc/passwd and /etc/services, and
# command lines. Every input follows from its seed, which is printed with what it found.
# Usage: tests/fuzz/run.sh [--seconds N] [--seed N] (25 seconds in all, the same inputs each time; --seed "$(date +%s)" for new ones).
# Ends with one line: N passed, N failed, N skipped; a part of the program that is tried counts as one.
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
command -v dotnet >/dev/null || die "no dotnet here: install the .NET SDK 10 (https://dotnet.microsoft.com)"
test -n "${NO_BUILD-}" || quiet dotnet build tests/fuzz/TcpCloser.Fuzz.csproj -c Release || die "the build failed"
exec artifacts/bin/TcpCloser.Fuzz/release/tcp-closer-fuzz --seconds "$seconds" ${seed:+--seed "$seed"}
