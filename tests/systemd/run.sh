#!/bin/sh
# Tests the unit in a separate systemd, which systemd-nspawn boots from a small Debian: READY, an unprivileged user, reload and rotation,
# the watchdog, errors, the journal, the drop-ins. Needs root. Ends with a line "N passed, N failed, N skipped".
# Usage: tests/systemd/run.sh [--no-build]
set -eu
cd "$(dirname "$0")/../.."
. scripts/lib.sh
. tests/packaging/lib.sh

case $* in
    '' | --no-build) ;;
    *) die "unknown argument '$*'. Usage: tests/systemd/run.sh [--no-build]" ;;
esac
test "$(id -u)" = 0 || die "needs root (debootstrap, systemd-nspawn)"
need debootstrap:debootstrap systemd-nspawn:systemd-container unshare:util-linux
lab=artifacts/publish/TcpCloser.Lab/release_linux-$(own_arch)/tcp-closer-lab
if test $# = 0 || ! test -x "$lab"; then
    need_build_tools
    publish tests/TcpCloser.Lab/TcpCloser.Lab.csproj
fi
deb=$(scripts/package.sh deb "$@") || exit

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
root=$work/root
fresh_root "$root"
mkdir "$root/test"
cp tests/systemd/inside.sh "$lab" "$root/test/"
cp "$deb" "$root/test/tcp-closer.deb"
chroot "$root" dpkg -i /test/tcp-closer.deb >/dev/null 2>&1 || die "the package cannot be installed"
boot "$root" 400
if ! test -s "$root/test/lines"; then
    tail -n 5 "$work/console"
    skip "systemd: systemd-nspawn does not boot here"
    end || true
    exit 0
fi

cat "$root/test/lines"
grep -q '^end$' "$root/test/lines" || echo "not ok the tests ran to the end" | tee -a "$root/test/lines"
count() { grep -c "^$1 " "$root/test/lines" || true; }
passed=$(count ok) failed=$(count 'not ok') skipped=$(count skip)
end
