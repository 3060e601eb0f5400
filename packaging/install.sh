#!/bin/sh
# Installs tcp-closer from the folder that this file is in. Usage: [DESTDIR=…] [PREFIX=/usr/local] ./install.sh [--uninstall]
# DESTDIR is put before every path; PREFIX is where the program and its pages go. What /etc has already stays as it is.
# Nothing is enabled or started. --uninstall takes away what was installed, but for /etc/tcp-closer.
set -eu
cd "$(dirname "$0")"
: "${PREFIX=/usr/local}" "${DESTDIR=}" "${SYSCONFDIR=/etc}"

action=install
case ${1-} in
    '') ;;
    --uninstall) action=uninstall ;;
    *) echo "Usage: [DESTDIR=...] [PREFIX=/usr/local] ./install.sh [--uninstall]" >&2; exit 2 ;;
esac

# What belongs to the distribution lies below /usr; what an operator installs has another place in zsh and fish.
case $PREFIX in
    /usr) zsh=$PREFIX/share/zsh/vendor-completions fish=$PREFIX/share/fish/vendor_completions.d ;;
    *) zsh=$PREFIX/share/zsh/site-functions fish=$PREFIX/share/fish/vendor_completions.d ;;
esac
: "${UNITDIR=$PREFIX/lib/systemd/system}" "${ZSHDIR=$zsh}"
doc=$PREFIX/share/doc/tcp-closer

# put MODE FROM TO: a file, with this PREFIX in it.
put() {
    test $action = install || { rm -f "$DESTDIR$3"; return; }
    mkdir -p "$DESTDIR${3%/*}"
    case $2 in
        tcp-closer) cp "$2" "$DESTDIR$3.new" ;;
        *) sed "s|/usr/sbin/tcp-closer|$PREFIX/sbin/tcp-closer|g; s|/usr/share/doc|$PREFIX/share/doc|g" "$2" >"$DESTDIR$3.new" ;;
    esac
    chmod "$1" "$DESTDIR$3.new"
    mv "$DESTDIR$3.new" "$DESTDIR$3"
}

# put_conf FROM TO: the same for what an operator may have changed.
put_conf() {
    test $action = install || return 0
    if test -e "$DESTDIR$2"; then echo "kept: $DESTDIR$2" >&2; else put 644 "$1" "$2"; fi
}

# name LINK TARGET: another name for it.
name() { if test $action = install; then ln -sf "$2" "$DESTDIR$1"; else rm -f "$DESTDIR$1"; fi; }

put 755 tcp-closer "$PREFIX/sbin/tcp-closer"
name "$PREFIX/sbin/tcp_closer" tcp-closer
put 644 tcp-closer.8 "$PREFIX/share/man/man8/tcp-closer.8"
put 644 completions/tcp-closer.bash "$PREFIX/share/bash-completion/completions/tcp-closer"
name "$PREFIX/share/bash-completion/completions/tcp_closer" tcp-closer
put 644 completions/_tcp-closer "$ZSHDIR/_tcp-closer"
put 644 completions/tcp-closer.fish "$fish/tcp-closer.fish"
name "$fish/tcp_closer.fish" tcp-closer.fish
put 644 'systemd/tcp-closer@.service' "$UNITDIR/tcp-closer@.service"
put 644 copyright "$doc/copyright"
for file in systemd/owners.conf systemd/kill.conf systemd/netns.conf systemd/metrics.conf \
    cron/tcp-closer.cron prometheus/tcp-closer.rules.yml openrc/tcp-closer.initd openrc/tcp-closer.confd; do
    put 644 "$file" "$doc/examples/${file##*/}"
done
put_conf example.conf "$SYSCONFDIR/tcp-closer/example.conf"
put_conf logrotate/tcp-closer "$SYSCONFDIR/logrotate.d/tcp-closer"
put_conf fail2ban/tcp-closer.conf "$SYSCONFDIR/fail2ban/action.d/tcp-closer.conf"
test $action = install || rm -rf "$DESTDIR$doc"
# systemd would take a file in init.d for a service of its own.
if test -x "$DESTDIR/sbin/openrc-run"; then
    put 755 openrc/tcp-closer.initd "$SYSCONFDIR/init.d/tcp-closer"
    put_conf openrc/tcp-closer.confd "$SYSCONFDIR/conf.d/tcp-closer"
fi
