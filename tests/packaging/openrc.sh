# What tests/packaging/run.sh runs in a root with OpenRC, in namespaces of its own.
# shellcheck shell=dash
cd /tmp || exit 1
ok() { # NAME COMMAND...
    name=$1
    shift
    if "$@" >said 2>&1; then echo "ok $name"; else echo "not ok $name"; tail -n 12 said | sed 's/^/# /'; fi
}
within_20s() { # COMMAND...
    tries=200
    until "$@"; do
        tries=$((tries - 1))
        test $tries -gt 0 || { echo "not within 20 s: $*"; return 1; }
        sleep 0.1
    done
}
mkdir -p /run/openrc
: >/run/openrc/softlevel
log=/var/log/tcp-closer/ssh/tcp-closer.log

mkfifo lab.in
./tcp-closer-lab hold --port 7000 --count 2 --busy 1 <lab.in >lab.out 2>&1 &
exec 7>lab.in
ok "OpenRC: the connections" within_20s grep -q '^READY' lab.out
ok "OpenRC starts a rule" rc-service -D tcp-closer.ssh start
echo "wait-ended 1 20000" >&7
ok "OpenRC: it closes" within_20s grep -q '^ended=1' lab.out
ok "OpenRC knows that it runs" rc-service tcp-closer.ssh status
mv $log $log.1
ok "OpenRC reloads it" rc-service -D tcp-closer.ssh reload
ok "OpenRC: it opens its log again" within_20s test -e $log
ok "OpenRC stops it" rc-service -D tcp-closer.ssh stop
ok "OpenRC: it ended by itself" grep -q 'stopping on SIGTERM' $log
mv /etc/tcp-closer/ssh.conf ssh.conf
ok "OpenRC does not start what has no rule" sh -c '! rc-service -D tcp-closer.ssh start'
mv ssh.conf /etc/tcp-closer/
exec 7>&-
