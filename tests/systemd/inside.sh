# The tests that tests/systemd/run.sh runs in a booted systemd.
# shellcheck shell=dash
set -u
cd /test || exit 1
. ./results.sh

unit=tcp-closer@db
get() { systemctl show -P "$1" $unit; }
is() { test "$(get "$1")" = "$2" || { echo "$1 is $(get "$1"), not $2"; systemctl status --no-pager $unit; return 1; }; }
pid() { get MainPID; }
rule() { echo "OPTIONS=\"--disable-syslog $*\"" >/etc/tcp-closer/db.conf; } # OPTION...
drop() { # FILE...: replaces the drop-ins of the unit
    rm -rf /etc/systemd/system/$unit.service.d
    mkdir /etc/systemd/system/$unit.service.d
    for file; do cp "$file" /etc/systemd/system/$unit.service.d/; done
    systemctl daemon-reload
}
stop() { # also empties the journal
    systemctl stop $unit
    systemctl reset-failed $unit 2>/dev/null
    journalctl -q --rotate
    journalctl -q --vacuum-time=1us
}
capabilities() { # HEX: exactly these are effective, and the bounding set has no others
    grep '^Cap' "/proc/$(pid)/status"
    test "$(sed -n 's/^CapEff:\t//p' "/proc/$(pid)/status")" = "$1" && test "$(sed -n 's/^CapBnd:\t//p' "/proc/$(pid)/status")" = "$1"
}

# hold OPTION...: starts the Lab as another user, which holds connections to port 7000; `release` ends it.
hold() {
    rm -f lab.in
    mkfifo lab.in
    : >lab.out
    setpriv --reuid 1 --regid 1 --clear-groups ./tcp-closer-lab hold --port 7000 "$@" <lab.in >lab.out 2>&1 &
    lab=$!
    exec 7>lab.in
    within_20s grep -q '^READY' lab.out || cat lab.out
}
ended() { # NUMBER: so many connections were closed
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

ok "installing enables no unit" fails systemctl is-enabled --quiet tcp-closer@example
ok "systemd-analyze verify is silent about the unit" silent systemd-analyze verify --man=no /lib/systemd/system/tcp-closer@.service
rule -i 200ms -s 7000 -t 300ms
ok "the exposure of the unit is at most 1.5" systemd-analyze security --no-pager --threshold=15 $unit

# The default: an unprivileged user with one capability.
hold --count 3 --busy 1
ok "the service starts" systemctl start $unit
ok "the service reports its status" sh -c "systemctl show -P StatusText $unit | grep -E '^round [0-9]+ done: matched='"
ok "the service runs as a dynamic user" fails grep -q ":$(sed -n 's/^Uid:\t\([0-9]*\).*/\1/p' "/proc/$(pid)/status"):" /etc/passwd
ok "the service has only CAP_NET_ADMIN" capabilities 0000000000001000
ok "the service closes idle connections of another user's process" ended 2
journal() { journalctl -q --no-pager -u $unit -o cat "$@"; } # OPTION...: the lines of the service
logged() { # NUMBER PRIORITY TEXT: so many lines begin with the text, all of this priority
    journal -p "$2..$2" | grep -c "^$3" >counts
    journal | grep -c "^$3" >>counts
    tr '\n' ' ' <counts | grep -qx "$1 $1 " || { cat counts; journal; return 1; }
}
ok "the journal has each line once, with its priority" within_20s logged 2 info "destroyed 127.0.0.1:7000 -> .* rule=db"
ok "the service is reloaded" systemctl reload $unit
ok "the service stays active after a reload" is ActiveState active
before=$(date +%s%N)
systemctl stop $unit
ok "the service stops within a second" test $(($(date +%s%N) - before)) -lt 1500000000
ok "the service stops without an error" is Result success
release

# By unit: the kernel reports the cgroup of each socket, so the unprivileged service selects and names what it may not inspect.
rm -f unit.in
mkfifo -m 666 unit.in
: >unit.out
chmod 666 unit.out
systemd-run -q --unit=holder --uid=1 --gid=1 --working-directory=/test \
    sh -c 'exec ./tcp-closer-lab hold --port 7000 --count 3 --busy 1 <unit.in >unit.out 2>&1'
exec 7>unit.in
within_20s grep -q '^READY' unit.out || cat unit.out
ok "--group-by unit counts a unit without privilege" sh -c "setpriv --reuid 2 --regid 2 --clear-groups tcp-closer --group-by unit -s 7000 | grep -Eq '^holder.service +3 '"
ok "records name the unit without privilege" sh -c "test \"\$(setpriv --reuid 2 --regid 2 --clear-groups tcp-closer -n --json -s 7000 | grep -c '\"unit\":\"holder.service\"')\" = 3"
ok "--cgroup accepts what systemctl shows" sh -c "test \"\$(tcp-closer -n -s 7000 --cgroup \$(systemctl show -P ControlGroup holder) | grep -c ' holder.service ')\" = 3"
ok "--not-cgroup excludes a unit" sh -c "tcp-closer -n -s 7000 --not-cgroup holder.service 2>&1 | grep -q ' matched=0 '"
rule -i 200ms --cgroup holder.service -s 7000 -t 300ms
ok "the service starts with a unit to look for" systemctl start $unit
ok "the service closes idle connections of a unit and names it" within_20s logged 2 info "destroyed .* unit=holder.service "
stop
exec 7>&-

# Not ready before the first round is complete.
rule -i 1h -s 7000 --probe 3s --no-ack-for 1ms
hold --count 1
drop $examples/owners.conf
systemctl start --no-block $unit
ok "the unit is activating during the first round" within_20s is ActiveState activating
ok "the unit is active after the first round" within_20s is ActiveState active
stop
drop
release

# A log file and its rotation.
rule -i 200ms -s 7000 -t 300ms -v -f /var/log/tcp-closer/db/tcp-closer.log
systemctl start $unit
log=/var/log/tcp-closer/db/tcp-closer.log
ok "the service writes its log file" within_20s test -s $log
ok "other users cannot read the log file" sh -c "stat -L -c %a $log | grep -qx 6[04]0"
ok "logrotate rotates the log file" silent logrotate -f /etc/logrotate.d/tcp-closer
ok "the service writes a new log file after rotation" within_20s test -s $log
old=$(stat -c %s $log.1)
sleep 1
ok "the service no longer writes the rotated log file" test "$(stat -c %s $log.1)" = "$old"
stop
echo >>$log
ok "logrotate rotates the log file of a stopped service" silent logrotate -f /etc/logrotate.d/tcp-closer

# The watchdog.
rule -i 1h -s 7000 -t 300ms
printf '[Service]\nWatchdogSec=2s\nRestartSec=100ms\n' >watchdog.conf
drop watchdog.conf
systemctl start $unit
first=$(pid)
sleep 5
ok "the watchdog does not end a service between rounds" test "$(pid)" = "$first"
kill -STOP "$first"
ok "the watchdog restarts a service that hangs" within_20s is NRestarts 1
ok "the restarted service runs" within_20s is SubState running
stop

# A service that is impossible or misconfigured is not restarted.
printf '[Service]\nAmbientCapabilities=\nCapabilityBoundingSet=\nRestartSec=100ms\n' >powerless.conf
drop powerless.conf
rule -i 1s -s 7000 --method destroy
ok "a service without the capability does not start" fails systemctl start $unit
ok "a service without the capability ends with 3" is ExecMainStatus 3
sleep 1
ok "a service without the capability is not restarted" is NRestarts 0
ok "a service without the capability is in state failed" is ActiveState failed
ok "a service without the capability logs an error" logged 1 err ".*CAP_NET_ADMIN is missing"
stop
drop
rule -i 1s -s 0
ok "a service with an invalid option does not start" fails systemctl start $unit
ok "a service with an invalid option ends with 2" is ExecMainStatus 2
sleep 1
ok "a service with an invalid option is not restarted" is NRestarts 0
stop
rule -s 7000
hold --count 2
ok "a service without an interval does not start" fails systemctl start $unit
ok "a service without an interval ends with 2" is ExecMainStatus 2
ok "a service without an interval names the missing option" logged 1 info "tcp-closer: -i/--interval is missing"
sleep 1
ok "a service without an interval is not restarted" is NRestarts 0
ok "a service without an interval closes nothing" ended 0
stop
release
printf '[Service]\nNotifyAccess=all\nExecStartPre=/usr/sbin/tcp-closer --check\n' >check.conf
drop check.conf
rule -i 1h -s 7000
ok "a service with --check before it starts" systemctl start $unit
stop
drop
rm /etc/tcp-closer/db.conf
ok "a service without its configuration does not start" fails systemctl start $unit
stop

# The drop-ins grant exactly the capabilities that each method needs.
drop $examples/owners.conf
hold --count 2 --busy 1
rule -i 200ms -s 7000 -t 300ms --method disconnect --comm tcp-closer-lab
ok "owners.conf: the service starts" systemctl start $unit
ok "owners.conf: the service has three capabilities" capabilities 0000000000081004
ok "owners.conf: disconnect closes another user's connection" ended 1
ok "owners.conf: systemd-analyze verify is silent" silent systemd-analyze verify --man=no /lib/systemd/system/tcp-closer@.service
stop
release
drop $examples/owners.conf
hold --count 2 --busy 1
rule -i 200ms -s 7000 -t 300ms --method keepalive
systemctl start $unit
ok "owners.conf: the service makes rounds with keepalive" within_20s sh -c "systemctl show -P StatusText $unit | grep -q 'round [2-9]'"
ok "owners.conf: keepalive is enabled for another user's connection" logged 1 info "cured "
stop
release
drop $examples/kill.conf
hold --count 2 --client-process
rule -i 200ms -s 7000 -t 300ms --use-proc
ok "kill.conf: the service starts" systemctl start $unit
ok "kill.conf: the service has four capabilities" capabilities 0000000000081024
ok "kill.conf: another user's process is killed" within_20s logged 2 info "killed "
stop
release
drop $examples/netns.conf
# The connections are in another network namespace than the service.
rm -f netns.in
mkfifo netns.in
unshare -n sh -c 'ip link set lo up; exec ./tcp-closer-lab hold --port 7000 --count 1' <netns.in >netns.out 2>&1 &
lab=$!
exec 7>netns.in
within_20s grep -q '^READY' netns.out || cat netns.out
rule -i 200ms -s 7000 -t 300ms --all-netns
ok "netns.conf: the service starts" systemctl start $unit
ok "netns.conf: the service has four capabilities" capabilities 0000000000281004
ok "netns.conf: a connection in another namespace is closed" within_20s logged 1 info "destroyed .* netns="
stop
release
groupadd -r prometheus
mkdir -p /var/lib/prometheus/node-exporter
chgrp prometheus /var/lib/prometheus/node-exporter
chmod 2775 /var/lib/prometheus/node-exporter
drop $examples/metrics.conf
rule -i 200ms -s 7000 --metrics /var/lib/prometheus/node-exporter/db.prom
systemctl start $unit
ok "metrics.conf: the service writes its metrics" grep -q '^tcp_closer_rounds_total{rule="db",status="done"} [1-9]' /var/lib/prometheus/node-exporter/db.prom
ok "metrics.conf: all users can read the metrics" test "$(stat -c %a /var/lib/prometheus/node-exporter/db.prom)" = 644
stop

# Removing and upgrading.
rule -i 1s -s 7000 -t 300ms
drop
systemctl enable --now --quiet $unit
first=$(pid)
ok "the package is upgraded" dpkg -i tcp-closer.deb
ok "an upgrade restarts a running service" fails test "$(pid)" = "$first"
ok "an upgrade keeps the service active" is ActiveState active
rmdir /etc/systemd/system/$unit.service.d
ok "the package is removed" dpkg -r tcp-closer
ok "a removal stops the service" is ActiveState inactive
ok "the package is purged" dpkg -P tcp-closer
ok "a purge leaves nothing" silent find / -xdev -path /test -prune -o -path /proc -prune -o -name '*tcp[-_]closer*' -print
echo end
