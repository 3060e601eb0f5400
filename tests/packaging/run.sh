#!/bin/sh
# Tests the packages with the lint tools of the distributions, and installs, upgrades and removes them in a separate root; also tests man
# page, completions, metrics, alerts, fail2ban, OpenRC and Kubernetes. Needs root. Ends with a line "N passed, N failed, N skipped".
# Usage: tests/packaging/run.sh [--no-build]
set -eu
cd "$(dirname "$0")/../.."
. scripts/lib.sh
. tests/packaging/lib.sh
. tests/packaging/completion.sh

case $* in
    '' | --no-build) ;;
    *) die "unknown argument '$*'. Usage: tests/packaging/run.sh [--no-build]" ;;
esac
test "$(id -u)" = 0 || die "needs root (debootstrap, network namespaces)"
need debootstrap:debootstrap lintian:lintian rpmbuild:rpm rpmlint:rpmlint mandoc:mandoc bash:bash zsh:zsh fish:fish script:bsdutils \
    curl:curl unshare:util-linux ip:iproute2
need_unstarted promtool:prometheus prometheus-node-exporter:prometheus-node-exporter fail2ban-client:fail2ban
lab=$PWD/artifacts/publish/TcpCloser.Lab/release_linux-$(own_arch)/tcp-closer-lab
if test $# = 0 || ! test -x "$lab"; then
    need_build_tools
    publish tests/TcpCloser.Lab/TcpCloser.Lab.csproj
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
packages=$(scripts/package.sh all "$@") || exit
deb=$(echo "$packages" | grep '\.deb$') rpm=$(echo "$packages" | grep '\.rpm$') tar=$(echo "$packages" | grep '\.tar\.gz$')
newer=$(BuildVersion=99.0.0 scripts/package.sh all --no-build) || exit
newer_deb=$(echo "$newer" | grep '\.deb$') newer_rpm=$(echo "$newer" | grep '\.rpm$')

# The lint tools of the distributions and of the shells.
ok "lintian is silent" silent lintian --tag-display-limit 0 --allow-root "$deb"
rpm_lint() { rpmlint -c packaging/rpm/rpmlint.toml "$1" | tee "$work/rpmlint" && grep -q ' 0 errors, 0 warnings' "$work/rpmlint"; }
ok "rpmlint finds nothing" rpm_lint "$rpm"
ok "mandoc is silent" silent mandoc -T lint packaging/tcp-closer.8
ok "bash accepts its completion" silent bash -n packaging/completions/tcp-closer.bash
ok "zsh accepts its completion" silent zsh -n packaging/completions/_tcp-closer
ok "fish accepts its completion" silent fish -n packaging/completions/tcp-closer.fish
ok "promtool accepts the alerts" promtool check rules packaging/prometheus/tcp-closer.rules.yml
ok "the alerts fire as their tests expect" promtool test rules packaging/prometheus/tcp-closer.test.yml

for shell in bash zsh fish; do
    ok "$shell completes an option" completes $shell '--dry' '--dry-run'
    ok "$shell completes a method" completes $shell '--method=disc' '--method=disconnect'
    ok "$shell completes states" completes $shell '--state established,syn-se' '--state established,syn-sent'
    ok "$shell completes an interface" completes $shell '--interface l' '--interface lo'
    ok "$shell completes a user" completes $shell '--uid roo' '--uid root'
    ok "$shell completes a file" completes $shell '-f /etc/os-releas' '-f /etc/os-release'
done
mkdir -p /run/netns
mount --bind /proc/self/ns/net "$(mktemp /run/netns/tcp-closer-XXXXXX)" # a namespace to complete
netns=$(basename "$(ls -d /run/netns/tcp-closer-*)")
for shell in bash zsh fish; do ok "$shell completes a network namespace" completes $shell '--netns tcp-close' "--netns $netns"; done
umount "/run/netns/$netns"
rm "/run/netns/$netns"

# The deb, in a separate root.
root=$work/root
fresh_root "$root"
inside() { env -i PATH="$PATH" DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"; }
none_left() { silent find "$root" -xdev -name '*tcp[-_]closer*' ! -path "$root/tmp/*" ! -path "$root/run/*"; }
in_namespaces() { # SCRIPT: runs it in the root, and counts its results
    cp tests/results.sh "tests/packaging/$1" "$lab" "$root/tmp/"
    # shellcheck disable=SC2016 # for the inner shell
    unshare -nmpf --kill-child sh -c 'mount --make-rprivate / && mount -t proc proc "$1/proc" && mount --bind /dev "$1/dev" && ip link set lo up &&
        exec chroot "$1" sh "/tmp/$2"' sh "$root" "$1" </dev/null >"$work/$1" 2>&1 || echo "not ok $1: ended with $?" >>"$work/$1"
    cat "$work/$1"
    passed=$((passed + $(grep -c '^ok ' "$work/$1" || true))) failed=$((failed + $(grep -c '^not ok ' "$work/$1" || true)))
}
none_enabled() { silent find "$root/etc" -path '*.wants/*tcp*closer*'; }
cp "$deb" "$root/tmp/one.deb"
cp "$newer_deb" "$root/tmp/two.deb"
ok "deb: installs" inside dpkg -i /tmp/one.deb
ok "deb: the program runs" inside tcp-closer --version
ok "deb: the program runs under its old name" inside tcp_closer --version
ok "deb: no unit is enabled" none_enabled
in_namespaces cron.sh
echo '# changed' >>"$root/etc/tcp-closer/example.conf"
echo 'OPTIONS="-i 1m -s 22 -t 2h"' >"$root/etc/tcp-closer/ssh.conf"
ok "deb: the unit passes systemd-analyze verify" silent inside systemd-analyze verify --man=no tcp-closer@ssh.service
ok "deb: the unit has little exposure" inside systemd-analyze security --no-pager --offline=true --threshold=15 /lib/systemd/system/tcp-closer@.service
ok "deb: is upgraded" inside dpkg -i /tmp/two.deb
ok "deb: an upgrade keeps changes in /etc" grep -q '^# changed' "$root/etc/tcp-closer/example.conf"
ok "deb: is removed" inside dpkg -r tcp-closer
ok "deb: removal deletes the program" test ! -e "$root/usr/sbin/tcp-closer"
ok "deb: removal keeps changes in /etc" grep -q 22 "$root/etc/tcp-closer/ssh.conf"
ok "deb: is purged" inside dpkg -P tcp-closer
ok "deb: purging leaves nothing" none_left

# The rpm, installed by rpm. Its scripts need a running systemd: --noscripts.
rpm_in() { rpm --force-debian --root "$work/rpmroot" --dbpath /rpmdb --nodeps --noscripts "$@"; }
mkdir -p "$work/rpmroot"
ok "rpm: installs" rpm_in -i "$rpm"
ok "rpm: is upgraded" rpm_in -U "$newer_rpm"
ok "rpm: the newer version is installed" test "$(rpm --root "$work/rpmroot" --dbpath /rpmdb -q --qf '%{VERSION}' tcp-closer)" = 99.0.0
ok "rpm: passes rpm -V" silent rpm_in -V tcp-closer
ok "rpm: is removed" rpm_in -e tcp-closer
ok "rpm: removal leaves nothing" silent find "$work/rpmroot" -path '*/rpmdb' -prune -o ! -type d -print

# The tar, and OpenRC, which the root has.
tar -C "$root/tmp" -xzf "$tar"
directory=/tmp/$(basename "$tar" .tar.gz)
ok "tar: install.sh installs" inside env PREFIX=/usr/local "$directory/install.sh"
ok "tar: the unit has the path of the program" grep -q 'ExecStart=/usr/local/sbin/tcp-closer' "$root/usr/local/lib/systemd/system/tcp-closer@.service"
ok "tar: the init script is installed with OpenRC" test -x "$root/etc/init.d/tcp-closer"
echo 'OPTIONS="-i 100ms -s 7000 -t 300ms --disable-syslog -f /var/log/tcp-closer/ssh/tcp-closer.log"' >"$root/etc/tcp-closer/ssh.conf"
ln -sf tcp-closer "$root/etc/init.d/tcp-closer.ssh"
in_namespaces openrc.sh
rm -rf "$root/etc/init.d/tcp-closer.ssh" "$root/etc/tcp-closer" "$root/var/log/tcp-closer"
ok "tar: install.sh uninstalls" inside env PREFIX=/usr/local "$directory/install.sh" --uninstall
ok "tar: uninstalling leaves nothing" none_left
ok "tar: install.sh installs again" inside env PREFIX=/usr/local "$directory/install.sh"
echo '# changed' >>"$root/etc/logrotate.d/tcp-closer"
echo 'OPTIONS="-i 1m -s 22 -t 2h"' >"$root/etc/tcp-closer/ssh.conf"
inside env PREFIX=/usr/local "$directory/install.sh" --uninstall >"$work/kept" 2>&1 || true
ok "tar: uninstalling keeps and names changes in /etc" grep -q '^kept: /etc/logrotate.d/tcp-closer$' "$work/kept"
ok "tar: uninstalling keeps nothing else" test "$(cd "$root" && find etc usr -name '*tcp[-_]closer*' ! -type d | sort | tr '\n' ' ')" = 'etc/logrotate.d/tcp-closer '
ok "tar: uninstalling keeps the operator's rules" test "$(ls "$root/etc/tcp-closer")" = ssh.conf
rm -r "$root/etc/tcp-closer" "$root/etc/logrotate.d/tcp-closer"

# Other programs that work with it, in a network namespace.
mkdir "$work/bin"
cp "artifacts/tcp-closer-linux-musl-$(own_arch)" "$work/bin/tcp-closer"
unshare -nmpf --kill-child --mount-proc env PATH="$work/bin:$PATH" work="$work" lab="$lab" sh tests/packaging/integrations.sh </dev/null >"$work/integrations" 2>&1 ||
    echo "not ok integrations: ended with $?" >>"$work/integrations"
cat "$work/integrations"
passed=$((passed + $(grep -c '^ok ' "$work/integrations" || true))) failed=$((failed + $(grep -c '^not ok ' "$work/integrations" || true)))

. tests/packaging/kubernetes.sh
end
