#!/bin/sh
# Measures tcp-closer against ss of iproute2, and against the floor (tests/floor: nothing but the system calls), on connections that
# the Lab makes, in namespaces of its own, and ends with the limits it has to keep. What each number means: docs/performance.md.
# Usage: scripts/bench.sh [OPTION...]
#   --quick               smaller sizes and no cases million and memory, in under three minutes
#   --runs N              runs of each candidate (5)
#   --sizes 'N...'        connections in the cases kill and list (1000 10000 100000)
#   --cases 'NAME...'     of: startup list groups few ports kill use_proc disconnect one probe rounds verbose neighbours million memory
#   --candidate NAME=PATH one more build of tcp-closer; repeatable. NAME=PATH for tcp-closer itself measures that one
#   --ss PATH             another ss than that of this machine
#   --patience SECONDS    how long to wait for a quiet CPU, over all runs together (300; --quick 20)
#   --no-build            what was built before
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh
set -f # ss takes words with brackets

port=5000
forever=4233600000 # 49 days: nothing is idle that long, so everything matches and is left alone
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
    test -x "$lab" && test -x "$floor" || die "no Lab at $lab, or no $floor: run without --no-build"
    user=; test "$(id -u)" = 0 || user=-r
    # A hash table of its own, as large as this machine's, for every network namespace made below the first.
    table=$(tr -d - </proc/sys/net/ipv4/tcp_ehash_entries)
    IFS='
'
    # shellcheck disable=SC2086 # the words as they came
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
mount -t tmpfs tmpfs "$work" # logs cost no disk
test ! -e /dev/log || mount --bind /dev/null /dev/log # no syslog daemon
mkfifo "$work/in"
results=$work/results
: >"$results"

# hold OPTION...: the Lab makes connections in a network namespace of its own.
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

# How many server ends are still alive, by what their processes see.
alive() {
    : >"$work/answer"
    echo state >&8
    until grep -q '^\.$' "$work/answer"; do sleep 0.01; done
    sed -n 's/^server alive=\([0-9]*\).*/\1/p' "$work/answer"
}

# Ticks that all CPUs were busy, and all ticks.
ticks() { awk '/^cpu / { busy = $2 + $3 + $4 + $7 + $8 + $9; print busy, busy + $5 + $6 }' /proc/stat; }

# Waits until the CPUs are idle for 95 % of a fifth of a second; false where patience is at its end.
waits=0
await_quiet() {
    while true; do
        before=$(ticks); sleep 0.2; after=$(ticks)
        test $(((${after% *} - ${before% *}) * 20)) -gt $((${after#* } - ${before#* })) || return 0
        test $waits -lt $((patience * 5)) || return 1
        waits=$((waits + 1))
    done
}

# sample CASE CANDIDATE LAB-OPTIONS COMMAND...: runs it among the Lab's connections and keeps the figures.
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
# Tools and ss, in the other order every second time.
candidates() {
    if test $((turn % 2)) = 0; then echo "$@"; else printf '%s\n' "$@" | sort -r; fi
}

# compare CASE LAB-OPTIONS SS-WORDS TOOL-WORDS: one turn of all candidates. With $fresh, each gets connections of its own; with
# $beneath, the floor does that, too. SS-WORDS that begin with a slash are another program.
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

# among HOLD-OPTIONS COMPARE-ARGUMENTS...: every run among the same connections.
among() {
    # shellcheck disable=SC2086 # a list of options
    hold $1
    shift
    repeat compare "$@"
    release
}

# apart HOLD-OPTIONS COMPARE-ARGUMENTS...: every run among fresh ones.
apart() {
    fresh=$1
    shift
    repeat compare "$@"
    fresh=
}

# Both families, as ss looks at them; and IPv4 alone, which looks at IPv6 afterwards, to say what it did not look at.
case_startup() {
    among "--count 1" start-up "--runs 10" "-tn sport = :1" "-46 -n -s 1"
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
    # 18,000 listening ports: as many as descriptors commonly allow, and below the ephemeral ports, which belong to the clients.
    hold --count $spread --ports 18000
    every() { seq $port "$1" $((port + 17999)); }
    filter() { echo "( $(every "$1" | sed '2,$s/^/or sport = :/; 1s/^/sport = :/') )" | tr '\n' ' '; }
    for step in 18000:1 141:128 6:3000; do
        # At 3,000 ports ss keeps the 128: that is what the limit is set against.
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
# One connection on a machine with many descriptors, held by a process that has few of them.
case_one() {
    apart "--count 1 --decoy-processes $crowded --decoy-files 600" "one of $((crowded * 600))" "" "$(command -v find)" "--method disconnect -s $port"
}
# Who was heard from within TIME is not asked, so the next run waits as long.
ask_all() {
    for _ in $(seq "$runs"); do
        hold --count $some --client-process
        test -z "$2" || sample "$1" ss "$2" $ss -tni sport = ":$port"
        for tool in $tools; do
            sleep 3.5
            sample "$1" "${tool%%=*}" "$2" "${tool#*=}" -n --probe 3s -s $port -f "$work/log" --disable-syslog
        done
        release
    done
}
case_probe() { ask_all "probe $some" ""; }
# What others feel: a pair that asks and answers, on another connection of the namespace.
case_neighbours() {
    among "--count $crowd" "beside list $crowd" "--runs 2 --pair" "-tni sport = :$port" "-n -t $forever -s $port"
    ask_all "beside probe $some" --pair
    apart "--count $crowd" "beside kill $crowd" "--pair" "-K -tn sport = :$port" "-s $port"
    apart "--count $crowd" "beside disconnect $crowd" "--pair" "-K -tn sport = :$port" "--method disconnect -s $port"
}
# Ten processes, because of the limit of descriptors; ss only looks, since it needs minutes and gigabytes to close as many.
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
