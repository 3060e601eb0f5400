# shellcheck shell=sh disable=SC2153,SC2154
# The situations that the documents describe, and what must be true after the commands were run. Sourced by inside.sh.
# Both ends of every connection are on this machine, in different processes, so each end can be asked what it sees.

# --- programs and their connections

# program NAME [COMMAND...]: starts a process of that name, which answers to `ask`, in the cgroup or namespace that COMMAND enters.
program() {
    name=$1
    shift
    mkfifo "$work/$name.in"
    : >"$work/$name.out"
    ln -sf "$LAB" "$work/programs/$name"
    "$@" "$work/programs/$name" sockets <>"$work/$name.in" >>"$work/$name.out" &
    until grep -q '^READY' "$work/$name.out"; do sleep 0.05; done
}

# ask NAME WORDS: sends a command to a program and prints its answer.
ask() {
    : >"$work/$1.out"
    echo "$2" >"$work/$1.in"
    until grep -q '^\.$' "$work/$1.out"; do sleep 0.02; done
    ! grep '^error' "$work/$1.out" || exit 1
    grep -v '^\.$' "$work/$1.out" || true
}

# connect CLIENT SERVER ADDRESS PORT COUNT [WORD...]: both programs number their sockets in the order of these calls.
connect() {
    client=$1 server=$2 address=$3 port=$4 count=$5
    shift 5
    ask "$client" "connect $address $port $count $*" >/dev/null
    ask "$server" "accept $port $count" >/dev/null
}

addresses() { for address; do ip address add "$address/32" dev lo; done; }

# Another machine, 192.0.2.2, as the network namespace far; this one is 192.0.2.1.
make_far() {
    ip netns add far
    ip link add near type veth peer name far0 netns far
    ip address add 192.0.2.1/24 dev near
    ip link set near up
    ip -n far link set lo up
    ip -n far address add 192.0.2.2/24 dev far0
    ip -n far link set far0 up
}

skip() { echo "$*"; exit 77; }

# closed NAME RANGE, alive NAME RANGE: fails unless that is what the program sees on each of these sockets.
closed() { ! ask "$1" "look $2" | grep -E ' (alive|eof)$' || { echo "$1 $2: not closed"; exit 1; }; }
alive() { ! ask "$1" "look $2" | grep -v ' alive$' || { echo "$1 $2: not alive"; exit 1; }; }

# A peer that was heard from within the last second counts as alive, and a new connection has just been heard from.
settle() { sleep 1.5; }

# --- situations

# Nothing is open.
situation_empty() { :; }

# A dead, a quiet and a busy connection of a database.
situation_three() {
    addresses 10.0.0.1 10.0.0.21 10.0.0.22 10.0.0.23
    program postgres
    program app
    ask postgres "listen 10.0.0.1 5432"
    connect app postgres 10.0.0.1 5432 1 from=10.0.0.21
    ask app "deafen 0"
    sleep 1.2
    connect app postgres 10.0.0.1 5432 1 from=10.0.0.22
    sleep 1.2
    connect app postgres 10.0.0.1 5432 1 from=10.0.0.23
    # The third connection receives data all the time.
    (while echo "send 2 1" >"$work/app.in"; do sleep 0.2; done) &
    sender=$!
    sleep 1
}
after_three() {
    kill "$sender"
    sleep 0.5
    closed postgres 0
    alive postgres 1-2
}

# The same, for blocks that close the first connection by its address.
situation_one() { situation_three; }
after_one() { after_three; }

# The same, for blocks that close nothing.
situation_look() { situation_three; }
after_look() {
    kill "$sender"
    sleep 0.5
    alive postgres 0-2
}

# Clients that vanished fill the pool of a database.
situation_pool() {
    addresses 10.0.0.1
    program postgres
    program app
    ask postgres "listen 10.0.0.1 5432"
    connect app postgres 10.0.0.1 5432 11
    ask app "deafen 0-7"
    settle
}
after_pool() {
    closed postgres 0-7
    alive postgres 8-10
}

# Each connection of the server has a process of its own, which ends on SIGTERM.
situation_backend() {
    mkfifo "$work/backend.in"
    ln -s "$LAB" "$work/programs/backend"
    "$work/programs/backend" hold --count 3 --processes 3 --client-process --port 5432 <>"$work/backend.in" >"$work/backend.out" &
    until grep -q '^READY' "$work/backend.out"; do sleep 0.05; done
    sleep 61
}
after_backend() { test -z "$(ss -Htn state established sport = :5432)" || { echo "not closed"; exit 1; }; }

# The server behind 10.0.0.5 is gone without a word.
situation_failover() {
    addresses 10.0.0.5 10.0.0.6
    program app
    program postgres
    ask postgres "listen 10.0.0.5 5432"
    connect app postgres 10.0.0.5 5432 6
    ask postgres "deafen 0-5"
    program replica
    ask replica "listen 10.0.0.6 5432"
    connect app replica 10.0.0.6 5432 2
    settle
}
after_failover() {
    closed app 0-5
    alive app 6-7
}

# The address 10.0.0.5 has moved to another machine.
situation_moved() {
    addresses 10.0.0.1 10.0.0.5
    program postgres
    program app
    ask postgres "listen 0.0.0.0 5432"
    connect app postgres 10.0.0.5 5432 4
    connect app postgres 10.0.0.1 5432 2
    ip address del 10.0.0.5/32 dev lo
    sleep 31
}
after_moved() {
    closed postgres 0-3
    alive postgres 4-5
}

# A program does not close connections that its peers have closed.
situation_leak() {
    addresses 10.0.0.1
    program reports
    program app
    ask reports "listen 10.0.0.1 8080"
    connect app reports 10.0.0.1 8080 5
    ask app "close 0-2"
    sleep 61
}
after_leak() {
    test "$(tcp-closer -s 8080 --state close-wait -n --json | jq -r 'select(.type == "summary").matched')" = 0
    alive reports 3-4
}

# A server was stopped and left connections in TIME_WAIT.
situation_time_wait() {
    mkfifo "$work/server.in"
    "$LAB" hold --count 3 --state time-wait --port 8080 <>"$work/server.in" >"$work/server.out" &
    until grep -q '^READY' "$work/server.out"; do sleep 0.05; done
}
after_time_wait() { test -z "$(ss -Htn state time-wait sport = :8080)" || { echo "not closed"; exit 1; }; }

# A dead session of ssh -R holds port 2222 of the server; the client is in another network namespace, which loses its route.
situation_ssh() {
    if ! command -v sshd >/dev/null || ! command -v ssh >/dev/null; then skip "needs sshd and ssh"; fi
    grep -q '4294967295$' /proc/self/uid_map || skip "sshd needs root"
    make_far
    mkdir -p /run/sshd "$work/ssh"
    chmod 755 /run/sshd
    ssh-keygen -q -t ed25519 -N '' -f "$work/ssh/host"
    ssh-keygen -q -t ed25519 -N '' -f "$work/ssh/key"
    cp "$work/ssh/key.pub" "$work/ssh/keys"
    "$(command -v sshd)" -f /dev/null -h "$work/ssh/host" -o AuthorizedKeysFile="$work/ssh/keys" -o StrictModes=no -o PidFile=none \
        -o PermitRootLogin=yes -o UsePAM=no
    ip netns exec far ssh -F none -N -R 2222:127.0.0.1:22 -i "$work/ssh/key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
        -o BatchMode=yes -o LogLevel=ERROR root@192.0.2.1 &
    for try in $(seq 100); do
        test -z "$(ss -Htln sport = :2222)" || break
        sleep 0.1
    done
    test "$try" != 100 || { echo "ssh -R did not come up"; exit 1; }
    ip -n far route add blackhole 192.0.2.1
    settle
}
after_ssh() {
    sleep 1
    test -z "$(ss -Htln sport = :2222)" || { echo "port 2222 is still taken"; exit 1; }
}

# Many devices vanished from a broker.
situation_devices() {
    addresses 10.0.0.1
    program mosquitto
    program devices
    ask mosquitto "listen 10.0.0.1 8883"
    connect devices mosquitto 10.0.0.1 8883 620
    ask devices "deafen 0-599"
    sleep 31
}
after_devices() {
    test "$(ask mosquitto "look 0-599" | awk '$2 != "alive" { n += $1 } END { print n + 0 }')" = 500
    alive mosquitto 600-619
}

# Connections through a device that forgets flows without packets.
situation_nat() {
    addresses 10.0.0.9
    program broker
    program app
    ask broker "listen 10.0.0.9 443"
    connect app broker 10.0.0.9 443 3
}
after_nat() {
    alive app 0-2
    test "$(ask app "options 0-2")" = "3 on=1 idle=200 interval=10 count=6 user-timeout=0"
}

# A client that was banned still has connections open.
situation_banned() {
    addresses 10.0.0.1 203.0.113.7 198.51.100.4
    program nginx
    program peers
    ask nginx "listen 10.0.0.1 443"
    connect peers nginx 10.0.0.1 443 3 from=203.0.113.7
    connect peers nginx 10.0.0.1 443 2 from=198.51.100.4
}
after_banned() {
    closed nginx 0-2
    alive nginx 3-4
}

# Sets $cgroups to a new directory on cgroup2, which run.sh removes.
make_cgroups() {
    mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
    cgroups=$mount/$CGROUPS/$(basename "$block" | tr :. __)
    if test -z "$mount" || ! mkdir -p "$cgroups" 2>/dev/null; then skip "needs a cgroup2 file system that may be written to"; fi
}

# group PATH COMMAND...: runs the command in the cgroup of that path below $cgroups.
group() {
    path=$cgroups$1
    shift
    mkdir -p "$path"
    # shellcheck disable=SC2016 # expanded by the inner shell
    sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$path" "$@"
}

# A unit, a container and a pod, each with connections to port 443 of a server, the last two in network namespaces of their own. The names
# are those of systemd, docker and the kubelet.
situation_groups() {
    make_cgroups
    container=3f2a9c0d1e4b$(printf '%052d' 0)
    uid=0b9d4c1e-5a4f-4a59-9a7e-3f0c2d1b8e77
    mkdir -p "/var/log/pods/shop_cart-7d9f_$uid"
    addresses 10.0.0.9
    program server
    ask server "listen 10.0.0.9 443"
    program nginx group /system.slice/nginx.service
    connect nginx server 10.0.0.9 443 2
    pod=kubepods-besteffort-pod$(echo $uid | tr - _).slice
    for inside in in-container cart; do
        ip netns add $inside
        ip -n $inside link set lo up
        ip -n $inside address add 10.0.0.9/32 dev lo
        program server-$inside ip netns exec $inside
        ask server-$inside "listen 10.0.0.9 443"
    done
    program in-container group "/system.slice/docker-$container.scope" ip netns exec in-container
    program cart group "/kubepods.slice/kubepods-besteffort.slice/$pod/cri-containerd-$(echo "$container" | tr 3 4).scope" ip netns exec cart
    for inside in in-container cart; do connect $inside server-$inside 10.0.0.9 443 2; done
}
after_groups() {
    for name in nginx in-container cart; do closed $name 0-1; done
}

# The same, for blocks that close nothing.
situation_groups_look() { situation_groups; }
after_groups_look() {
    for name in nginx in-container cart; do alive $name 0-1; done
}

# A program does not read one of its connections, and the others have keepalive.
situation_unread() {
    addresses 10.0.0.1
    program postgres
    program app
    ask postgres "listen 10.0.0.1 5432"
    connect app postgres 10.0.0.1 5432 3
    ask app "send 0 10000" >/dev/null
    ask postgres "set 1-2 1 9 1" # SO_KEEPALIVE
    sleep 0.5
}
after_unread() {
    closed postgres 0
    alive postgres 1-2
}

# A client has seven connections, two of them used just now.
situation_keep() {
    addresses 10.0.0.1 10.0.0.21
    program postgres
    program app
    ask postgres "listen 10.0.0.1 5432"
    connect app postgres 10.0.0.1 5432 5 from=10.0.0.21
    sleep 61
    connect app postgres 10.0.0.1 5432 2 from=10.0.0.21
}
after_keep() {
    test "$(ask postgres "look 0-4" | awk '$2 != "alive" { n += $1 } END { print n + 0 }')" = 2
    alive postgres 5-6
}

# The units of a machine, with vanished and living peers. Peers of this machine would be counted, too, and probe from their side.
situation_units() {
    make_cgroups
    make_far
    program peers ip netns exec far
    program postgres group /system.slice/postgresql.service
    program nginx group /system.slice/nginx.service
    ask postgres "listen 192.0.2.1 5432"
    ask nginx "listen 192.0.2.1 443"
    connect peers postgres 192.0.2.1 5432 12
    ask peers "deafen 0-8"
    connect peers nginx 192.0.2.1 443 4
    settle
}

# Pods in their own network namespaces have connections to a node that is gone.
situation_node() {
    for pod in pod-a pod-b; do
        ip netns add $pod
        ip -n $pod link set lo up
        for address in 10.0.0.7 10.0.0.8 10.244.1.2 10.244.3.9; do ip -n $pod address add $address/32 dev lo; done
        program $pod ip netns exec $pod
        program server-$pod ip netns exec $pod
        ask server-$pod "listen 0.0.0.0 8080"
        connect $pod server-$pod 10.0.0.7 8080 1 from=10.244.1.2
        connect $pod server-$pod 10.244.3.9 8080 1 from=10.244.1.2
        ask server-$pod "deafen 0-1"
        connect $pod server-$pod 10.0.0.8 8080 1 from=10.244.1.2
    done
    settle
}
after_node() {
    for pod in pod-a pod-b; do
        closed $pod 0-1
        alive $pod 2
    done
}
