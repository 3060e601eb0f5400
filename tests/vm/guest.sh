#!/bin/busybox sh
# Process 1 of the virtual machine. $tests, from the kernel's command line, names what to run: destroy or no_destroy.
# Result lines for run.sh: "ok NAME", "not ok NAME", "skip NAME", "# why"; at the end "end of tests".

/bin/busybox --install -s /bin
export PATH=/bin
mkdir -p /proc /sys /dev /tmp
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
exec </dev/null >/dev/console 2>&1
ip link set lo up
mkfifo /tmp/never
sleep 1000000 >/tmp/never & # whoever reads from there waits for ever

result() { # STATUS NAME
    if test "$1" = 0; then echo "ok $2"; else echo "not ok $2"; sed 's/^/# /' /tmp/said; fi
}
check() { # NAME COMMAND...
    check_name=$1
    shift
    "$@" >/tmp/said 2>&1
    result $? "$check_name"
}
run() { # NAME STATUS COMMAND...: like check, for a command that has to end with STATUS; what it says stays in /tmp/run
    run_name=$1 want=$2
    shift 2
    "$@" >/tmp/run 2>&1
    got=$?
    { echo "$* ended with $got, not $want:"; cat /tmp/run; } >/tmp/said
    test $got = "$want"
    result $? "$run_name"
}
says() { cat /tmp/run && grep -qE -- "$1" /tmp/run; }
silent_about() { cat /tmp/run && ! grep -qE -- "$1" /tmp/run; }
within_10s() { # COMMAND...
    for _ in $(seq 100); do
        "$@" && return
        usleep 100000
    done
    echo "not within 10 s: $*"
    return 1
}
gone() { ! kill -0 "$1" 2>/dev/null; }
alive() { kill -0 "$1"; }

# The ports of the clients whose connection to a server's PORT is established, from the server's side.
clients() { # PORT
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port="$(printf :%04X "$1")" '
        $4 == "01" && substr($2, length($2) - 4) == port { print substr($3, length($3) - 3) }' |
        while read -r hex; do echo $((0x$hex)); done
}
has_clients() { test "$(clients "$1" | wc -l)" = "$2"; }
echoes() { test "$(echo hello | timeout 10 nc 127.0.0.1 "$1")" = hello; }

# An echo server on PORT, with an idle client and then a busy one. Sets listener_PORT, idle_PORT and busy_PORT to their
# process ids, and idle_from_PORT and busy_from_PORT to their ports.
serve() { # PORT ADDRESS
    nc -ll -p "$1" -e cat &
    eval "listener_$1=$!"
    within_10s test -n "$(grep -h " 0A " /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep "$(printf :%04X "$1")")"
    nc "$2" "$1" </tmp/never >/dev/null 2>&1 &
    eval "idle_$1=$!"
    within_10s has_clients "$1" 1
    eval "idle_from_$1=$(clients "$1")"
    while :; do echo x; usleep 100000; done | nc "$2" "$1" >/dev/null 2>&1 &
    eval "busy_$1=$!"
    within_10s has_clients "$1" 2
    eval "busy_from_$1=\$(clients $1 | grep -vx \$idle_from_$1)"
}
only_the_idle_died() { # PORT HOW
    eval "idle=\$idle_$1 busy=\$busy_$1 listener=\$listener_$1"
    check "$2: the idle client noticed" within_10s gone "$idle"
    check "$2: the busy one lives" alive "$busy"
    check "$2: its connection too" has_clients "$1" 1
    check "$2: the listener lives" alive "$listener"
    check "$2: and serves" echoes "$1"
}
dry_run() { # PORT
    eval "idle_from=\$idle_from_$1 busy_from=\$busy_from_$1"
    run "dry run ends well" 0 tcp-closer -n -s "$1" -t 3s
    check "dry run shows the idle connection" says "127\.0\.0\.1:$idle_from\b"
    check "dry run does not show the busy one" silent_about ":$busy_from\b"
    check "dry run closes nothing" has_clients "$1" 2
}
kill_owner() { # PORT HOW COMMAND...
    kill_port=$1 how=$2
    shift 2
    run "$how ends well" 0 "$@" -s "$kill_port" -t 3s
    only_the_idle_died "$kill_port" "$how"
}

destroy() {
    serve 5001 127.0.0.1
    serve 5002 127.0.0.1
    serve 5003 127.0.0.1
    serve 5004 ::1
    if test -e /modules/inet_diag.ko && test -e /modules/tcp_diag.ko; then
        run "without inet_diag: not possible here" 3 tcp-closer -s 5001
        check "without inet_diag: says what is missing" says "inet_diag|tcp_diag"
        insmod /modules/inet_diag.ko
        run "without tcp_diag: not possible here" 3 tcp-closer -s 5001
        check "without tcp_diag: says what is missing" says tcp_diag
        check "without tcp_diag: closes nothing" has_clients 5001 2
        insmod /modules/tcp_diag.ko
    else
        echo "skip without tcp_diag: this kernel has it built in"
    fi
    sleep 4
    dry_run 5001
    run "destroy ends well" 0 tcp-closer -s 5001 -t 3s
    check "destroy: says so" says "destroyed .*:5001\b"
    only_the_idle_died 5001 destroy
    kill_owner 5002 --use_proc tcp-closer --use_proc
    run "destroy from the client's side ends well" 0 tcp-closer -d 5003 -t 3s
    only_the_idle_died 5003 "destroy from the client's side"
    run "destroy on IPv6 ends well" 0 tcp-closer -6 -s 5004 -t 3s
    only_the_idle_died 5004 "destroy on IPv6"
}

# A kernel with INET_DIAG and without SOCK_DESTROY.
no_destroy() {
    serve 5001 127.0.0.1
    serve 5002 127.0.0.1
    serve 5003 127.0.0.1
    sleep 4
    dry_run 5001
    run "without SOCK_DESTROY: not possible here" 3 tcp-closer -s 5001 -t 3s
    check "without SOCK_DESTROY: says what is missing" says "SOCK_DESTROY|INET_DIAG_DESTROY"
    check "without SOCK_DESTROY: says what to do instead" says "--use-proc|--use_proc|--method"
    check "without SOCK_DESTROY: closes nothing" has_clients 5001 2
    kill_owner 5002 --use_proc tcp-closer --use_proc
    kill_owner 5003 "the build without SOCK_DESTROY" tcp-closer-no-sock-destroy
}

check "runs on $(uname -srm)" tcp-closer --version
"$tests"
echo "end of tests"
poweroff -f
