#!/bin/sh
# Mutation testing with Stryker.NET: reports small changes of the program that no unit test detects. Takes hours; not part of CI.
# Usage: scripts/mutate.sh [DIRECTORY|FILE...] (default Kill), for example: scripts/mutate.sh Proc Kill/Signal/HolderRule.cs
# The report is written to artifacts/mutate/report.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

command -v dotnet >/dev/null || die "dotnet is missing: install the .NET SDK 10 (https://dotnet.microsoft.com)"
need git:git

# Runs in a copy, because Stryker puts the changed program where the tests look for it, and because it needs the variant of xUnit
# for Microsoft.Testing.Platform: under VSTest its changes have no effect, and all of them seem to survive.
copy=artifacts/mutate/copy
rm -rf artifacts/mutate
mkdir -p $copy
git ls-files | tar -cf - -T - | tar -xf - -C $copy
root=$PWD
cd $copy
sed -i 's/"xunit.v3.mtp-off"/"xunit.v3"/' Directory.Packages.props
sed -i -e 's/"xunit.v3.mtp-off"/"xunit.v3"/' -e '/xunit.runner.visualstudio/d' -e '/Microsoft.NET.Test.Sdk/d' tests/TcpCloser.Tests/TcpCloser.Tests.csproj
RestoreLockedMode=false
export RestoreLockedMode
dotnet tool restore >/dev/null

test $# -gt 0 || set -- Kill
for room; do
    shift
    case $room in
        *.cs) set -- "$@" --mutate "$room" ;;
        *) set -- "$@" --mutate "$room/**/*.cs" ;;
    esac
done
cd tests/TcpCloser.Tests
nice -n 15 dotnet stryker --project TcpCloser.csproj --configuration Release --test-runner mtp --concurrency 2 \
    --reporter ClearText --reporter Html --reporter Json --output "$root/artifacts/mutate/report" "$@"
