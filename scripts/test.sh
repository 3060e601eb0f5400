#!/bin/sh
# Runs all tests: those that need no privilege, and those of the published native binary on this machine's kernel, in separate
# namespaces. Ends with one line: N passed, N failed, N skipped.
# Usage: scripts/test.sh [--quick]
# As root it installs the compilers, tools and servers below that are missing, without starting the servers. --quick installs
# nothing and needs no root: it runs the tests against fakes, except the slow ones, without analyzers, in under a minute.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

case ${1-} in
    '') ;;
    --quick)
        command -v dotnet >/dev/null || die "dotnet is missing: install the .NET SDK 10 (https://dotnet.microsoft.com)"
        project=tests/TcpCloser.Tests/TcpCloser.Tests.csproj
        quiet dotnet build $project -c Release -p:RunAnalyzers=false || die "the build failed"
        log=$(mktemp)
        trap 'rm -f "$log"' EXIT
        dotnet test $project -c Release --no-build --filter 'Category!=Long' >"$log" 2>&1 || { cat "$log"; exit 1; }
        tail -n 1 "$log"
        exit
        ;;
    *) die "unknown argument '$1'. Usage: scripts/test.sh [--quick]" ;;
esac

need_build_tools
need /usr/include/linux/inet_diag.h:linux-libc-dev unshare:util-linux strace:strace ss:iproute2 setpriv:util-linux jq:jq bash:bash script:bsdutils
# Programs whose connections are closed. If they cannot be installed, their tests are reported as skipped.
if test "$(id -u)" = 0; then
    need_unstarted sshd:openssh-server ssh:openssh-client nginx:nginx-light psql:postgresql-client pg_ctlcluster:postgresql \
        redis-server:redis-server pgbouncer:pgbouncer mariadbd:mariadb-server-core mosquitto:mosquitto \
        haproxy:haproxy tmux:tmux screen:screen dbus-daemon:dbus nft:nftables ||
        say "continuing without them"
fi

say "dotnet build -warnaserror"
dotnet build TcpCloser.slnx -c Release -warnaserror -v quiet
say "publishing the native binaries"
warnings=$(mktemp)
trap 'rm -f "$warnings"' EXIT
for variant in false true; do
    dotnet publish TcpCloser.csproj -c Release -r "linux-$(own_arch)" -p:NoSockDestroy=$variant >"$warnings" 2>&1 ||
        { cat "$warnings"; die "publish failed"; }
    ! grep -i 'warning' "$warnings" || die "publishing must not give warnings"
done
publish tests/TcpCloser.Lab/TcpCloser.Lab.csproj

results=artifacts/test-results
rm -rf $results
mkdir -p $results
status=0
for project in TcpCloser.Tests TcpCloser.KernelTests; do
    say "$project"
    dotnet test "tests/$project/$project.csproj" -c Release --no-build --logger "console;verbosity=normal" \
        >$results/$project.log 2>&1 || status=1
    grep -E '^ *Skipped ' $results/$project.log || true
    grep -E -A 12 '^ *Failed ' $results/$project.log || test $status = 0 || tail -n 60 $results/$project.log
done
# A project that did not run at all counts as one failure.
awk '
    FNR == 1 { files++ }
    /^ *Total tests: / { ran++ }
    /^ *Passed: / { passed += $2 }
    /^ *Failed: / { failed += $2 }
    /^ *Skipped: / { skipped += $2 }
    END {
        failed += files - ran
        printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
        exit failed > 0 || passed == 0
    }' $results/*.log || status=1
exit $status
