# Tests the packaged cron line with Debian's cron. tests/packaging/run.sh runs it in a root with the package, in separate namespaces.
# shellcheck shell=dash
cd /tmp || exit 1
. ./results.sh
# The packaged line, run at once instead of every five minutes, with a shorter idle time; and a line that --max refuses.
sed -n 's|^\*/5 \* \* \* \* \(.*\) -t 2h |@reboot \1 -t 1s |p' /usr/share/doc/tcp-closer/examples/tcp-closer.cron >/etc/cron.d/tcp-closer
sed 's/ --max 50/ --max 0/; s/ -t 1s//' /etc/cron.d/tcp-closer >/etc/cron.d/tcp-closer-refused
ok "cron: the line is installed" test "$(grep -c '^@reboot root /' /etc/cron.d/tcp-closer)" = 1
# shellcheck disable=SC2016 # for the inner shell
printf '#!/bin/sh\ncat >"/tmp/mail.$$.new" && mv "/tmp/mail.$$.new" "/tmp/mail.$$"\n' >/usr/sbin/sendmail
chmod 755 /usr/sbin/sendmail

mkfifo lab.in
./tcp-closer-lab hold --port 5432 --count 2 --busy 1 <lab.in >lab.out 2>&1 &
exec 7>lab.in
ok "cron: the connections are open" within_20s grep -q '^READY' lab.out
ok "cron: one connection is idle" within_20s sh -c 'ss -tinOH sport = :5432 | grep -Eq "lastrcv:[1-9][0-9]{3}"'
cron -f &
cron=$!
echo "wait-ended 1 20000" >&7
ok "cron: the idle connection is closed" within_20s grep -q '^ended=1' lab.out
# shellcheck disable=SC2016 # for the inner shell
ok "cron mails an error" within_20s sh -c 'cat mail.* | grep -q " error refused: "'
kill $cron
ok "cron mails nothing else" test "$(ls mail.* | wc -l)" = 1
exec 7>&-
rm -f /etc/cron.d/tcp-closer* /usr/sbin/sendmail mail.* lab.in lab.out output tcp-closer-lab
