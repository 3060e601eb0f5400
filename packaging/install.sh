#!/bin/sh
# Installs tcp-closer from the directory of this file. Usage: [DESTDIR=…] [PREFIX=/usr/local] ./install.sh [--uninstall]
# DESTDIR is prepended to every path; PREFIX is the target of the program and its pages. Existing files in /etc are kept.
# Nothing is enabled or started. --uninstall removes what was installed, but keeps files in /etc that were changed or added.
set -eu
cd "$(dirname "$0")"
: "${PREFIX=/usr/local}" "${DESTDIR=}" "${SYSCONFDIR=/etc}"

action=install
case ${1-} in
    '') ;;
    --uninstall) action=uninstall ;;
    *) echo "Usage: [DESTDIR=...] [PREFIX=/usr/local] ./install.sh [--uninstall]" >&2; exit 2 ;;
esac

# zsh looks for the completions of the distribution (in /usr) and of the operator in different directories.
case $PREFIX in
    /usr) zsh=$PREFIX/share/zsh/vendor-completions fish=$PREFIX/share/fish/vendor_completions.d ;;
    *) zsh=$PREFIX/share/zsh/site-functions fish=$PREFIX/share/fish/vendor_completions.d ;;
esac
: "${UNITDIR=$PREFIX/lib/systemd/system}" "${ZSHDIR=$zsh}"
doc=$PREFIX/share/doc/tcp-closer

# text FILE: prints the file with its paths changed to this PREFIX.
text() { sed "s|/usr/sbin/tcp-closer|$PREFIX/sbin/tcp-closer|g; s|/usr/share/doc|$PREFIX/share/doc|g" "$1"; }

# put MODE FROM TO: installs or removes a file, with its paths changed to this PREFIX.
put() {
    test $action = install || { rm -f "$DESTDIR$3"; return; }
    mkdir -p "$DESTDIR${3%/*}"
    case $2 in
        tcp-closer) cp "$2" "$DESTDIR$3.new" ;;
        *) text "$2" >"$DESTDIR$3.new" ;;
    esac
    chmod "$1" "$DESTDIR$3.new"
    mv "$DESTDIR$3.new" "$DESTDIR$3"
}

# put_conf FROM TO: like put, for a file that the operator may have changed.
put_conf() {
    if ! test -e "$DESTDIR$2"; then
        put 644 "$1" "$2"
    elif test $action = uninstall && text "$1" | cmp -s - "$DESTDIR$2"; then
        rm "$DESTDIR$2"
    else
        echo "kept: $DESTDIR$2" >&2
    fi
}

# name LINK TARGET: installs or removes a symbolic link.
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
test $action = install || { rm -rf "$DESTDIR$doc" && rmdir "$DESTDIR$SYSCONFDIR/tcp-closer" 2>/dev/null || true; }
# Only with OpenRC: systemd would generate a service from a file in init.d.
if test -x "$DESTDIR/sbin/openrc-run"; then
    put 755 openrc/tcp-closer.initd "$SYSCONFDIR/init.d/tcp-closer"
    put_conf openrc/tcp-closer.confd "$SYSCONFDIR/conf.d/tcp-closer"
fi
