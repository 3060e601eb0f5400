#!/bin/sh
# Compares tcp-closer with ss of iproute2 and with the floor (tests/floor: only the system calls), on connections that the Lab
# creates in separate namespaces. Ends with the limits that must be met. docs/performance.md explains the numbers.
# Usage: scripts/bench.sh [OPTION...]
#   --quick               smaller sizes, without the cases million and memory, in under three minutes
#   --runs N              runs of each candidate (default 5)
#   --sizes 'N...'        connections in the cases kill and list (default 1000 10000 100000)
#   --cases 'NAME...'     of: startup list groups few ports kill use_proc disconnect one probe rounds verbose neighbours million memory
#   --candidate NAME=PATH also measure this build of tcp-closer; repeatable. With NAME tcp-closer it replaces the build of this tree
#   --ss PATH             use this ss instead of the machine's
#   --patience SECONDS    maximum total wait for an idle CPU (default 300; with --quick 20)
#   --no-build            use the existing builds
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh
set -f # ss takes words with brackets

port=5000
forever=4233600000 # 49 days: nothing is idle that long, so everything matches and nothing is closed
quick_cases='startup list groups few ports kill use_proc disconnect one probe rounds verbose neighbours'
runs=5 sizes='' cases='' patience=''
crowd='' spread=50000 some=10000 many_processes=200 million=1000000 crowded=200 build=true inside=false tools='' ss=$(command -v ss || true)
lab=$PWD/artifacts/publish/TcpCloser.Lab/release_linux-$(own_arch)/tcp-closer-lab
own=$PWD/artifacts/tcp-closer-linux-musl-$(own_arch)
floor=$PWD/artifacts/floor

original=$(printf '%s\n' "$@")
while test $# -gt 0; do
    case $1 in
        --quick) sizes=${sizes:-1000 10000} crowd=10000 spread=5000 some=1000 many_processes='' crowded=20 cases=${cases:-$quick_cases} patience=${patience:-20} ;;
        --no-build) build=false ;;
        --inside) inside=true table=$2; shift ;;
        --runs | --sizes | --cases | --candidate | --ss | --patience)
            test $# -gt 1 || die "$1 needs a value"
            case $1 in
                --runs) runs=$2 ;;
                --sizes) sizes=$2 ;;
                --cases) cases=$2 ;;
                --candidate) case $2 in tcp-closer=*) own=${2#*=} build=false ;; ?*=/*) tools="$tools $2" ;; *) die "--candidate $2: NAME=/PATH" ;; esac ;;
                --ss) ss=$2 ;;
                --patience) patience=$2 ;;
            esac
            shift ;;
        *) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; die "unknown argument '$1'" ;;
    esac
    shift
done
cases=${cases:-$quick_cases million memory} patience=${patience:-300}
sizes=${sizes:-1000 10000 100000} crowd=${crowd:-100000}
tools="tcp-closer=$own$tools"

if ! $inside; then
    need unshare:util-linux nsenter:util-linux ss:iproute2 find:findutils
    if $build; then
        scripts/build-musl.sh
        publish tests/TcpCloser.Lab/TcpCloser.Lab.csproj
        gcc -std=c11 -O2 -static tests/floor/floor.c -o "$floor"
    fi
    test -x "$lab" && test -x "$floor" || die "$lab or $floor is missing: run without --no-build"
    user=; test "$(id -u)" = 0 || user=-r
    # Network namespaces created in the first one get their own hash table, as large as the machine's.
    table=$(tr -d - </proc/sys/net/ipv4/tcp_ehash_entries)
    IFS='
'
    # shellcheck disable=SC2086 # the original words
    exec unshare $user -n -m -p -f --mount-proc --kill-child -- "$PWD/scripts/bench.sh" --inside "$table" $original
fi

echo "$table" >/proc/sys/net/ipv4/tcp_child_ehash_entries
work=$(mktemp -d)
lab_pid=
finish() {
    exec 8>&- || true
    test -z "$lab_pid" || wait "$lab_pid" || true
    umount "$work" && rmdir "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM
mount -t tmpfs tmpfs "$work" # logs cause no disk I/O
test ! -e /dev/log || mount --bind /dev/null /dev/log # no syslog daemon
mkfifo "$work/in"
results=$work/results
: >"$results"

# hold OPTION...: starts a Lab with connections in a separate network namespace.
hold() {
    : >"$work/answer"
    unshare -n "$lab" hold --port $port "$@" <"$work/in" >>"$work/answer" 2>&1 &
    lab_pid=$!
    exec 8>"$work/in"
    until grep -q '^READY' "$work/answer"; do
        kill -0 $lab_pid 2>/dev/null || { cat "$work/answer"; die "the Lab failed: hold $*"; }
        sleep 0.05
    done
}

release() {
    exec 8>&-
    wait "$lab_pid" || true
    lab_pid=
}

# Prints how many server ends are still alive, as seen by their processes.
alive() {
    : >"$work/answer"
    echo state >&8
    until grep -q '^\.$' "$work/answer"; do sleep 0.01; done
    sed -n 's/^server alive=\([0-9]*\).*/\1/p' "$work/answer"
}

# Prints the busy ticks and the total ticks of all CPUs.
ticks() { awk '/^cpu / { busy = $2 + $3 + $4 + $7 + $8 + $9; print busy, busy + $5 + $6 }' /proc/stat; }

# Waits until the CPUs are idle for 95 % of 200 ms; false if the total wait is used up.
waits=0
await_quiet() {
    while true; do
        before=$(ticks); sleep 0.2; after=$(ticks)
        test $(((${after% *} - ${before% *}) * 20)) -gt $((${after#* } - ${before#* })) || return 0
        test $waits -lt $((patience * 5)) || return 1
        waits=$((waits + 1))
    done
}

# sample CASE CANDIDATE LAB-OPTIONS COMMAND...: runs the command in the Lab's namespace and records the figures.
sample() {
    name=$1 candidate=$2 how=$3
    shift 3
    quiet=1; await_quiet || quiet=0
    rm -f "$work/log"
    # shellcheck disable=SC2086 # a list of options
    nsenter -t "$lab_pid" -n -- "$lab" time $how --output "$work/out" -- "$@" >"$work/times" 2>&1 8>&- || die "$* failed: $(cat "$work/times")"
    sed "s/[a-z0-9-]*=//g; s/ /|/g; s/^/$name|$candidate|$quiet|$(alive)|/" "$work/times" >>"$results"
}

turn=0
# Prints the tools and ss, every second time in reverse order.
candidates() {
    if test $((turn % 2)) = 0; then echo "$@"; else printf '%s\n' "$@" | sort -r; fi
}

# compare CASE LAB-OPTIONS SS-WORDS TOOL-WORDS: runs all candidates once. If $fresh is set, each gets new connections; if $beneath
# is set, the floor runs with those arguments too. SS-WORDS that begin with a slash name a different program.
fresh=
beneath=
# shellcheck disable=SC2086 # lists of words
compare() {
    case $3 in /*) reference=$3 ;; *) reference="$ss $3" ;; esac
    for one in $(candidates $tools ${beneath:+floor} reference); do
        test -z "$fresh" || hold $fresh
        if test "$one" = floor; then
            sample "$1" floor "$2" "$floor" $beneath
        elif test "$one" = reference; then
            case $reference in *find) sample "$1" find "$2" /bin/sh -c "exec $reference /proc/[0-9]*/fd -lname 'socket:*'" ;; *) sample "$1" ss "$2" $reference ;; esac
        else
            sample "$1" "${one%%=*}" "$2" "${one#*=}" $4 -f "$work/log" --disable-syslog
        fi
        test -z "$fresh" || release
    done
    turn=$((turn + 1))
}

repeat() { for _ in $(seq "$runs"); do "$@"; done; }

# among HOLD-OPTIONS COMPARE-ARGUMENTS...: all runs use the same connections.
among() {
    # shellcheck disable=SC2086 # a list of options
    hold $1
    shift
    repeat compare "$@"
    release
}

# apart HOLD-OPTIONS COMPARE-ARGUMENTS...: each run uses new connections.
apart() {
    fresh=$1
    shift
    repeat compare "$@"
    fresh=
}

# Both families, as ss lists them, and IPv4 only, where a run that matches nothing also searches all states and processes for its hint.
case_startup() {
    among "--count 1" start-up "--runs 10" "-tn sport = :1" "-46 -n -q -s 1"
    among "--count 1" "start-up, IPv4" "--runs 10" "-tn sport = :1" "-n -s 1"
}
case_list() {
    beneath="list $port"
    for size in $sizes; do
        among "--count $size" "list $size" "--runs 2" "-tni sport = :$port" "-n -t $forever -s $port"
    done
    beneath=
}
case_groups() {
    for size in $sizes; do
        among "--count $size" "groups $size" "--runs 2" "-tni" "--group-by port"
    done
}
case_few() {
    among "--count $((crowd / 100)) --decoys $((crowd - crowd / 100))" "$((crowd / 100)) of $crowd match" "--runs 2" \
        "-tni sport = :$port" "-n -t $forever -s $port"
}
case_ports() {
    # 18,000 listening ports: about as many as the usual limit of descriptors allows, and below the ephemeral ports of the clients.
    hold --count $spread --ports 18000
    every() { seq $port "$1" $((port + 17999)); }
    filter() { echo "( $(every "$1" | sed '2,$s/^/or sport = :/; 1s/^/sport = :/') )" | tr '\n' ' '; }
    for step in 18000:1 141:128 6:3000; do
        # At 3,000 ports ss still gets the filter with 128, which is the reference of the limit.
        test "${step#*:}" = 3000 || filter=$(filter "${step%:*}")
        repeat compare "${step#*:} ports of $spread" "--runs 2" "-tni $filter" "-n -t $forever -s $(every "${step%:*}" | tr '\n' , | sed 's/,$//')"
    done
    release
}
case_kill() {
    beneath="kill $port"
    for size in $sizes; do apart "--count $size" "kill $size" "" "-K -tn sport = :$port" "-s $port"; done
    beneath=
}
case_use_proc() {
    beneath="use_proc $port"
    for processes in 50 $many_processes; do
        apart "--count $((processes * 20)) --processes $processes --client-process --decoy-processes 200 --decoy-files 50" \
            "use_proc ${processes}x20" "" "$(command -v find)" "--use_proc -s $port"
    done
    beneath=
}
case_disconnect() {
    beneath="disconnect $port"
    for processes in 1 $many_processes; do
        apart "--count $some --processes $processes" "disconnect $some of $processes" "" "-K -tn sport = :$port" "--method disconnect -s $port"
    done
    beneath=
}
# One connection on a machine with many descriptors, held by a process with few.
case_one() {
    apart "--count 1 --decoy-processes $crowded --decoy-files 600" "one of $((crowded * 600))" "" "$(command -v find)" "--method disconnect -s $port"
}
# ask_all CASE LAB-OPTIONS HOLD-OPTIONS: probes all peers. Peers heard from within the last second are not probed, so each run waits.
ask_all() {
    for _ in $(seq "$runs"); do
        # shellcheck disable=SC2086 # a list of options
        hold --count $some --client-process $3
        for one in $(candidates $tools floor ${2:+reference}); do
            sleep 1.2
            case $one in
                floor) sample "$1" floor "$2" "$floor" probe $port ;;
                reference) sample "$1" ss "$2" $ss -tni sport = ":$port" ;;
                *) sample "$1" "${one%%=*}" "$2" "${one#*=}" -n --probe 3s -s $port -f "$work/log" --disable-syslog ;;
            esac
        done
        release
        turn=$((turn + 1))
    done
}
case_probe() {
    ask_all "probe $some" "" ""
    ask_all "silent $some" "" --deaf
}
# The effect on others: a request-response pair on another connection in the namespace.
case_neighbours() {
    among "--count $crowd" "beside list $crowd" "--runs 2 --pair" "-tni sport = :$port" "-n -t $forever -s $port"
    ask_all "beside probe $some" --pair ""
    ask_all "beside silent $some" --pair --deaf
    apart "--count $crowd" "beside kill $crowd" "--pair" "-K -tn sport = :$port" "-s $port"
    apart "--count $crowd" "beside disconnect $crowd" "--pair" "-K -tn sport = :$port" "--method disconnect -s $port"
}
# Ten processes, because of the limit of descriptors. ss only lists, because closing as many takes it minutes and gigabytes.
case_million() {
    hold --count $million --processes 10
    beneath="list $port"
    repeat compare "list $million" "" "-tni sport = :$port" "-n -t $forever -s $port"
    for _ in $(seq "$runs"); do sample "owners of $million" tcp-closer "" "$own" -n -t 0 -s "$port" --disable-syslog; done
    release
    hold --count 1000 --decoys $million --processes 10
    sample "walk beside $million" floor "--runs $runs" "$floor" list $port
    sample "service beside $million" tcp-closer "--term-after 9500" "$own" -i 1s -t $forever -s "$port" -f "$work/log" --disable-syslog
    release
    beneath="kill $port"
    apart "--count $million --processes 10" "kill $million" "" "-tni sport = :$port" "-s $port"
    beneath=
}
case_rounds() {
    cat >"$work/ten" <<END
for _ in 1 2 3 4 5 6 7 8 9 10; do $ss -tni sport = :$port; done
END
    hold --count $some
    for _ in $(seq "$runs"); do
        sample "ten rounds $some" ss "" /bin/sh "$work/ten"
        for tool in $tools; do
            sample "ten rounds $some" "${tool%%=*}" "--term-after 950" "${tool#*=}" -i 100ms -t $forever -s $port -f "$work/log" --disable-syslog
        done
    done
    release
}
case_verbose() { among "--count $some" "verbose $some" "--runs 2" "-tnpi sport = :$port" "-v -n -t $forever -s $port"; }
case_memory() {
    hold --count 100
    for _ in $(seq "$runs"); do
        for tool in $tools; do
            for wanted in 10:95:10ms 1000:4000:1ms; do
                time=${wanted#*:}
                sample "memory ${wanted%%:*} rounds" "${tool%%=*}" "--term-after ${time%:*}" \
                    "${tool#*=}" -i "${wanted##*:}" -t $forever -s $port -f "$work/log" --disable-syslog
                rounds=$(sed -n 's/.* totals rounds=\([0-9]*\).*/\1/p' "$work/log")
                test "$rounds" -ge $((${wanted%%:*} * 8 / 10)) || say "memory: only $rounds rounds of ${wanted%%:*}"
            done
        done
    done
    release
}

cat <<END
Machine: $(nproc) CPUs, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(awk '/MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo)
Kernel: $(uname -r), hash table of $table
Reference: $("$ss" -V)
Candidates: $(for tool in $tools; do printf '%s (%s) ' "${tool%%=*}" "$("${tool#*=}" --version)"; done)
Load at the start: $(cut -d' ' -f1-3 /proc/loadavg); $runs runs

END
for case in $cases; do
    say "$case"
    "case_$case"
done
awk -F'|' -f scripts/bench.awk "$results"
