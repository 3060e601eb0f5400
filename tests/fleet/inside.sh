# What tests/fleet/run.sh runs in a booted Debian: upgrades by apt, rpm and dnf with a rule that cannot start, and the unit beside a real
# PostgreSQL. /test has the packages: repo/ for apt, one.rpm, two.rpm.
# shellcheck shell=dash
set -u
cd /test || exit 1
. ./results.sh

examples=/usr/share/doc/tcp-closer/examples
pid() { systemctl show -P MainPID "tcp-closer@$1"; }
is() { # RULE STATE
    test "$(systemctl show -P ActiveState "tcp-closer@$1")" = "$2" || { systemctl status --no-pager "tcp-closer@$1"; return 1; }
}
rule() { name=$1 && shift && echo "OPTIONS=\"$*\"" >"/etc/tcp-closer/$name.conf"; } # NAME OPTION...
# Three rules that run. Then the operator deletes the file of one and forgets its service, and gives another an option that is refused.
three_rules() {
    for name in db old bad; do rule $name -i 1s -s 5432 -t 1h; done
    systemctl enable --quiet --now tcp-closer@db tcp-closer@old tcp-closer@bad
    is db active && is old active && is bad active
    first=$(pid db)
    rm /etc/tcp-closer/old.conf
    rule bad -i 1s -s 0
}
warns() { # COMMAND...: succeeds, and names the rules that did not start again
    "$@" >transcript 2>&1 || { echo "ended with $?"; cat transcript; return 1; }
    for name in old bad; do
        grep -q "warning: tcp-closer@$name.service was running and did not start again" transcript || { cat transcript; return 1; }
    done
    ! grep -q 'warning: tcp-closer@db' transcript
}
restarted() { is db active && test "$(pid db)" != "$first"; }
no_failed_unit() { ! systemctl list-units --all --plain --no-legend --state=failed 'tcp-closer@*' | grep .; }

# apt, from a local repository. The versions are in the order of their builds.
echo 'deb [trusted=yes] file:/test/repo ./' >local.list
apt() {
    DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dir::Etc::SourceList=/test/local.list -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State::lists=/test/lists -o APT::Sandbox::User=root "$@"
}
mkdir -p lists/partial
ok "apt: reads the repository" apt update
ok "apt: installs the older version" apt install "tcp-closer=$(cat one.version)"
ok "apt: three rules run" three_rules
ok "apt: an upgrade succeeds and names the rules that did not start again" warns apt upgrade
ok "apt: the newer version is installed and configured" test "$(dpkg-query -W -f '${Status} ${Version}' tcp-closer)" = "install ok installed 99.0.0-1"
ok "apt: the other rule runs with the newer version" restarted
ok "apt: the rule without its file does not run" is old inactive
ok "apt: the rule with the refused option has failed" is bad failed
rule db -i 1s -s 5432 -t 1h -f /var/log/tcp-closer/db/tcp-closer.log
systemctl restart tcp-closer@db
ok "logrotate: succeeds although a rule has failed" silent logrotate -f /etc/logrotate.d/tcp-closer
reloaded() { grep -q 'SIGHUP only reopens the log file: changed options need a restart' /var/log/tcp-closer/db/tcp-closer.log; }
ok "reload: the log says that changed options need a restart" within_20s reloaded

# Metrics: those of a service that is stopped go at once, and those of one that was killed with the package.
mkdir -p /var/lib/prometheus/node-exporter
groupadd -f -r prometheus
chgrp prometheus /var/lib/prometheus/node-exporter
chmod 2775 /var/lib/prometheus/node-exporter
metrics=/var/lib/prometheus/node-exporter/db.prom
rule db -i 1s -s 5432 -t 1h --metrics $metrics
mkdir /etc/systemd/system/tcp-closer@db.service.d
cp $examples/metrics.conf /etc/systemd/system/tcp-closer@db.service.d/
printf '[Service]\nRestart=no\n' >/etc/systemd/system/tcp-closer@db.service.d/restart.conf
systemctl daemon-reload
systemctl restart tcp-closer@db
ok "metrics: the service writes them" within_20s test -s $metrics
ok "check: the service makes its rounds" sh -c "tcp-closer --check -i 1s --metrics $metrics | grep -q '^service  *yes'"
ok "metrics: the service stops" systemctl stop tcp-closer@db
ok "metrics: a service that was stopped leaves none" test ! -e $metrics
systemctl start tcp-closer@db
within_20s test -s $metrics
systemctl kill --kill-who=main --signal=KILL tcp-closer@db
within_20s is db failed >/dev/null
ok "metrics: a service that was killed leaves them" test -s $metrics
echo '# HELP node_other' >/var/lib/prometheus/node-exporter/other.prom
ok "deb: is removed" apt remove tcp-closer
ok "metrics: removing the package removes them" test ! -e $metrics
ok "metrics: those of others stay" test -e /var/lib/prometheus/node-exporter/other.prom
ok "deb: is purged" apt purge tcp-closer
ok "deb: purging leaves no failed unit" no_failed_unit
rm -rf /etc/systemd/system/tcp-closer@db.service.d
systemctl daemon-reload
ok "deb: purging leaves no file" silent find / -xdev -path /test -prune -o -path /proc -prune -o -name '*tcp[-_]closer*' -print

# A dead and a living session of PostgreSQL, under the unit. Their clients are in network namespaces of their own.
ok "apt: installs the newer version" apt install tcp-closer
postgres() { su postgres -c "psql -Atqc \"$1\"" 2>&1; }
within_20s sh -c "su postgres -c 'psql -Atqc \"select 1\"' >/dev/null 2>&1"
postgres "alter system set listen_addresses = '*'" >/dev/null
for hba in /etc/postgresql/*/main/pg_hba.conf; do echo 'host all all 10.0.0.0/8 trust' >>"$hba"; done
systemctl restart 'postgresql@*-main.service'
within_20s sh -c "su postgres -c 'psql -Atqc \"select 1\"' >/dev/null 2>&1"
postmaster=$(systemctl show -P MainPID 'postgresql@*-main.service' | head -n 1)
for client in 1 2; do
    ip netns add client$client
    ip link add client$client type veth peer name eth0 netns client$client
    ip addr add 10.$client.0.1/24 dev client$client
    ip link set client$client up
    ip -n client$client addr add 10.$client.0.2/24 dev eth0
    ip -n client$client link set eth0 up
    # The session stays idle: nothing arrives on its stdin.
    { echo 'select 1;' && sleep 1000; } | PGAPPNAME=client$client ip netns exec client$client psql -q -h 10.$client.0.1 -U postgres >/dev/null 2>client$client.errors &
done
sessions() { test "$(postgres "select string_agg(application_name, ' ' order by 1) from pg_stat_activity where application_name like 'client_'")" = "$1"; }
ok "postgresql: has two sessions" within_20s sessions 'client1 client2'
ip -n client1 route add blackhole 10.1.0.1
rule db -i 1s -s 5432 -t 2s --probe 3s --max 50
mkdir -p /etc/systemd/system/tcp-closer@db.service.d
cp $examples/owners.conf /etc/systemd/system/tcp-closer@db.service.d/
systemctl daemon-reload
ok "postgresql: the service starts" systemctl start tcp-closer@db
ok "postgresql: the session whose client is dead ends" within_20s sessions client2
sleep 6 # another round and its probes
ok "postgresql: the session whose client lives stays" sessions client2
ok "postgresql: the server is the same process" test "$(systemctl show -P MainPID 'postgresql@*-main.service' | head -n 1)" = "$postmaster"
ok "postgresql: the journal has the closed connection" sh -c "journalctl -q -u tcp-closer@db -o cat | grep -q 'destroyed 10.1.0.1:5432 -> 10.1.0.2'"
ok "postgresql: the service runs unprivileged" fails grep -q '^Uid:	0' "/proc/$(pid db)/status"
ok "deb: is purged while a rule runs" apt purge tcp-closer
ok "deb: purging has stopped the rule" is db inactive
rm -rf /etc/systemd/system/tcp-closer@db.service.d
systemctl daemon-reload

# rpm and dnf with the scripts of the package, if the root has them.
if command -v rpm >/dev/null; then
    rpm_() { rpm --force-debian --nodeps "$@"; }
    ok "rpm: installs" rpm_ -i one.rpm
    ok "rpm: three rules run" three_rules
    ok "rpm: an upgrade succeeds and names the rules that did not start again" warns rpm_ -U two.rpm
    ok "rpm: the newer version is installed" sh -c 'rpm -q tcp-closer | grep -q 99.0.0'
    ok "rpm: the other rule runs with the newer version" restarted
    ok "rpm: is removed" rpm_ -e tcp-closer
    ok "rpm: removal stops the rule" is db inactive
    ok "rpm: removal leaves no failed unit" no_failed_unit
    rm -rf /etc/tcp-closer
    ok "rpm: removal leaves no file or directory" silent find / -xdev -path /test -prune -o -path /proc -prune -o -name '*tcp[-_]closer*' -print
fi
if command -v dnf >/dev/null; then
    dnf_() { dnf -y --nogpgcheck --repofrompath=local,/test/dnf --repo=local --setopt=cachedir=/test/dnf-cache --releasever=12 "$@"; }
    mkdir dnf
    cp one.rpm sh.rpm dnf/
    createrepo_c -q dnf
    ok "dnf: installs" dnf_ install tcp-closer
    ok "dnf: three rules run" three_rules
    cp two.rpm dnf/
    createrepo_c -q dnf
    rm -rf dnf-cache
    ok "dnf: an upgrade succeeds and names the rules that did not start again" warns dnf_ upgrade
    ok "dnf: the newer version is installed" sh -c 'rpm -q tcp-closer | grep -q 99.0.0'
    ok "dnf: the other rule runs with the newer version" restarted
    ok "dnf: is removed" dnf_ remove tcp-closer
    ok "dnf: removal stops the rule" is db inactive
fi
echo end
