#!/bin/sh
# The packages: what the tools of their distributions say of them, installing, upgrading and removing them in a root of their own; man
# page, completions, metrics, alerts, fail2ban, OpenRC, Kubernetes. Needs root. Ends with a line "N passed, N failed, N skipped".
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

# What the distributions' own tools say.
ok "lintian is silent" silent lintian --tag-display-limit 0 --allow-root "$deb"
rpm_lint() { rpmlint -c packaging/rpm/rpmlint.toml "$1" | tee "$work/rpmlint" && grep -q ' 0 errors, 0 warnings' "$work/rpmlint"; }
ok "rpmlint finds nothing" rpm_lint "$rpm"
ok "mandoc is silent" silent mandoc -T lint packaging/tcp-closer.8
ok "bash takes its completion" silent bash -n packaging/completions/tcp-closer.bash
ok "zsh takes its completion" silent zsh -n packaging/completions/_tcp-closer
ok "fish takes its completion" silent fish -n packaging/completions/tcp-closer.fish
ok "promtool takes the alerts" promtool check rules packaging/prometheus/tcp-closer.rules.yml
ok "which fire when they are to" promtool test rules packaging/prometheus/tcp-closer.test.yml

for shell in bash zsh fish; do
    ok "$shell completes an option" completes $shell '--dry' '--dry-run'
    ok "$shell completes a method" completes $shell '--method=disc' '--method=disconnect'
    ok "$shell completes states" completes $shell '--state established,syn-se' '--state established,syn-sent'
    ok "$shell completes an interface" completes $shell '--interface l' '--interface lo'
    ok "$shell completes a user" completes $shell '--uid roo' '--uid root'
    ok "$shell completes a file" completes $shell '-f /etc/os-releas' '-f /etc/os-release'
done
mkdir -p /run/netns
mount --bind /proc/self/ns/net "$(mktemp /run/netns/tcp-closer-XXXXXX)" # one that is there to be named
netns=$(basename "$(ls -d /run/netns/tcp-closer-*)")
for shell in bash zsh fish; do ok "$shell completes a network namespace" completes $shell '--netns tcp-close' "--netns $netns"; done
umount "/run/netns/$netns"
rm "/run/netns/$netns"

# The deb, in a root of its own.
root=$work/root
fresh_root "$root"
inside() { env -i PATH="$PATH" DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"; }
none_left() { silent find "$root" -xdev -name '*tcp[-_]closer*' ! -path "$root/tmp/*" ! -path "$root/run/*"; }
none_enabled() { silent find "$root/etc" -path '*.wants/*tcp*closer*'; }
cp "$deb" "$root/tmp/one.deb"
cp "$newer_deb" "$root/tmp/two.deb"
ok "installs" inside dpkg -i /tmp/one.deb
ok "the program" inside tcp-closer --version
ok "under its old name, too" inside tcp_closer --version
ok "enables nothing" none_enabled
echo '# changed' >>"$root/etc/tcp-closer/example.conf"
echo 'OPTIONS="-i 1m -s 22 -t 2h"' >"$root/etc/tcp-closer/ssh.conf"
ok "the unit is verified" silent inside systemd-analyze verify --man=no tcp-closer@ssh.service
ok "and has little exposure" inside systemd-analyze security --no-pager --offline=true --threshold=15 /lib/systemd/system/tcp-closer@.service
ok "is upgraded" inside dpkg -i /tmp/two.deb
ok "what was changed in /etc stays" grep -q '^# changed' "$root/etc/tcp-closer/example.conf"
ok "is removed" inside dpkg -r tcp-closer
ok "with the program" test ! -e "$root/usr/sbin/tcp-closer"
ok "and not what was changed" grep -q 22 "$root/etc/tcp-closer/ssh.conf"
ok "is purged" inside dpkg -P tcp-closer
ok "with all of it" none_left

# The rpm, by rpm itself. Its scripts ask a systemd that does not run.
rpm_in() { rpm --force-debian --root "$work/rpmroot" --dbpath /rpmdb --nodeps --noscripts "$@"; }
mkdir -p "$work/rpmroot"
ok "the rpm installs" rpm_in -i "$rpm"
ok "is upgraded" rpm_in -U "$newer_rpm"
ok "is the newer one" test "$(rpm --root "$work/rpmroot" --dbpath /rpmdb -q --qf '%{VERSION}' tcp-closer)" = 99.0.0
ok "and is whole" silent rpm_in -V tcp-closer
ok "is removed" rpm_in -e tcp-closer
ok "with all of it" silent find "$work/rpmroot" -path '*/rpmdb' -prune -o ! -type d -print

# The tar, and OpenRC, which is in the root.
tar -C "$root/tmp" -xzf "$tar"
folder=/tmp/$(basename "$tar" .tar.gz)
ok "install.sh installs" inside env PREFIX=/usr/local "$folder/install.sh"
ok "a unit that has the program where it is" grep -q 'ExecStart=/usr/local/sbin/tcp-closer' "$root/usr/local/lib/systemd/system/tcp-closer@.service"
ok "and an init script, where there is OpenRC" test -x "$root/etc/init.d/tcp-closer"
echo 'OPTIONS="-i 100ms -s 7000 -t 300ms --disable-syslog -f /var/log/tcp-closer/ssh/tcp-closer.log"' >"$root/etc/tcp-closer/ssh.conf"
ln -sf tcp-closer "$root/etc/init.d/tcp-closer.ssh"
cp tests/packaging/openrc.sh "$lab" "$root/tmp/"
# shellcheck disable=SC2016 # for the inner shell
unshare -nmpf --kill-child sh -c 'mount --make-rprivate / && mount -t proc proc "$1/proc" && mount --bind /dev "$1/dev" && ip link set lo up &&
    exec chroot "$1" sh /tmp/openrc.sh' sh "$root" </dev/null >"$work/openrc" 2>&1 || echo "not ok OpenRC: ended with $?" >>"$work/openrc"
cat "$work/openrc"
passed=$((passed + $(grep -c '^ok ' "$work/openrc" || true))) failed=$((failed + $(grep -c '^not ok ' "$work/openrc" || true)))
rm -rf "$root/etc/init.d/tcp-closer.ssh" "$root/etc/tcp-closer" "$root/var/log/tcp-closer"
ok "install.sh takes away what it brought" inside env PREFIX=/usr/local "$folder/install.sh" --uninstall
rm -rf "$root/etc/tcp-closer" "$root/etc/logrotate.d/tcp-closer" "$root/etc/fail2ban" "$root/etc/conf.d/tcp-closer"
ok "all of it" none_left

# Programs that live beside it, in a network namespace.
mkdir "$work/bin"
cp "artifacts/tcp-closer-linux-musl-$(own_arch)" "$work/bin/tcp-closer"
unshare -nmpf --kill-child --mount-proc env PATH="$work/bin:$PATH" work="$work" lab="$lab" sh tests/packaging/beside.sh </dev/null >"$work/beside" 2>&1 ||
    echo "not ok programs beside it: ended with $?" >>"$work/beside"
cat "$work/beside"
passed=$((passed + $(grep -c '^ok ' "$work/beside" || true))) failed=$((failed + $(grep -c '^not ok ' "$work/beside" || true)))

if command -v kubectl >/dev/null; then
    for folder in packaging/kubernetes packaging/kubernetes/owners; do ok "kubectl renders $folder" kubectl kustomize $folder; done
    kubectl kustomize packaging/kubernetes >"$work/kubernetes" 2>/dev/null || true
    ok "with no more than CAP_NET_ADMIN" test "$(sed -n '/^ *add:/,/^ *drop:/p' "$work/kubernetes" | tr -d ' \n')" = add:-NET_ADMINdrop:
    ok "and the processes of its own" fails grep -q hostPID "$work/kubernetes"
else
    skip "kustomization: no kubectl here"
fi
end
