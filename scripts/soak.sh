#!/bin/sh
# Runs the published program for a while in an environment that changes as fast as possible: connections are created and ended on
# the same tuples, processes are killed, network namespaces come and go, logs are rotated. Services with several methods and single
# runs work at the same time. Counts connections closed by mistake, closed but not reported, and reported but not closed, and watches
# memory and descriptors. Uses separate namespaces. Ends with 'soak: right' or 'soak: wrong'.
# Usage: scripts/soak.sh [SECONDS] (default 60)
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

native_binaries
tool=$TCP_CLOSER_BINARY
lab=$TCP_CLOSER_LAB
idle=150 kill_idle=1000 # ms

if test "${1-}" != --inside; then
    seconds=${1:-60}
    case $seconds in '' | *[!0-9]*) die "'$seconds' is not a number of seconds. Usage: scripts/soak.sh [SECONDS]" ;; esac
    test "$(id -u)" = 0 || die "needs root, to create network namespaces and a pid namespace"
    need unshare:util-linux ip:iproute2
    exec unshare -npfm --mount-proc --kill-child "$0" --inside "$seconds"
fi

seconds=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ip link set lo up
mkdir -p /run/netns
mount -t tmpfs none /run/netns
cd "$work"
: >going

# service NAME OPTION...: starts a service that logs to NAME.log. Under nohup(1) it would ignore SIGHUP, and logs would not be rotated.
service() {
    name=$1
    shift
    env --default-signal=HUP "$tool" -i 20ms -t ${idle}ms -f "$work/$name.log" --disable-syslog "$@" 2>"$name.stderr" &
    echo $! >"$name.pid"
}

# single NAME OPTION...: runs the program again and again, with records.
single() {
    name=$1
    shift
    while test -e going; do
        status=0
        "$tool" --json --disable-syslog "$@" >>"$name.json" 2>"$name.last" || status=$?
        echo $status >>"$name.statuses"
        test $status = 0 || cat "$name.last" >>"$name.failed"
    done
}

# victims NAME PORT: keeps a process with one idle connection, and replaces it when it was killed. On a busy machine the Lab itself
# may be killed before it has handed the connection over; then its process ends with it, reported or not. Or the process is killed
# before the Lab has announced it.
victims() {
    while test -e going; do
        mkfifo "$1.in"
        : >"$1.out" # now, because the output of the previous Lab must not be taken for that of this one
        "$lab" hold --count 1 --port "$2" <"$1.in" >"$1.out" 2>"$1.err" &
        parent=$!
        exec 7>"$1.in"
        rm "$1.in"
        children=
        while
            children="$children $(cat /proc/$parent/task/$parent/children 2>/dev/null || true)"
            ! grep -q '^READY' "$1.out" && is_alive $parent
        do sleep 0.01; done
        pid=$(sed -n 's/^pid=\([0-9]*\) role=server.*/\1/p' "$1.out")
        while test -e going && is_alive "$pid" && is_alive $parent; do sleep 0.02; done
        # A process that is left at the end was not killed.
        fate=left
        is_alive "$pid" || fate=killed
        exec 7>&-
        status=0
        wait $parent || status=$?
        if test $status = 137; then
            echo $parent >>killed.seen
            echo "$pid" "$children" | xargs -n 1 | sort -u >>killed.perhaps
        elif test $status != 0; then
            cat "$1.err" >>problems
        elif test -z "$pid"; then
            echo "$children" | xargs -n 1 | sort -u >>killed.perhaps
        elif test $fate = killed; then
            echo "$pid" >>killed.seen
        fi
    done
}

is_alive() { test -n "$1" && grep -q '^State:.[^Z]' "/proc/$1/status" 2>/dev/null; }

# Creates network namespaces with one idle connection each, and deletes each as soon as its connection is closed.
namespaces() {
    number=0
    while test -e going; do
        number=$((number + 1))
        left=
        ip netns add "soak$number"
        mkfifo netns.in
        : >netns.out
        ip netns exec "soak$number" "$lab" hold --count 1 --port 9200 <netns.in >netns.out &
        exec 7>netns.in
        rm netns.in
        until grep -q '^READY' netns.out || ! is_alive $!; do sleep 0.01; done
        echo "wait-ended 1 5000" >&7
        until grep -q '^ended=' netns.out || ! is_alive $!; do sleep 0.01; done
        # On a busy machine the connection may be closed before the Lab reads its state for the first time, and then its end is not seen.
        echo list >&7
        until test "$(grep -c '^\.$' netns.out)" = 2 || ! is_alive $!; do sleep 0.01; done
        client=$(sed -n 's/^connection=0 .*client=\([0-9.:]*\)$/\1/p' netns.out)
        # A connection that is left at the end may not have been due yet.
        if grep -q '^0 .* server-end=aborted' netns.out; then echo "soak$number $client" >>netns.seen
        elif ! grep -q '^READY' netns.out; then echo "^soak$number " >>netns.perhaps # closed before the Lab was ready, which ends it
        elif test -e going; then
            left=$(tr '\n' ' ' <netns.out)
        fi
        exec 7>&-
        status=0
        wait $! || status=$?
        test -z "$left" || echo "soak$number $client status=$status $left" >>netns.left
        ip netns delete "soak$number"
    done
}

# Moves the logs aside and reads the previous ones. Until a service has opened the new log, it still writes to the old one.
rotate() {
    for name in destroy disconnect netns; do
        # On a busy machine a service may not have opened its log yet.
        test -e $name.log || { echo $name >>not-rotated; continue; }
        echo $name >>rotated
        test ! -e $name.log.1 || harvest $name
        mv $name.log $name.log.1
        kill -HUP "$(cat $name.pid)"
    done
}

# harvest NAME: reads the rotated log of a service.
harvest() {
    sed -n 's/.*Z info \(destroyed\|disconnected\) [0-9.]*:\([0-9]*\) -> [0-9.]*:\([0-9]*\) .*inode=\([0-9]*\).*/\4 \2 \3/p' "$1.log.1" >>"$1.told"
    sed -n 's/.* \(netns=\)\{0,1\}.*-> \([0-9.:]*\) .*netns=\(soak[0-9]*\).*/\3 \2/p' "$1.log.1" >>"$1.told-names"
    grep -E 'Z (error|warning) ' "$1.log.1" >>problems || true
    rm "$1.log.1"
}

sample() {
    for name in destroy disconnect netns; do
        pid=$(cat $name.pid)
        # Without the pages of the binary: their first use is not growth.
        kb=$(sed -n 's/^RssAnon:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$pid/status")
        echo "$name ${kb:-gone} $(find "/proc/$pid/fd" -mindepth 1 2>/dev/null | wc -l)" >>samples
    done
}

service destroy --method destroy -s 9000
service disconnect --method disconnect -s 9001
service netns --all-netns -s 9200
mkfifo churn.in talker.in
nice "$lab" churn --port 9000 --ports 4 --kept-port 9100 --tuples 40 --idle $idle <churn.in >churn.out &
churner=$!
exec 8>churn.in
"$lab" hold --count 2 --busy 2 --every 10 --port 9300 <talker.in >talker.out 8>&- &
exec 9>talker.in
single single-destroy -t ${idle}ms --method destroy -s 9002 7>&- 8>&- 9>&- &
singles=$!
single single-auto -t ${idle}ms -s 9003 7>&- 8>&- 9>&- &
singles="$singles $!"
single single-kill -t ${kill_idle}ms --method kill -s 9300-9302 7>&- 8>&- 9>&- &
singles="$singles $!"
victims one 9301 8>&- 9>&- &
singles="$singles $!"
victims two 9302 8>&- 9>&- &
singles="$singles $!"
namespaces 8>&- 9>&- &
singles="$singles $!"

# The first tenth of the time, at most a minute, is warm-up.
ends=$(($(date +%s) + seconds))
warm=$((seconds / 10 > 60 ? 60 : seconds / 10))
flat_from=$(($(date +%s) + warm))
while test "$(date +%s)" -lt $ends; do
    sleep 2
    rotate
    test "$(date +%s)" -lt $flat_from || sample
done
rm going
# shellcheck disable=SC2086 # process ids
wait $singles
exec 8>&-
wait $churner
echo list >&9
until grep -q '^\.$' talker.out; do sleep 0.1; done
for name in destroy disconnect netns; do
    # The last rotation may not have reached it yet.
    until test -e $name.log || ! is_alive "$(cat $name.pid)"; do sleep 0.1; done
    kill -TERM "$(cat $name.pid)"
    wait "$(cat $name.pid)" || echo "$name ended with $?" >>problems
    test ! -e $name.log.1 || harvest $name
    mv $name.log $name.log.1
    tail -n 2 $name.log.1 | sed -n 's/.*totals/totals of the service '$name':/p'
    harvest $name
    cat $name.stderr >>problems
done
exec 9>&-

# Processes whose fate is unknown are removed from both lists.
without_perhaps() { sort | { grep -vxFf killed.perhaps || true; }; }
touch rotated not-rotated single-kill.failed single-auto.failed single-destroy.failed netns.seen netns.left netns.perhaps killed.seen killed.perhaps problems
sed -n 's/.*"local_port":\([0-9]*\).*"remote_port":\([0-9]*\).*"inode":\([0-9]*\).*"outcome":"\(destroyed\|disconnected\)".*/\3 \1 \2/p' single-destroy.json single-auto.json >single.told
sed -n 's/.*"type":"signal".*"pid":\([0-9]*\).*/\1/p' single-kill.json | without_perhaps >killed.told
without_perhaps <killed.seen >killed
cat destroy.told disconnect.told single.told >told.all
# A connection that was listed before it was accepted has no inode yet, so it is matched by its ports.
sed -n 's/^0 //p' told.all >told-by-ports
sed '/^0 /d; s/ .*//' told.all | sort >told
sed -n 's/^\(closed\|late\|wrong\) inode=\([0-9]*\) port=\([0-9]*\) client-port=\([0-9]*\) .*/\2 \3 \4/p' churn.out >seen.all
sed 's/ .*//' seen.all | sort >seen
sed -n 's/^ended inode=\([0-9]*\).*/\1/p' churn.out | sort >ended
sort netns.seen >seen.netns
sort netns.told-names | { grep -vf netns.perhaps || true; } >told.netns
# A connection that the program and its holder ended at the same moment may be reported and not seen.
comm -13 seen told | comm -13 ended - >told-only
awk 'FILENAME == "told-by-ports" { by_ports[$0]++; next }
    FILENAME == "told" { told[$1] = 1; next }
    !($1 in told) && by_ports[$2 " " $3]-- <= 0' told-by-ports told seen.all >untold
comm -3 killed killed.told | sed 's/^\t/reported, but not dead: pid /' >kill-differs
comm -3 seen.netns told.netns | sed 's/^\t/reported, but not closed: /' >netns-differs
uniq -d told >told-twice
wrong=$(sed -n 's/^made=.* wrong=\([0-9]*\).*/\1/p' churn.out)
talkers=$(grep -c 'server-end=alive.*client-end=alive' talker.out || true)
grep '^made=' churn.out
awk '{ n[FILENAME]++; bad[FILENAME] += $1 != 0 } END { for (f in n) printf "%s: %d runs, %d with an exit status other than 0\n", f, n[f], bad[f] }' ./*.statuses
echo "namespaces: $(wc -l <seen.netns) closed, $(wc -l <netns.left) left open; processes killed: $(wc -l <killed)"
# During a round more descriptors are open. The minimum of some samples is the number that stays open.
awk '{ n[$1]++; kb[$1, n[$1]] = $2; files[$1, n[$1]] = $3; if ($2 > most[$1]) most[$1] = $2 }
    function least(s, from, to, i, l) { l = files[s, from]; for (i = from; i <= to; i++) if (files[s, i] < l) l = files[s, i]; return l }
    END { for (s in n) {
        some = n[s] < 10 ? n[s] : 10
        first = least(s, 1, some); last = least(s, n[s] - some + 1, n[s])
        flat = kb[s, n[s]] <= kb[s, 1] + 2048 && last <= first
        printf "service %s: memory %d to %d kB (most %d), descriptors %d to %d: %s\n", s, kb[s, 1], kb[s, n[s]], most[s], first, last, flat ? "flat" : "NOT FLAT"
    } }' samples | tee flat
echo "logs rotated: $(wc -l <rotated), postponed: $(wc -l <not-rotated)"
echo "closed and seen: $(wc -l <seen), reported: $(wc -l <told)"
echo "closed by mistake: $wrong; not reported: $(wc -l <untold); reported but not closed: $(wc -l <told-only); reported twice: $(wc -l <told-twice); busy connections still open: $talkers of 2"
echo "kills reported wrongly: $(wc -l <kill-differs); namespaces reported wrongly: $(wc -l <netns-differs); errors and warnings: $(cat problems single-*.failed | wc -l)"
result=right
test "$wrong" = 0 || result=wrong
test "$talkers" = 2 || result=wrong
test "$(wc -l <rotated)" -gt "$(wc -l <not-rotated)" || result=wrong
! grep -q 'NOT FLAT' flat || result=wrong
for file in untold told-only told-twice kill-differs netns-differs netns.left; do
    test ! -s $file || { result=wrong; echo "$file:"; head -n 5 $file; }
done
# The records of single-kill about processes on which the lists differ.
sed 's/.*pid //' kill-differs | while read -r pid; do
    grep -m 3 "\"pid\":$pid[,}]" single-kill.json || echo "no record names pid $pid"
done
grep '^wrong' churn.out | head -n 5
cat problems single-*.failed | sed 's/^[^ ]*Z //; s/[0-9][0-9]*/N/g' | sort | uniq -c | sort -rn | head -n 10
test -z "${SOAK_KEEP-}" || cp -r "$work" "$SOAK_KEEP"
echo "soak: $result"
test $result = right
