# Names of real containers, from their cgroups alone: podman on a machine with cgroup v2 only. tests/fleet/run.sh runs it in namespaces of
# its own, with /run, /var/log and podman's storage in $work.
# shellcheck shell=dash disable=SC2154 # $work is set by the caller
set -u
. tests/results.sh
cd "$work" || exit 1

prints() { # TEXT OPTION...: the program, as a user without privileges, prints the text (a regular expression)
    text=$1
    shift
    setpriv --reuid 65534 --regid 65534 --clear-groups bin/tcp-closer --disable-syslog "$@" >printed 2>&1
    cat printed
    grep -Eq -- "$text" printed || { echo "does not print $text"; return 1; }
}
closes() { # NUMBER OPTION...
    number=$1
    shift
    bin/tcp-closer --disable-syslog "$@" >closed 2>&1
    cat closed
    grep -q " closed=$number " closed
}

listens() { podman logs "$1" 2>&1 | grep -q listening; } # NAME
# runc, because crun wants to raise RLIMIT_MEMLOCK here; no limits, because no controller belongs to the cgroup2 file system.
start() { # NAME PORT OPTION...: a server in a container on the host's network, and a connection to it from outside
    container=$1 port=$2
    shift 2
    podman --runtime runc run -d --pids-limit 0 --net=host --name "$container" "$@" hold serve "$port" >/dev/null && within_20s listens "$container" >&2 || exit 1
    bin/hold connect 127.0.0.1 "$port" >"connected-$port" 2>&1 &
    within_20s grep -q connected "connected-$port" >&2 || exit 1
    podman inspect "$container" -f '{{.Id}}'
}

podman build -q -f Dockerfile.hold -t hold . >built 2>&1 || { cat built; exit 1; }
uid=0d7e1c2f-5a4b-4c3d-9e8f-112233445566
mkdir -p "/var/log/pods/shop_cart-0_$uid"
web=$(start web 8080) && cart=$(start cart 8081 --cgroup-parent "/kubepods/burstable/pod$uid") || exit 1
short=$(echo "$web" | cut -c1-12)

ok "a line names the container" prints " $short +" -n -s 8080
ok "a record names the container" prints "\"container\":\"$short\"" -n -s 8080 --json
ok "a record names the pod" prints '"pod":"shop/cart-0","container":"'"$(echo "$cart" | cut -c1-12)" -n -s 8081 --json
ok "connections are counted by container" prints "^$short +1 " --group-by unit -s 8080-8081
ok "connections are counted by pod" prints '^shop/cart-0 +1 ' --group-by pod -s 8080-8081
ok "--cgroup takes 12 digits of the id, without privilege to look" prints 'matched=1 ' -n --cgroup "$short"
ok "--cgroup takes the whole id" prints 'matched=1 ' -n --cgroup "$web"
ok "--cgroup takes the path of /proc/PID/cgroup" prints 'matched=1 ' -n --cgroup "$(sed -n 's/^0:://p' "/proc/$(podman inspect web -f '{{.State.Pid}}')/cgroup")"
ok "--pod takes a prefix" prints 'matched=1 ' -n --pod 'shop/cart-*'
ok "--pod of another namespace matches nothing" prints 'matched=0 ' -n --pod 'other/cart-*'
ok "--not-cgroup excludes the container" prints 'matched=1 ' -n -s 8080-8081 --not-cgroup "$short"
ok "--cgroup closes the connection of that container only" closes 1 --cgroup "$short" -s 8080-8081
ok "--pod closes the connection of that pod" closes 1 --pod shop/cart-0 -s 8080-8081
podman rm -f -t 0 web cart >/dev/null
# podman leaves the cgroup of conmon(8) behind.
find "/sys/fs/cgroup/kubepods/burstable/pod$uid" /sys/fs/cgroup/libpod_parent/conmon -depth -type d -exec rmdir {} \; 2>/dev/null
rmdir /sys/fs/cgroup/kubepods/burstable /sys/fs/cgroup/kubepods /sys/fs/cgroup/libpod_parent 2>/dev/null
ok "a container that is gone is a warning" prints "cgroup $short does not exist now" -n --cgroup "$short"
echo end
