#!/bin/busybox sh
# shellcheck shell=dash disable=SC2034,SC2154,SC1091 # set by eval, by the kernel, for scenario.sh
# Process 1 of the virtual machine. $tests, from the kernel's command line, names what to run: destroy or no_destroy.
# run.sh takes its result lines from the console, up to "end of tests".

/bin/busybox --install -s /bin
export PATH=/bin
mkdir -p /proc /sys /dev /tmp
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
exec </dev/null >/dev/console 2>&1
ip link set lo up
scratch=/tmp
. /scenario.sh

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
    serve 5004 127.0.0.1
    sleep 4
    dry_run 5001
    run "without SOCK_DESTROY: destroy is not possible here" 3 tcp-closer --method destroy -s 5001 -t 3s
    check "without SOCK_DESTROY: says what is missing" says "SOCK_DESTROY|INET_DIAG_DESTROY"
    check "without SOCK_DESTROY: says what to do instead" says "--use-proc|--use_proc|--method"
    check "without SOCK_DESTROY: closes nothing" has_clients 5001 2
    run "without SOCK_DESTROY: --check says so, and that all can be closed all the same" 0 tcp-closer --check
    check "without SOCK_DESTROY: --check names the method that can" says "^disconnect +yes"
    run "without SOCK_DESTROY: auto ends well" 0 tcp-closer -s 5001 -t 3s
    check "without SOCK_DESTROY: auto disconnects" says "disconnected .*:5001\b"
    check "without SOCK_DESTROY: auto signals nobody" silent_about "sent SIG"
    only_the_idle_died 5001 "auto without SOCK_DESTROY"
    kill_owner 5002 --use_proc tcp-closer --use_proc
    kill_owner 5003 "the build without SOCK_DESTROY" tcp-closer-no-sock-destroy
    run "the build without SOCK_DESTROY: disconnect ends well" 0 tcp-closer-no-sock-destroy --method disconnect -s 5004 -t 3s
    only_the_idle_died 5004 "the build without SOCK_DESTROY: disconnect"
}

check "runs on $(uname -srm)" tcp-closer --version
"$tests"
echo "end of tests"
poweroff -f
