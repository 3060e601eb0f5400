#!/bin/busybox sh
# shellcheck shell=dash disable=SC2034,SC2154,SC1091 # set by eval, by the kernel, for scenario.sh
# Process 1 of the virtual machine. $tests, from the kernel's command line, names what to run: destroy or no_destroy.
# run.sh takes its result lines from the console, up to "end of tests".
# Each part has a port of its own. First all connections are made, then they grow old together, then the parts run.

/bin/busybox --install -s /bin
export PATH=/bin
mkdir -p /proc /sys /dev /tmp
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
exec </dev/null >/dev/console 2>&1
ip link set lo up
scratch=/tmp
pause=0.5
. /scenario.sh

release=$(uname -r)

dry_run() { # PORT
    eval "idle_from=\$idle_from_$1 busy_from=\$busy_from_$1"
    run "dry run ends well" 0 tcp-closer -n -s "$1" -t 3s
    check "dry run shows the idle connection" says "127\.0\.0\.1:$idle_from\b"
    check "dry run does not show the busy one" silent_about ":$busy_from\b"
    check "dry run closes nothing" has_clients "$1" 2
}
closes() { # PORT HOW WORD COMMAND...: the command, with an idle time added, ends well, says WORD, and closes the idle alone
    closes_port=$1 how=$2 word=$3
    shift 3
    run "$how ends well" 0 "$@" -t 3s
    check "$how says so" says "$word .*:$closes_port\b"
    only_the_idle_died "$closes_port" "$how"
}

# Sets $namespace to the network namespace of a new process, and $inside to enter it.
enter_new_namespace() {
    unshare -n sleep 1000000 &
    namespace=pid:$!
    inside="nsenter -t $! -n"
    within_10s in_its_own $!
    $inside ip link set lo up
}
in_its_own() { test "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)"; }

# The same port served in this namespace and in another.
make_all_netns() { # PORT
    serve "$1" 127.0.0.1
    eval "all_netns_here=\$idle_$1"
    enter_new_namespace
    all_netns_inside=$inside
    serve "$1" 127.0.0.1
    inside=
}
all_netns() { # PORT WORD
    run "without --all-netns ends well" 0 tcp-closer -n -s "$1" -t 3s
    check "without --all-netns: looks in its own namespace" says "matched=2 idle=1 "
    inside=$all_netns_inside
    closes "$1" --all-netns "$2" tcp-closer --all-netns -s "$1"
    check "--all-netns: counts both namespaces" says "matched=4 idle=2 closed=2 "
    check "--all-netns: the idle client in its own namespace noticed" within_10s gone "$all_netns_here"
    inside=
}

# In a namespace of their own: a client that has said its last word and waits for the server's (FIN_WAIT2), one whose last
# word does not get there (FIN_WAIT1), and one that is still established.
make_fin_wait() { # PORT
    enter_new_namespace
    fin_wait_inside=$inside fin_wait_namespace=$namespace
    silent_server "$1"
    mkfifo "$scratch/ends"
    sleep 1000000 >"$scratch/ends" &
    holder=$!
    $inside nc 127.0.0.1 "$1" <"$scratch/ends" >/dev/null 2>&1 &
    fin_wait_1=$!
    $inside nc 127.0.0.1 "$1" <"$scratch/never" >/dev/null 2>&1 &
    established=$!
    $inside nc 127.0.0.1 "$1" </dev/null >/dev/null 2>&1 &
    fin_wait_2=$!
    check "fin-wait: one in FIN_WAIT2" within_10s has_ends "$1" 05 1
    check "fin-wait: two established" within_10s has_clients "$1" 2
    $inside ip link set lo down
    kill $holder
    check "fin-wait: one in FIN_WAIT1" within_10s has_ends "$1" 04 1
    inside=
}
fin_wait() { # PORT WORD
    inside=$fin_wait_inside
    run "--state fin-wait-1 ends well" 0 tcp-closer --netns "$fin_wait_namespace" --state fin-wait-1 -d "$1"
    check "--state fin-wait-1 says so" says "$2 .*:$1 .*fin-wait-1"
    check "--state fin-wait-1: its client noticed" within_10s gone "$fin_wait_1"
    check "--state fin-wait-1: it is gone" has_ends "$1" 04 0
    check "--state fin-wait-1: the one in FIN_WAIT2 lives" alive "$fin_wait_2"
    run "--state fin-wait-2 ends well" 0 tcp-closer --netns "$fin_wait_namespace" --state fin-wait-2 -d "$1"
    check "--state fin-wait-2 says so" says "$2 .*:$1 .*fin-wait-2"
    check "--state fin-wait-2: its client noticed" within_10s gone "$fin_wait_2"
    check "--state fin-wait-2: it is gone" has_ends "$1" 05 0
    check "fin-wait: the established one lives" alive "$established"
    inside=
}
# A server that takes connections, and neither reads nor ends.
silent_server() { # PORT
    $inside nc -ll -p "$1" -e sleep 1000000 2>/dev/null &
    within_10s listens "$1"
}

# TIME_WAIT, which has no owner; alone, and beside a connection that can be closed.
time_wait() { # PORT true|false, whether this kernel can
    eval "beside=\$idle_$1"
    check "a connection goes into TIME_WAIT" enter_time_wait "$1"
    if $2; then
        run "--state time-wait ends well" 0 tcp-closer --state time-wait -d "$1"
        check "--state time-wait says so" says "destroyed .*:$1 .*time-wait"
        check "--state time-wait: it is gone" has_ends "$1" 06 0
        check "another goes into TIME_WAIT" enter_time_wait "$1"
        want=0
    else
        check "--state time-wait, not possible: ends in failure" ends_in_failure tcp-closer --state time-wait -d "$1"
        check "--state time-wait, not possible: says which" says "failed .*:$1 .*time-wait"
        check "--state time-wait, not possible: counted as failed" says "closed=0 .*failed=1 "
        check "--state time-wait, not possible: it is still there" has_ends "$1" 06 1
        want=1
    fi
    run "--state time-wait,established: ends with $want" $want tcp-closer --state time-wait,established -d "$1"
    check "--state time-wait,established: counts them" says "closed=$((2 - want)) .*failed=$want "
    check "--state time-wait,established: in TIME_WAIT are $want" has_ends "$1" 06 $want
    check "--state time-wait,established: the established is closed" within_10s gone "$beside"
}
enter_time_wait() { # PORT: its client says its last word first
    echoes "$1" && within_10s has_ends "$1" 06 1
}

# Peers that fall silent, in a namespace of their own whose only link goes down, and one here that answers.
make_silent() { # PORT PORT
    serve_idle "$1" 127.0.0.1
    eval "answering=\$idle_$1"
    enter_new_namespace
    silent_inside=$inside silent_namespace=$namespace
    serve_idle "$1" 127.0.0.1
    serve_idle "$2" 127.0.0.1
    inside=
}
silent() { # PORT PORT WORD
    inside=$silent_inside
    run "--method keepalive ends well" 0 tcp-closer --netns "$silent_namespace" --method keepalive --keepalive 1s,1s,2 -s "$2" -t 3s
    check "--method keepalive says so" says "cured .*:$2\b"
    check "--method keepalive closes nothing" says "closed=0 cured=1 "
    sleep 2 # longer than a peer that does not answer would have
    check "keepalive: who answers lives" has_clients "$2" 1
    $inside ip link set lo down
    run "--probe ends well" 0 tcp-closer --all-netns --probe 3s -s "$1"
    check "--probe says which is silent" says "$3 .*:$1\b"
    check "--probe: of two one is silent" says "matched=2 idle=1 closed=1 "
    check "--probe: it is gone" has_clients "$1" 0
    check "keepalive: the kernel itself closes who is silent" within_10s has_clients "$2" 0
    inside=
    check "--probe: who answers lives" alive "$answering"
    check "--probe: its connection too" has_clients "$1" 1
}

# disconnect on a socket whose owner waits in read(2). 5.10 and some kernels of 2023 refuse that with EBUSY.
disconnect_reader() { # PORT
    case $release in
        5.10.*)
            check "disconnect, refused to a waiting thread: ends in failure" ends_in_failure tcp-closer --method disconnect -s "$1" -t 3s
            check "disconnect, refused to a waiting thread: says why" says "failed .*:$1\b.*EBUSY"
            check "disconnect, refused to a waiting thread: closes nothing" has_clients "$1" 2
            ;;
        *) closes "$1" "disconnect under a waiting thread" disconnected tcp-closer --method disconnect -s "$1" ;;
    esac
}

destroy() {
    serve 5001 127.0.0.1
    serve 5002 127.0.0.1
    serve 5003 127.0.0.1
    serve 5004 ::1
    serve 5005 127.0.0.1
    make_all_netns 5006
    make_fin_wait 5007
    serve_idle 5008 127.0.0.1
    serve 5009 127.0.0.1
    make_silent 5010 5011
    run "without inet_diag: not possible here" 3 tcp-closer -s 5001
    check "without inet_diag: says what is missing" says "inet_diag|tcp_diag"
    insmod /modules/inet_diag.ko
    run "without tcp_diag: not possible here" 3 tcp-closer -s 5001
    check "without tcp_diag: says what is missing" says tcp_diag
    check "without tcp_diag: closes nothing" has_clients 5001 2
    insmod /modules/tcp_diag.ko
    run "--check: everything is possible" 0 tcp-closer --check
    check "--check: destroy" says "^destroy +yes"
    check "--check: disconnect" says "^disconnect +yes"
    check "--check: kill" says "^kill +yes"
    sleep 4

    dry_run 5001
    closes 5001 destroy destroyed tcp-closer -s 5001
    closes 5002 --use_proc 'closed by kill' tcp-closer --use_proc -s 5002
    closes 5003 "destroy from the client's side" destroyed tcp-closer -d 5003
    closes 5004 "destroy on IPv6" destroyed tcp-closer -6 -s 5004
    closes 5005 "--method disconnect" disconnected tcp-closer --method disconnect -d 5005 # of nc, which waits in poll(2)
    disconnect_reader 5009
    all_netns 5006 destroyed
    fin_wait 5007 destroyed
    if test "${release%%.*}" -ge 6; then time_wait 5008 true; else time_wait 5008 false; fi
    silent 5010 5011 destroyed
}

# A kernel with INET_DIAG and without SOCK_DESTROY.
no_destroy() {
    serve 5001 127.0.0.1
    serve 5002 127.0.0.1
    serve 5003 127.0.0.1
    serve 5004 127.0.0.1
    make_all_netns 5006
    make_fin_wait 5007
    serve_idle 5008 127.0.0.1
    make_silent 5010 5011
    sleep 4

    dry_run 5001
    run "without SOCK_DESTROY: destroy is not possible here" 3 tcp-closer --method destroy -s 5001 -t 3s
    check "without SOCK_DESTROY: says what is missing" says "SOCK_DESTROY|INET_DIAG_DESTROY"
    check "without SOCK_DESTROY: says what to do instead" says "--use-proc|--use_proc|--method"
    check "without SOCK_DESTROY: closes nothing" has_clients 5001 2
    run "without SOCK_DESTROY: --check says so, and that all can be closed all the same" 0 tcp-closer --check
    check "without SOCK_DESTROY: --check names the method that can" says "^disconnect +yes"
    closes 5001 "auto without SOCK_DESTROY" disconnected tcp-closer -s 5001
    check "auto without SOCK_DESTROY signals nobody" silent_about "sent SIG"
    closes 5002 --use_proc 'closed by kill' tcp-closer --use_proc -s 5002
    closes 5003 "the build without SOCK_DESTROY" 'closed by kill' tcp-closer-no-sock-destroy -s 5003
    closes 5004 "the build without SOCK_DESTROY: disconnect" disconnected tcp-closer-no-sock-destroy --method disconnect -s 5004
    all_netns 5006 disconnected
    fin_wait 5007 disconnected
    time_wait 5008 false
    silent 5010 5011 disconnected
}

check "runs on $(uname -srm)" tcp-closer --version
"$tests"
echo "end of tests"
poweroff -f
