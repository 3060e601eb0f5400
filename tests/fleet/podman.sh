# The table of docs/fleet.md on podman: each kind of work with the flags that it needs, and without each of them. tests/fleet/run.sh runs it
# in namespaces of its own, with /run and podman's storage in $work, which also has the binaries.
# shellcheck shell=dash disable=SC2154 # $work is set by the caller
set -u
. tests/results.sh
cd "$work" || exit 1
# names.sh uses the same storage.
trap 'podman rm -fa -t 0 >/dev/null 2>&1' EXIT

# The flags, and what the program is asked to do.
net=--net=host pid=--pid=host
admin=--cap-add=NET_ADMIN ptrace=--cap-add=SYS_PTRACE read=--cap-add=DAC_READ_SEARCH kill=--cap-add=KILL enter=--cap-add=SYS_ADMIN
names=-v=/run/netns:/run/netns:rslave

ended() { # STATUS TEXT FLAGS OPTION...: the container ends with the status and prints the text (a regular expression)
    status=$1 text=$2 given=$3
    shift 3
    code=0
    # shellcheck disable=SC2086 # a list of flags
    podman run --rm --cap-drop=ALL $given tcp-closer --disable-syslog "$@" >run 2>&1 || code=$?
    cat run
    test "$code" = "$status" || { echo "ended with $code, not $status"; return 1; }
    grep -Eq -- "$text" run || { echo "does not print $text"; return 1; }
}
without() { # FLAG FLAGS
    for flag in $2; do test "$flag" = "$1" || printf '%s ' "$flag"; done
}

# A peer that stops answering: its kernel has no way back any more.
ip netns add peer
ip link add to-peer type veth peer name eth0 netns peer
ip addr add 10.9.0.1/24 dev to-peer
ip link set to-peer up
ip -n peer addr add 10.9.0.2/24 dev eth0
ip -n peer link set eth0 up
ip -n peer link set lo up
ip -n peer route add default via 10.9.0.1

serve() { # PORT: the holder of a connection on the host, of another user than root
    : >"serve-$1"
    setpriv --reuid 1000 --regid 1000 --clear-groups bin/hold serve "$1" >"serve-$1" 2>&1 &
    within_20s grep -q listening "serve-$1"
}
connect() { # ADDRESS PORT
    ip -n peer route del blackhole "$1" 2>/dev/null
    : >"connect-$2"
    ip netns exec peer bin/hold connect "$1" "$2" >"connect-$2" 2>&1 &
    within_20s grep -q connected "connect-$2"
    ip -n peer route add blackhole "$1"
    sleep 0.3 # the idle time of the rules below
}

podman build -q -f Dockerfile.tool -t tcp-closer . >build 2>&1 && podman build -q -f Dockerfile.hold -t hold . >>build 2>&1 || { cat build; exit 1; }
ok "podman runs the image" ended 0 'tcp-closer [0-9]' "" --version
serve 5432
connect 10.9.0.1 5432
podman run -d --name web --user 1000 hold serve 8080 >/dev/null
web=$(podman inspect web -f '{{.NetworkSettings.IPAddress}}')
web_netns=$(basename "$(podman inspect web -f '{{.NetworkSettings.SandboxKey}}')")
echo 1 >/proc/sys/net/ipv4/ip_forward
within_20s sh -c 'podman logs web | grep -q listening'
connect "$web" 8080
idle="-t 200ms"

# shellcheck disable=SC2086 # lists of options
{
    flags="$net $admin"
    ok "host: matched with its flags" ended 0 'idle=1 .*failed=0' "$flags" -n -s 5432 $idle
    ok "host: without --net=host nothing matches" ended 0 'matched=0' "$(without $net "$flags")" -s 5432 $idle
    ok "host: without NET_ADMIN the error names it" ended 3 'CAP_NET_ADMIN is missing' "$(without $admin "$flags")" -s 5432 $idle

    flags="$net $pid $admin $ptrace $read"
    ok "--probe: calls the peer silent with its flags" ended 0 'idle=1 .*unasked=0' "$flags" -n -s 5432 $idle --probe 3s
    ok "--probe: without --pid=host the error names it" ended 3 'docker run --pid=host' "$(without $pid "$flags")" -n -s 5432 $idle --probe 3s
    ok "--probe: without NET_ADMIN the error names it" ended 3 'CAP_NET_ADMIN is missing' "$(without $admin "$flags")" -n -s 5432 $idle --probe 3s
    ok "--probe: without SYS_PTRACE the error names it" ended 3 'CAP_SYS_PTRACE is missing' "$(without $ptrace "$flags")" -n -s 5432 $idle --probe 3s
    ok "--probe: without DAC_READ_SEARCH the error names it" ended 3 'CAP_DAC_READ_SEARCH is missing' "$(without $read "$flags")" -n -s 5432 $idle --probe 3s

    flags="$net $pid $ptrace $read"
    for rule in "-s 5432 --method disconnect" "-s 5432 --method keepalive" "--comm hold -s 5432"; do
        # Without knowing all holders, "no process has that name" would not be certain: that run is incomplete.
        case $rule in --comm*) unread=1 ;; *) unread=3 ;; esac
        ok "$rule: matched with its flags" ended 0 'idle=1 .*failed=0' "$flags" -n $rule $idle
        ok "$rule: without --pid=host the error names it" ended 3 'docker run --pid=host' "$(without $pid "$flags")" $rule $idle
        ok "$rule: without SYS_PTRACE the error names it" ended 3 'CAP_SYS_PTRACE is missing' "$(without $ptrace "$flags")" $rule $idle
        ok "$rule: without DAC_READ_SEARCH the error names it" ended $unread 'CAP_DAC_READ_SEARCH is missing' "$(without $read "$flags")" $rule $idle
    done

    flags="$net $pid $ptrace $read $kill"
    ok "kill: matched with its flags" ended 0 'idle=1 .*failed=0' "$flags" -n -s 5432 $idle --method kill
    ok "kill: without --pid=host the error names it" ended 3 'docker run --pid=host' "$(without $pid "$flags")" -s 5432 $idle --method kill
    ok "kill: without KILL the error names it" ended 3 'CAP_KILL is missing' "$(without $kill "$flags")" -s 5432 $idle --method kill
    ok "kill: without SYS_PTRACE the error names it" ended 3 'CAP_SYS_PTRACE is missing' "$(without $ptrace "$flags")" -s 5432 $idle --method kill
    ok "kill: without DAC_READ_SEARCH the error names it" ended 3 'CAP_DAC_READ_SEARCH is missing' "$(without $read "$flags")" -s 5432 $idle --method kill

    flags="$pid $admin $enter $ptrace"
    ok "--all-netns: finds the container's connection with its flags" ended 0 'idle=1 .*failed=0' "$flags" -n --all-netns -s 8080 $idle
    ok "--all-netns: finds the host's connection without --net=host" ended 0 'idle=1 .*failed=0' "$flags" -n --all-netns -s 5432 $idle
    ok "--all-netns: without --pid=host nothing matches" ended 0 'matched=0' "$(without $pid "$flags")" -n --all-netns -s 8080 $idle
    ok "--all-netns: without SYS_ADMIN the error names it" ended 1 'CAP_SYS_ADMIN is missing' "$(without $enter "$flags")" -n --all-netns -s 8080 $idle
    ok "--all-netns: without SYS_PTRACE the error names it" ended 1 'CAP_SYS_PTRACE is missing' "$(without $ptrace "$flags")" -n --all-netns -s 8080 $idle
    ok "--all-netns: without NET_ADMIN the error names it" ended 3 'CAP_NET_ADMIN is missing' "$(without $admin "$flags")" --all-netns -s 8080 $idle
    ok "--all-netns --probe: calls the peer silent with DAC_READ_SEARCH also" ended 0 'idle=1 .*unasked=0' "$flags $read" -n --all-netns -s 8080 $idle --probe 3s

    flags="$names $enter $admin"
    ok "--all-netns by the mount of /run/netns: finds the container's connection" ended 0 'idle=1 .*failed=0' "$flags" -n --all-netns -s 8080 $idle
    ok "--netns NAME: finds the container's connection" ended 0 'idle=1 .*failed=0' "$flags" -n --netns "$web_netns" -s 8080 $idle
    ok "--netns NAME: without the mount the error names it" ended 1 'docker run -v /run/netns:/run/netns:rslave' "$(without $names "$flags")" -n --netns "$web_netns" -s 8080 $idle
    ok "--netns NAME: without SYS_ADMIN the error names it" ended 3 'CAP_SYS_ADMIN is missing' "$(without $enter "$flags")" -n --netns "$web_netns" -s 8080 $idle

    # Names that are created later reach a container only through rslave.
    podman run -d --name early --cap-drop=ALL --cap-add=SYS_ADMIN -v /run/netns:/run/netns tcp-closer --disable-syslog -i 1h -s 1 >/dev/null
    podman run -d --name early-rslave --cap-drop=ALL --cap-add=SYS_ADMIN $names tcp-closer --disable-syslog -i 1h -s 1 >/dev/null
    ip netns add later
    sees_later() { podman exec "$1" /tcp-closer --disable-syslog -n --netns later -s 1; } # CONTAINER
    hint() { sees_later early 2>&1 | grep 'it is not a network namespace.*:rslave'; }
    ok "--netns NAME: a later name is seen through rslave" sees_later early-rslave
    ok "--netns NAME: without rslave the error names it" hint
    podman rm -f -t 0 early early-rslave >/dev/null

    flags="--net=container:web $admin"
    ok "one container: finds its connection with NET_ADMIN alone" ended 0 'idle=1 .*failed=0' "$flags" -n -s 8080 $idle
    ok "one container: without NET_ADMIN the error names it" ended 3 'CAP_NET_ADMIN is missing' "$(without $admin "$flags")" -s 8080 $idle

    # Closing, by the most useful of these.
    closed() { within_20s grep -q '^ended' "$1"; }
    in_web() { podman logs web >web-log 2>&1; grep -q '^ended' web-log; }
    ok "host: the connection of a dead peer is closed" ended 0 ' closed=1 ' "$net $pid $admin $ptrace $read" -s 5432 $idle --probe 3s
    ok "host: its holder got the error" closed serve-5432
    ok "--all-netns: the container's connection is closed" ended 0 ' closed=1 .*failed=0' "$pid $admin $enter $ptrace" --all-netns -s 8080 $idle
    ok "--all-netns: its holder got the error" within_20s in_web
}

# The pods of packaging/kubernetes, as kubectl renders them: $work/pods has a file for each.
play() { # NAME: starts the pod with a rule for this test instead of the dry run, a round every second, and the metrics here
    mkdir -p metrics
    sed -e "s|registry.example.invalid/tcp-closer:1.0.0|localhost/tcp-closer:latest|; s|/var/lib/node_exporter/textfile_collector|$work/metrics|" \
        -e "s|\$(RULE)|idle|g; s|\$(NODE_NAME)|node1|g; s|\$(POD_NAME)|web-1|g; s|\$(INTERVAL)|1s|g; s|^\( *- \)1m\$|\11s|" \
        -e 's|fieldPath: spec.nodeName|fieldPath: metadata.name|' \
        -e '/^ *- -n$/d; s|^\( *- \)2h$|\1200ms|; s|^\( *- \)"22"$|\1"5433"|; s|^\( *- \)"8080"$|\1"8082"|' "pods/$1.yaml" >"pod-$1.yaml"
    podman kube play --build=false --log-driver=k8s-file "pod-$1.yaml" >play 2>&1 || { cat play; return 1; }
    container=$(podman ps --filter ancestor=localhost/tcp-closer --format '{{.Names}}' | head -n 1)
    test -n "$container" || { podman ps -a; cat play; return 1; }
}
logged() { test -n "$container" && podman logs "$container" >log 2>&1; grep -q "$1" log || { cat log; return 1; }; } # TEXT
live() { podman exec "$container" /tcp-closer --check -i 1s --metrics "/metrics/$1" >check 2>&1; } # FILE
not_live() { ! live "$@" && cat check && grep -q '^service *no' check; }
unplay() { podman kube down "pod-$1.yaml"; }

container=
test -d pods || { echo "skip podman kube play: Debian 13's kubectl cannot be fetched"; echo end; exit 0; }
serve 5433
connect 10.9.0.1 5433
ok "kubernetes: podman plays the pod of the base" play base
ok "kubernetes: the base closes a connection of the node" within_20s logged ' destroyed 10.9.0.1:5433 .* rule=idle@node1'
ok "kubernetes: the base writes its metrics" within_20s grep -q '^tcp_closer_rounds_total{rule="idle@node1",status="done"}' metrics/tcp-closer-idle.prom
ok "kubernetes: the liveness probe succeeds" within_20s live tcp-closer-idle.prom
process=$(podman inspect "$container" -f '{{.State.Pid}}')
kill -STOP "$process"
ok "kubernetes: the liveness probe fails for a service that hangs" within_20s not_live tcp-closer-idle.prom
kill -CONT "$process"
ok "kubernetes: the liveness probe succeeds again" within_20s live tcp-closer-idle.prom
ok "kubernetes: the service stops" podman stop -t 10 "$container" # podman kube down would send SIGKILL
ok "kubernetes: a service that was stopped leaves no metrics" test ! -e metrics/tcp-closer-idle.prom
ok "kubernetes: the pod ends" unplay base

# podman 4.3 plays pods without their hostPID, so ../packaging/kubernetes/pods is covered by the row of --all-netns.
ok "kubernetes: podman plays an application with the sidecar" play with-sidecar
web=$(podman inspect "$(podman ps --filter name=infra -q)" -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}')
connect "$web" 8082
ok "kubernetes: the sidecar closes a connection of its pod" within_20s logged " destroyed $web:8082 .* rule=web-1"
ok "kubernetes: the sidecar's liveness probe succeeds" within_20s live tcp-closer.prom
ok "kubernetes: the application ends" unplay with-sidecar
echo end
