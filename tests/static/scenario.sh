# What guest.sh and inside.sh share; for busybox's shell and commands. Needs $scratch, a folder to write in.
# Result lines: "ok NAME", "not ok NAME", "skip NAME", "# why it failed".
# shellcheck shell=dash disable=SC2154 # scratch is the caller's, the others are set by eval

mkfifo "$scratch/never"
sleep 1000000 >"$scratch/never" & # whoever reads from there waits for ever

result() { # STATUS NAME
    if test "$1" = 0; then echo "ok $2"; else echo "not ok $2"; sed 's/^/# /' "$scratch/said"; fi
}
check() { # NAME COMMAND...
    check_name=$1
    shift
    "$@" >"$scratch/said" 2>&1
    result $? "$check_name"
}
run() { # NAME STATUS COMMAND...: like check, for a command that has to end with STATUS; what it says stays in $scratch/run
    run_name=$1 want=$2
    shift 2
    "$@" >"$scratch/run" 2>&1
    got=$?
    { echo "$* ended with $got, not $want:"; cat "$scratch/run"; } >"$scratch/said"
    test $got = "$want"
    result $? "$run_name"
}
says() { cat "$scratch/run" && grep -qE -- "$1" "$scratch/run"; }
silent_about() { cat "$scratch/run" && ! grep -qE -- "$1" "$scratch/run"; }
within_10s() { # COMMAND...
    for _ in $(seq 100); do
        "$@" && return
        usleep 100000
    done
    echo "# not within 10 s: $*"
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
listens() { cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -q "$(printf ':%04X 0*:0000 0A' "$1")"; }
has_clients() { test "$(clients "$1" | wc -l)" = "$2"; }
echoes() { test "$(echo hello | timeout 10 nc 127.0.0.1 "$1")" = hello; }

# An echo server on PORT, with an idle client and then a busy one. Sets listener_PORT, idle_PORT and busy_PORT to their
# process ids, and idle_from_PORT and busy_from_PORT to their ports.
serve() { # PORT ADDRESS
    nc -ll -p "$1" -e cat 2>/dev/null &
    eval "listener_$1=$!"
    within_10s listens "$1"
    nc "$2" "$1" <"$scratch/never" >/dev/null 2>&1 &
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
