# Shared by guest.sh and inside.sh; for busybox's shell and commands. Needs $scratch, a writable directory.
# Result lines: "ok NAME", "not ok NAME", "skip NAME", "# output of the failed command".
# Connections are opened and listed in this network namespace, or in another one that the command $inside enters.
# shellcheck shell=dash disable=SC2154,SC2086,SC2046,SC3045 # set by the caller and by eval; lists of words; read -t

inside=
pause=${pause-0.1} # between the messages of a busy client, in seconds

mkfifo "$scratch/never"
sleep 1000000 >"$scratch/never" & # a reader of this FIFO waits forever

result() { # STATUS NAME
    if test "$1" = 0; then echo "ok $2"; else echo "not ok $2"; sed 's/^/# /' "$scratch/output"; fi
}
check() { # NAME COMMAND...
    check_name=$1
    shift
    "$@" >"$scratch/output" 2>&1
    result $? "$check_name"
}
run() { # NAME STATUS COMMAND...: like check, for a command that has to exit with STATUS; keeps its output in $scratch/run
    run_name=$1 expected=$2
    shift 2
    "$@" >"$scratch/run" 2>&1
    got=$?
    { echo "$* exited with $got, not $expected:"; cat "$scratch/run"; } >"$scratch/output"
    test $got = "$expected"
    result $? "$run_name"
}
ends_in_failure() { # COMMAND...: like run, for a command that has to exit with 1 or 3
    "$@" >"$scratch/run" 2>&1
    got=$?
    cat "$scratch/run"
    echo "exited with $got"
    test $got = 1 || test $got = 3
}
prints() { grep -E -- "$1" "$scratch/run" || { cat "$scratch/run" && return 1; }; }
does_not_print() { ! prints "$1"; }
within_10s() { # COMMAND...: prints its output only if it never succeeds
    tries=100
    until "$@" >"$scratch/waited" 2>&1; do
        tries=$((tries - 1))
        if test $tries = 0; then
            echo "# not within 10 s: $*"
            cat "$scratch/waited"
            return 1
        fi
        usleep 100000
    done
}
gone() { ! kill -0 "$1" 2>/dev/null; }
alive() { kill -0 "$1"; }

# Prints the peers' ports of the sockets on PORT in STATE (two hexadecimal digits). Uses a single awk, because processes are
# expensive in user-mode-linux.
sockets() { # PORT STATE FIELD: the field of PORT in /proc/net/tcp: 2 for a server's sockets, 3 for its clients'
    # shellcheck disable=SC2016 # variables of awk
    $inside awk -v port="$1" -v state="$2" -v field="$3" '
        function port_of(address,  i, n) {
            for (i = length(address) - 3; i <= length(address); i++) n = n * 16 + index("123456789ABCDEF", substr(address, i, 1))
            return n + 0
        }
        $4 == state && port_of($field) == port { print port_of($(5 - field)) }' /proc/net/tcp* 2>/dev/null
}
clients() { sockets "$1" 01 2; } # PORT: the ports of clients with an established connection, from the server's side
count() { # NUMBER WORD...
    number=$1
    shift
    echo "$# found, $number expected: $*"
    test $# = "$number"
}
has_clients() { count "$2" $(clients "$1"); } # PORT NUMBER
has_ends() { count "$3" $(sockets "$1" "$2" 3); } # PORT STATE NUMBER: sockets of a server's clients, from the clients' side
listens() { test -n "$(sockets "$1" 0A 2)"; }
echoes() { test "$(echo hello | $inside timeout 10 nc 127.0.0.1 "$1")" = hello; }

# Starts an echo server on PORT, with an idle client.
serve_idle() { # PORT ADDRESS
    $inside nc -ll -p "$1" -e cat 2>/dev/null &
    eval "listener_$1=$!"
    within_10s listens "$1"
    $inside nc "$2" "$1" <"$scratch/never" >/dev/null 2>&1 &
    eval "idle_$1=$!"
    within_10s has_clients "$1" 1
    eval "idle_from_$1=$(clients "$1")"
}
# The same, with a busy client as well. Sets listener_PORT, idle_PORT and busy_PORT to the process ids, and idle_from_PORT and
# busy_from_PORT to the ports of the clients.
serve() { # PORT ADDRESS
    serve_idle "$1" "$2"
    while :; do
        echo x
        read -t "$pause" -r _ # unlike sleep, no process
    done <"$scratch/never" | $inside nc "$2" "$1" >/dev/null 2>&1 &
    eval "busy_$1=$!"
    within_10s has_clients "$1" 2
    eval "busy_from_$1=\$(clients $1 | grep -vx \$idle_from_$1)"
}
only_the_idle_died() { # PORT HOW
    eval "idle=\$idle_$1 busy=\$busy_$1 listener=\$listener_$1"
    check "$2: the idle client has noticed" within_10s gone "$idle"
    check "$2: the busy client is alive" alive "$busy"
    check "$2: the connection of the busy client is open" has_clients "$1" 1
    check "$2: the listener is alive" alive "$listener"
    check "$2: the listener still serves" echoes "$1"
}
