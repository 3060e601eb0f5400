# Tests the init script. tests/packaging/run.sh runs it in a root with OpenRC, in separate namespaces.
# shellcheck shell=dash
cd /tmp || exit 1
. ./results.sh
mkdir -p /run/openrc
: >/run/openrc/softlevel
log=/var/log/tcp-closer/ssh/tcp-closer.log

mkfifo lab.in
./tcp-closer-lab hold --port 7000 --count 2 --busy 1 <lab.in >lab.out 2>&1 &
exec 7>lab.in
ok "OpenRC: the connections are open" within_20s grep -q '^READY' lab.out
ok "OpenRC starts a rule" rc-service -D tcp-closer.ssh start
echo "wait-ended 1 20000" >&7
ok "OpenRC: the service closes the idle connection" within_20s grep -q '^ended=1' lab.out
ok "OpenRC reports the service as running" rc-service tcp-closer.ssh status
mv $log $log.1
ok "OpenRC reloads the service" rc-service -D tcp-closer.ssh reload
ok "OpenRC: the service reopens its log" within_20s test -e $log
ok "OpenRC stops the service" rc-service -D tcp-closer.ssh stop
ok "OpenRC: the service ended on SIGTERM" grep -q 'stopping on SIGTERM' $log
mv /etc/tcp-closer/ssh.conf ssh.conf
ok "OpenRC does not start a service without a rule" sh -c '! rc-service -D tcp-closer.ssh start'
mv ssh.conf /etc/tcp-closer/
exec 7>&-
