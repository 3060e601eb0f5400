#!/bin/sh
# Changes the program in one small way after another, and tells which changes no unit test notices (Stryker.NET). Hours, not part of CI.
# usage: scripts/mutate.sh [ROOM|FILE...]    Kill, Proc, Diag, Kill/OwnerRule.cs; none: Kill
# The report comes to artifacts/mutate/report.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

command -v dotnet >/dev/null || die "no dotnet here: install the .NET SDK 10 (https://dotnet.microsoft.com)"
need git:git

# In a copy: Stryker puts the changed program where the tests look for it, and of xUnit it takes only the flavour with
# Microsoft.Testing.Platform. Under VSTest its changes are never in force, and all of them seem to survive.
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
