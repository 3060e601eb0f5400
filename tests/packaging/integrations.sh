# Tests the program with node_exporter and fail2ban. tests/packaging/run.sh runs it in separate namespaces.
# Needs $work, $lab and the program in PATH.
# shellcheck shell=dash disable=SC2154 # set by the caller
ok() { # NAME COMMAND...
    name=$1
    shift
    if "$@" >"$work/output" 2>&1; then echo "ok $name"; else echo "not ok $name"; tail -n 12 "$work/output" | sed 's/^/# /'; fi
}
fails() { ! "$@"; }
within_20s() { # COMMAND...
    tries=200
    until "$@"; do
        tries=$((tries - 1))
        test $tries -gt 0 || { echo "not within 20 s: $*"; return 1; }
        sleep 0.1
    done
}
root=$PWD
ip link set lo up
cd "$work" || exit 1

# Metrics of two named rules, and of one without a name.
mkdir metrics
mkfifo lab.in
"$lab" hold --port 7000 --count 4 --busy 2 <lab.in >lab.out 2>&1 &
exec 7>lab.in
ok "metrics: the connections are open" within_20s grep -q '^READY' lab.out
tcp-closer --disable-syslog --name db -s 7000 -n -t 1ms --metrics metrics/db.prom
tcp-closer --disable-syslog --name 'a "b" \c' -s 7000 -n --metrics metrics/quoted.prom
tcp-closer --disable-syslog -s 7000 --idle-by both -t 20s --metrics metrics/plain.prom
for file in metrics/*.prom; do ok "promtool accepts $file" promtool check metrics <"$file"; done
prometheus-node-exporter --collector.disable-defaults --collector.textfile --collector.textfile.directory="$work/metrics" \
    --web.listen-address=127.0.0.1:9100 >exporter 2>&1 &
exporter=$!
ok "node_exporter exports the metrics of a named rule" within_20s sh -c 'curl -s 127.0.0.1:9100/metrics >scraped && grep -q "^tcp_closer_matched_connections{rule=\"db\"} 4" scraped'
ok "node_exporter exports the metrics of a rule without a name" grep -q '^tcp_closer_matched_connections 4' scraped
ok "node_exporter exports the metrics of a rule with quotes" grep -qF 'tcp_closer_matched_connections{rule="a \"b\" \\c"} 4' scraped
ok "node_exporter counts no scrape error" grep -q '^node_textfile_scrape_error 0' scraped
ok "node_exporter logs no error" fails grep -q 'level=error' exporter
kill $exporter
exec 7>&-

# fail2ban: an address with three failed logins is banned, and its connections are closed.
ip addr add 127.0.0.2/8 dev lo 2>/dev/null
ip addr add 192.0.2.1/32 dev lo
ip addr add 192.0.2.2/32 dev lo
mkdir -p jail/action.d jail/filter.d
cp -r /etc/fail2ban/fail2ban.conf /etc/fail2ban/jail.conf /etc/fail2ban/paths-*.conf jail/
cp "$root/packaging/fail2ban/tcp-closer.conf" jail/action.d/
printf '[Definition]\ndbfile = None\n' >jail/fail2ban.local
printf '[Definition]\nfailregex = ^\\s*failed login from <HOST>$\n' >jail/filter.d/test.conf
cat >jail/jail.local <<END
[DEFAULT]
[test]
enabled = true
filter = test
backend = polling
logpath = $work/logins
maxretry = 3
ignoreself = false
ignoreip =
action = tcp-closer[port="7000"]
END
: >logins
# The Lab's clients have the server's address: two Labs stand for the attacker and another host.
mkfifo attacker.in other.in
"$lab" hold --port 7000 --address 192.0.2.1 --count 1 --busy 1 <attacker.in >attacker.out 2>&1 &
exec 8>attacker.in
"$lab" hold --port 7000 --address 192.0.2.2 --count 1 --busy 1 <other.in >other.out 2>&1 &
exec 9>other.in
ok "fail2ban: the attacker's connection is open" within_20s grep -q '^READY' attacker.out
ok "fail2ban: another host's connection is open" within_20s grep -q '^READY' other.out
fail2ban-server -c "$work/jail" -s "$work/jail/socket" -p "$work/jail/pid" --logtarget "$work/jail/log" -f start >jail/output 2>&1 &
server=$!
ok "fail2ban starts with the jail" within_20s fail2ban-client -c "$work/jail" -s "$work/jail/socket" status test
for _ in 1 2 3; do echo "$(date '+%Y-%m-%d %H:%M:%S') failed login from 192.0.2.1" >>logins; done
ok "fail2ban bans the attacker" within_20s sh -c "fail2ban-client -c '$work/jail' -s '$work/jail/socket' status test | grep -q 192.0.2.1"
echo "wait-ended 1 20000" >&8
ok "fail2ban: the attacker's busy connection is closed" within_20s grep -q '^ended=1' attacker.out
ok "fail2ban logs no error" sh -c '! grep ERROR jail/log'
echo state >&9
ok "fail2ban: the other host's connection stays open" within_20s grep -q 'alive' other.out
fail2ban-client -c "$work/jail" -s "$work/jail/socket" stop >/dev/null 2>&1
wait $server
exec 8>&- 9>&-
