#!/bin/busybox sh
# shellcheck shell=dash disable=SC2034,SC2154,SC1091 # set by eval, by the kernel, for scenario.sh
# Process 1 of the virtual machine. $tests, from the kernel's command line, is the function to run: destroy or no_destroy.
# run.sh reads the result lines from the console, up to "end of tests".
# Each part has its own port. First all connections are opened, then all become idle, then the parts run.

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
    run "dry run exits with 0" 0 tcp-closer -n -s "$1" -t 3s
    check "dry run shows the idle connection" prints "127\.0\.0\.1:$idle_from\b"
    check "dry run does not show the busy connection" does_not_print ":$busy_from\b"
    check "dry run closes nothing" has_clients "$1" 2
}
closes() { # PORT HOW WORD COMMAND...: with an idle time appended, the command exits with 0, prints WORD, and closes only the idle one
    closes_port=$1 how=$2 word=$3
    shift 3
    run "$how exits with 0" 0 "$@" -t 3s
    check "$how logs it" prints "$word .*:$closes_port\b"
    only_the_idle_died "$closes_port" "$how"
}

# Sets $namespace to the network namespace of a new process, and $inside to the command that enters it.
enter_new_namespace() {
    unshare -n sleep 1000000 &
    namespace=pid:$!
    inside="nsenter -t $! -n"
    within_10s in_its_own $!
    $inside ip link set lo up
}
in_its_own() { test "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)"; }

# Serves the same port in this namespace and in another.
make_all_netns() { # PORT
    serve "$1" 127.0.0.1
    eval "all_netns_here=\$idle_$1"
    enter_new_namespace
    all_netns_inside=$inside
    serve "$1" 127.0.0.1
    inside=
}
all_netns() { # PORT WORD
    run "without --all-netns exits with 0" 0 tcp-closer -n -s "$1" -t 3s
    check "without --all-netns: counts only its own namespace" prints "matched=2 idle=1 "
    inside=$all_netns_inside
    closes "$1" --all-netns "$2" tcp-closer --all-netns -s "$1"
    check "--all-netns: counts both namespaces" prints "matched=4 idle=2 closed=2 "
    check "--all-netns: the idle client in its own namespace has noticed" within_10s gone "$all_netns_here"
    inside=
}

# Opens in a separate namespace: a client whose FIN is acknowledged and which waits for that of the server (FIN_WAIT2), a client
# whose FIN is lost (FIN_WAIT1), and an established one.
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
    run "--state fin-wait-1 exits with 0" 0 tcp-closer --netns "$fin_wait_namespace" --state fin-wait-1 -d "$1"
    check "--state fin-wait-1 logs it" prints "$2 .*:$1 .*fin-wait-1"
    check "--state fin-wait-1: its client has noticed" within_10s gone "$fin_wait_1"
    check "--state fin-wait-1: the connection is closed" has_ends "$1" 04 0
    check "--state fin-wait-1: the connection in FIN_WAIT2 is open" alive "$fin_wait_2"
    run "--state fin-wait-2 exits with 0" 0 tcp-closer --netns "$fin_wait_namespace" --state fin-wait-2 -d "$1"
    check "--state fin-wait-2 logs it" prints "$2 .*:$1 .*fin-wait-2"
    check "--state fin-wait-2: its client has noticed" within_10s gone "$fin_wait_2"
    check "--state fin-wait-2: the connection is closed" has_ends "$1" 05 0
    check "fin-wait: the established connection is open" alive "$established"
    inside=
}
# Starts a server that accepts connections, but neither reads nor closes them.
silent_server() { # PORT
    $inside nc -ll -p "$1" -e sleep 1000000 2>/dev/null &
    within_10s listens "$1"
}

# TIME_WAIT, which no process holds: alone, and together with a connection that can be closed.
time_wait() { # PORT true|false: whether this kernel can close it
    eval "other=\$idle_$1"
    check "time-wait: a connection is in TIME_WAIT" enter_time_wait "$1"
    if $2; then
        run "--state time-wait exits with 0" 0 tcp-closer --state time-wait -d "$1"
        check "--state time-wait logs it" prints "destroyed .*:$1 .*time-wait"
        check "--state time-wait: the connection is closed" has_ends "$1" 06 0
        check "time-wait: another connection is in TIME_WAIT" enter_time_wait "$1"
        expected=0
    else
        check "--state time-wait, not possible: exits with 1 or 3" ends_in_failure tcp-closer --state time-wait -d "$1"
        check "--state time-wait, not possible: logs the connection" prints "failed .*:$1 .*time-wait"
        check "--state time-wait, not possible: counts it as failed" prints "closed=0 .*failed=1 "
        check "--state time-wait, not possible: the connection is still open" has_ends "$1" 06 1
        expected=1
    fi
    run "--state time-wait,established: exits with $expected" $expected tcp-closer --state time-wait,established -d "$1"
    check "--state time-wait,established: counts both" prints "closed=$((2 - expected)) .*failed=$expected "
    check "--state time-wait,established: $expected in TIME_WAIT" has_ends "$1" 06 $expected
    check "--state time-wait,established: the established connection is closed" within_10s gone "$other"
}
enter_time_wait() { # PORT: its client closes first
    echoes "$1" && within_10s has_ends "$1" 06 1
}

# An orphaned connection in FIN_WAIT2, for which the kernel keeps no full socket, together with an established one. Before Linux 6.0,
# the former cannot be destroyed, which does not mean that the latter cannot.
orphan() { # PORT true|false: whether this kernel can destroy it
    silent_server "$1"
    nc 127.0.0.1 "$1" <"$scratch/never" >/dev/null 2>&1 &
    other=$!
    check "orphan: one connection is established" within_10s has_clients "$1" 1
    nc 127.0.0.1 "$1" </dev/null >/dev/null 2>&1 &
    orphaned=$!
    check "orphan: one connection is in FIN_WAIT2" within_10s has_ends "$1" 05 1
    kill -9 $orphaned
    check "orphan: its process has ended" within_10s gone $orphaned
    check "orphan: it is still in FIN_WAIT2" has_ends "$1" 05 1
    if $2; then
        run "orphan: exits with 0" 0 tcp-closer --method destroy --state established,fin-wait-2 -d "$1"
        check "orphan: both connections are destroyed" prints "closed=2 .*failed=0 "
    else
        run "orphan, not possible: exits with 1" 1 tcp-closer --method destroy --state established,fin-wait-2 -d "$1"
        check "orphan, not possible: logs the connection" prints "failed .*:$1 .*fin-wait-2"
        check "orphan, not possible: the established connection is destroyed" prints "closed=1 .*failed=1 "
        check "orphan, not possible: does not report a kernel without SOCK_DESTROY" does_not_print "no SOCK_DESTROY"
    fi
    check "orphan: the established connection is closed" within_10s gone $other
}

# Peers that become silent, in a separate namespace whose only link goes down, and a peer here that answers.
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
    run "--method keepalive exits with 0" 0 tcp-closer --netns "$silent_namespace" --method keepalive --keepalive 1s,1s,2 -s "$2" -t 3s
    check "--method keepalive logs it" prints "cured .*:$2\b"
    check "--method keepalive closes nothing" prints "closed=0 cured=1 "
    sleep 2 # longer than a peer without an answer has
    check "keepalive: the connection of a peer that answers is open" has_clients "$2" 1
    $inside ip link set lo down
    run "--probe, dry run, exits with 0" 0 tcp-closer -n --all-netns --probe 5s -s "$1"
    check "--probe, dry run: one of two peers is silent" prints "matched=2 idle=1 closed=0 .*answered=1 unproved=0 unasked=0"
    run "--probe exits with 0" 0 tcp-closer --all-netns --probe 10s -s "$1"
    check "--probe logs the silent peer" prints "$3 .*:$1\b"
    check "--probe: one of two peers is silent" prints "matched=2 idle=1 closed=1 "
    check "--probe: its connection is closed" has_clients "$1" 0
    check "keepalive: the kernel closes the connection of a silent peer" within_10s has_clients "$2" 0
    inside=
    check "--probe: the peer that answers is alive" alive "$answering"
    check "--probe: the connection of the peer that answers is open" has_clients "$1" 1
}

# Disconnects a socket while a thread waits for it in read(2). 5.10 and some kernels of 2023 refuse that with EBUSY.
disconnect_reader() { # PORT
    case $release in
        5.10.*)
            check "disconnect, refused to a waiting thread: exits with 1 or 3" ends_in_failure tcp-closer --method disconnect -s "$1" -t 3s
            check "disconnect, refused to a waiting thread: logs the errno" prints "failed .*:$1\b.* errno=EBUSY"
            check "disconnect, refused to a waiting thread: closes nothing" has_clients "$1" 2
            ;;
        *) closes "$1" "disconnect under a waiting thread" disconnected tcp-closer --method disconnect -s "$1" ;;
    esac
}

# Docker's default profile: root with all capabilities, which may not look into processes outside of the profile.
apparmor() { # PORT
    if ! { mount -t securityfs securityfs /sys/kernel/security && cat /docker-default >/sys/kernel/security/apparmor/.load; } 2>/dev/null; then
        echo "skip AppArmor: this kernel has none"
        return
    fi
    refused="AppArmor's profile docker-default forbids it: docker run --security-opt apparmor=unconfined; Kubernetes: .*appArmorProfile"
    for arguments in "--probe 3s" "--method disconnect" "--method keepalive" "--comm nc" "--method kill"; do
        # shellcheck disable=SC2086 # a list of words
        check "AppArmor: $arguments exits with 1 or 3" ends_in_failure confined tcp-closer $arguments -s "$1"
        check "AppArmor: $arguments names the profile and the setting" prints "$refused"
        check "AppArmor: $arguments closes nothing" has_clients "$1" 2
    done
    check "AppArmor: --all-netns exits with 1 or 3" ends_in_failure confined tcp-closer -n --all-netns -s "$1"
    check "AppArmor: --all-netns names the profile and the setting" prints "$refused"
    run "AppArmor: destroy is possible" 0 confined tcp-closer -n -s "$1"
}
confined() { # COMMAND...: runs it under the profile
    # shellcheck disable=SC2016 # for the inner shell
    sh -c 'echo -n "exec docker-default" >/proc/self/attr/exec && exec "$@"' sh "$@"
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
    run "without inet_diag: exits with 3" 3 tcp-closer -s 5001
    check "without inet_diag: names the missing module" prints "inet_diag|tcp_diag"
    insmod /modules/inet_diag.ko
    run "without tcp_diag: exits with 3" 3 tcp-closer -s 5001
    check "without tcp_diag: names the missing module" prints tcp_diag
    check "without tcp_diag: closes nothing" has_clients 5001 2
    insmod /modules/tcp_diag.ko
    run "--check: exits with 0" 0 tcp-closer --check
    check "--check: destroy is possible" prints "^destroy +yes"
    check "--check: disconnect is possible" prints "^disconnect +yes"
    check "--check: kill is possible" prints "^kill +yes"
    sleep 4

    apparmor 5001
    dry_run 5001
    closes 5001 destroy destroyed tcp-closer -s 5001
    closes 5002 --use_proc killed tcp-closer --use_proc -s 5002
    closes 5003 "destroy from the client's side" destroyed tcp-closer -d 5003
    closes 5004 "destroy on IPv6" destroyed tcp-closer -6 -s 5004
    closes 5005 "--method disconnect" disconnected tcp-closer --method disconnect -d 5005 # nc waits in poll(2)
    disconnect_reader 5009
    all_netns 5006 destroyed
    fin_wait 5007 destroyed
    if test "${release%%.*}" -ge 6; then is_6=true; else is_6=false; fi
    time_wait 5008 $is_6
    orphan 5012 $is_6
    silent 5010 5011 destroyed
}

# A kernel with INET_DIAG but without SOCK_DESTROY.
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
    run "without SOCK_DESTROY: destroy exits with 3" 3 tcp-closer --method destroy -s 5001 -t 3s
    check "without SOCK_DESTROY: names the missing kernel option" prints "SOCK_DESTROY|INET_DIAG_DESTROY"
    check "without SOCK_DESTROY: names another method" prints "--use-proc|--use_proc|--method"
    check "without SOCK_DESTROY: closes nothing" has_clients 5001 2
    run "without SOCK_DESTROY: --check exits with 0, because disconnect can close all" 0 tcp-closer --check
    check "without SOCK_DESTROY: --check reports that disconnect is possible" prints "^disconnect +yes"
    closes 5001 "auto without SOCK_DESTROY" disconnected tcp-closer -s 5001
    check "auto without SOCK_DESTROY sends no signal" does_not_print "sent SIG"
    closes 5002 --use_proc killed tcp-closer --use_proc -s 5002
    closes 5003 "the build without SOCK_DESTROY" killed tcp-closer-no-sock-destroy -s 5003
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
