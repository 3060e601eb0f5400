# What tests/systemd/run.sh runs in a booted systemd. Result lines: "ok NAME", "not ok NAME" and after it why.
# shellcheck shell=dash
set -u
cd /test || exit 1

ok() { # NAME COMMAND...
    name=$1
    shift
    if "$@" >said 2>&1; then echo "ok $name"; else echo "not ok $name"; tail -n 12 said | sed 's/^/# /'; fi
}
fails() { ! "$@"; }
silent() { "$@" >silence 2>&1 && ! grep . silence; }
within_20s() { # COMMAND...
    tries=200
    until "$@"; do
        tries=$((tries - 1))
        test $tries -gt 0 || { echo "not within 20 s: $*"; return 1; }
        sleep 0.1
    done
}

unit=tcp-closer@db
get() { systemctl show -P "$1" $unit; }
is() { test "$(get "$1")" = "$2" || { echo "$1 is $(get "$1"), not $2"; systemctl status --no-pager $unit; return 1; }; }
pid() { get MainPID; }
rule() { echo "OPTIONS=\"--disable-syslog $*\"" >/etc/tcp-closer/db.conf; } # OPTION...
drop() { # FILE...: the drop-ins of the unit are these
    rm -rf /etc/systemd/system/$unit.service.d
    mkdir /etc/systemd/system/$unit.service.d
    for file; do cp "$file" /etc/systemd/system/$unit.service.d/; done
    systemctl daemon-reload
}
stop() { # and its journal is empty
    systemctl stop $unit
    systemctl reset-failed $unit 2>/dev/null
    journalctl -q --rotate
    journalctl -q --vacuum-time=1us
}
capabilities() { # HEX: exactly these are in force, and none beyond can be had
    grep '^Cap' "/proc/$(pid)/status"
    test "$(sed -n 's/^CapEff:\t//p' "/proc/$(pid)/status")" = "$1" && test "$(sed -n 's/^CapBnd:\t//p' "/proc/$(pid)/status")" = "$1"
}

# hold OPTION...: the Lab, as another user, who holds connections to port 7000; `ask WORD` asks it, `release` ends it.
hold() {
    rm -f lab.in
    mkfifo lab.in
    : >lab.out
    setpriv --reuid 1 --regid 1 --clear-groups ./tcp-closer-lab hold --port 7000 "$@" <lab.in >lab.out 2>&1 &
    lab=$!
    exec 7>lab.in
    within_20s grep -q '^READY' lab.out || cat lab.out
}
ended() { # NUMBER: of the connections have been ended
    : >lab.out
    echo "wait-ended $1 20000" >&7
    within_20s grep -q '^ended=' lab.out
    grep -q "^ended=$1" lab.out || { cat lab.out; systemctl status --no-pager $unit; return 1; }
}
release() {
    exec 7>&-
    wait $lab
}

chmod 755 /test tcp-closer-lab
examples=/usr/share/doc/tcp-closer/examples

ok "nothing was enabled by installing" fails systemctl is-enabled --quiet tcp-closer@example
ok "verify is silent" silent systemd-analyze verify --man=no /lib/systemd/system/tcp-closer@.service
rule -i 200ms -s 7000 -t 300ms
ok "security is at most 1.5" systemd-analyze security --no-pager --threshold=15 $unit

# The default: an unprivileged user with one capability.
hold --count 3 --busy 1
ok "starts" systemctl start $unit
ok "tells how it is" sh -c "systemctl show -P StatusText $unit | grep -E '^round [0-9]+ done: matched='"
ok "runs as nobody that is known" fails grep -q ":$(sed -n 's/^Uid:\t\([0-9]*\).*/\1/p' "/proc/$(pid)/status"):" /etc/passwd
ok "has CAP_NET_ADMIN alone" capabilities 0000000000001000
ok "closes the dead connections of another user's process" ended 2
journal() { journalctl -q --no-pager -u $unit -o cat "$@"; } # OPTION...: its lines
told() { # NUMBER PRIORITY TEXT: so many lines of the priority begin with that, and none of another
    journal -p "$2..$2" | grep -c "^$3" >told
    journal | grep -c "^$3" >>told
    tr '\n' ' ' <told | grep -qx "$1 $1 " || { cat told; journal; return 1; }
}
ok "has each line once in the journal, with its priority" within_20s told 2 info "destroyed 127.0.0.1:7000 -> .* rule=db"
ok "is reloaded" systemctl reload $unit
ok "and still active" is ActiveState active
before=$(date +%s%N)
systemctl stop $unit
ok "stops within a second" test $(($(date +%s%N) - before)) -lt 1500000000
ok "without an error" is Result success
release

# Not ready before it works.
rule -i 1h -s 7000 --probe 3s --no-ack-for 1ms
hold --count 1
drop $examples/owners.conf
systemctl start --no-block $unit
ok "starts while its first round goes on" within_20s is ActiveState activating
ok "is ready when that is over" within_20s is ActiveState active
stop
drop
release

# Its own log file, and rotation.
rule -i 200ms -s 7000 -t 300ms -v -f /var/log/tcp-closer/db/tcp-closer.log
systemctl start $unit
log=/var/log/tcp-closer/db/tcp-closer.log
ok "writes a log of its own" within_20s test -s $log
ok "which others do not read" sh -c "stat -L -c %a $log | grep -qx 6[04]0"
ok "logrotate takes it" silent logrotate -f /etc/logrotate.d/tcp-closer
ok "and the service writes a new one" within_20s test -s $log
old=$(stat -c %s $log.1)
sleep 1
ok "and no longer the old one" test "$(stat -c %s $log.1)" = "$old"
stop
echo >>$log
ok "logrotate takes it where nothing runs" silent logrotate -f /etc/logrotate.d/tcp-closer

# The watchdog.
rule -i 1h -s 7000 -t 300ms
printf '[Service]\nWatchdogSec=2s\nRestartSec=100ms\n' >watchdog.conf
drop watchdog.conf
systemctl start $unit
first=$(pid)
sleep 5
ok "outlives its watchdog between rounds" test "$(pid)" = "$first"
kill -STOP "$first"
ok "is started anew when it hangs" within_20s is NRestarts 1
ok "and works" within_20s is SubState running
stop

# What is not possible, or wrong, is not tried again and again.
printf '[Service]\nAmbientCapabilities=\nCapabilityBoundingSet=\nRestartSec=100ms\n' >powerless.conf
drop powerless.conf
rule -i 1s -s 7000 --method destroy
ok "without the capability it does not start" fails systemctl start $unit
ok "and says so by its exit status" is ExecMainStatus 3
sleep 1
ok "and is not started again" is NRestarts 0
ok "but has failed" is ActiveState failed
ok "and why is an error in the journal" told 1 err ".*CAP_NET_ADMIN is missing"
stop
drop
rule -i 1s -s 0
ok "with a wrong option it does not start" fails systemctl start $unit
ok "and has failed with 2" is ExecMainStatus 2
sleep 1
ok "and is not started again" is NRestarts 0
stop
rm /etc/tcp-closer/db.conf
ok "without its file it does not start" fails systemctl start $unit
stop

# The drop-ins: exactly the capabilities that each method needs.
drop $examples/owners.conf
hold --count 2 --busy 1
rule -i 200ms -s 7000 -t 300ms --method disconnect --comm tcp-closer-lab
ok "disconnects by a drop-in" systemctl start $unit
ok "and is an unprivileged user with three capabilities" capabilities 0000000000081004
ok "what another user has" ended 1
ok "verify is silent about it" silent systemd-analyze verify --man=no /lib/systemd/system/tcp-closer@.service
stop
release
drop $examples/owners.conf
hold --count 2 --busy 1
rule -i 200ms -s 7000 -t 300ms --method keepalive
systemctl start $unit
ok "gives keepalive" within_20s sh -c "systemctl show -P StatusText $unit | grep -q 'round [2-9]'"
ok "to what another user has" told 1 info "cured "
stop
release
drop $examples/kill.conf
hold --count 2 --client-process
rule -i 200ms -s 7000 -t 300ms --use-proc
ok "kills by a drop-in" systemctl start $unit
ok "with four capabilities" capabilities 0000000000081024
ok "the other user's process" within_20s told 2 info "closed by kill "
stop
release
drop $examples/netns.conf
# In a network namespace of its own: the connections, and not the service.
rm -f netns.in
mkfifo netns.in
unshare -n sh -c 'ip link set lo up; exec ./tcp-closer-lab hold --port 7000 --count 1' <netns.in >netns.out 2>&1 &
lab=$!
exec 7>netns.in
within_20s grep -q '^READY' netns.out || cat netns.out
rule -i 200ms -s 7000 -t 300ms --all-netns
ok "looks into namespaces by a drop-in" systemctl start $unit
ok "with their capabilities" capabilities 0000000000281004
ok "and closes there" within_20s told 1 info "destroyed .* netns="
stop
release
groupadd -r prometheus
mkdir -p /var/lib/prometheus/node-exporter
chgrp prometheus /var/lib/prometheus/node-exporter
chmod 2775 /var/lib/prometheus/node-exporter
drop $examples/metrics.conf
rule -i 200ms -s 7000 --metrics /var/lib/prometheus/node-exporter/db.prom
systemctl start $unit
ok "leaves metrics by a drop-in" grep -q '^tcp_closer_rounds_total{rule="db",status="done"} [1-9]' /var/lib/prometheus/node-exporter/db.prom
ok "which all may read" test "$(stat -c %a /var/lib/prometheus/node-exporter/db.prom)" = 644
stop

# Removing and upgrading.
rule -i 1s -s 7000 -t 300ms
drop
systemctl enable --now --quiet $unit
first=$(pid)
ok "an upgrade" dpkg -i tcp-closer.deb
ok "starts the running service anew" fails test "$(pid)" = "$first"
ok "and keeps it running" is ActiveState active
rmdir /etc/systemd/system/$unit.service.d
ok "a removal" dpkg -r tcp-closer
ok "ends it" is ActiveState inactive
ok "a purge" dpkg -P tcp-closer
ok "leaves nothing" silent find / -xdev -path /test -prune -o -path /proc -prune -o -name '*tcp[-_]closer*' -print
echo end
