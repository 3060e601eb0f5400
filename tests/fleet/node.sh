# What tests/fleet/kubernetes.sh runs in its virtual machine: sh node.sh COMMAND [ARGUMENT]...
# shellcheck shell=dash
set -eu

peer() { ip netns exec peer "$@"; }
within_60s() { # COMMAND...
    tries=300
    until "$@"; do
        tries=$((tries - 1))
        test $tries -gt 0 || { echo "not within 60 s: $*"; return 1; }
        sleep 0.2
    done
}
has_image() { test "$(ctr -n k8s.io images ls -q | grep -c -e ^localhost/ -e ^registry)" -ge 3; }

case $1 in
    prepare) # loads the images, and starts kubelet
        systemctl start containerd
        for image in /test/images/*.tar; do ctr -n k8s.io images import "$image" >/dev/null; done
        within_60s has_image
        systemctl start --no-block kubelet
        # A network that ends where the test wants it to.
        ip netns add peer
        ip link add to-peer type veth peer name eth0 netns peer
        ip addr add 10.9.0.1/24 dev to-peer
        ip link set to-peer up
        ip -n peer addr add 10.9.0.2/24 dev eth0
        ip -n peer link set eth0 up
        ip -n peer link set lo up
        ip -n peer route add default via 10.9.0.1
        echo 1 >/proc/sys/net/ipv4/ip_forward
        ;;
    docker) # starts Docker, with its default AppArmor profile, and loads the image
        systemctl start docker
        docker load -q -i /test/images/registry.example.invalid_tcp-closer_1.0.0.tar
        docker tag registry.example.invalid/tcp-closer:1.0.0 tcp-closer
        ;;
    serve) # PORT: a server on the node, of another user than root
        systemd-run -q --unit "serve-$2" -p User=nobody -p StandardOutput="append:/test/serve-$2" /test/hold serve "$2"
        within_60s grep -qs listening "/test/serve-$2"
        ;;
    vanish) # ADDRESS PORT: connects from a peer that cannot answer afterwards
        peer ip route del blackhole "$2" 2>/dev/null || true
        systemd-run -q --unit "vanish-$2-$3-$(date +%s)" -p NetworkNamespacePath=/run/netns/peer -p StandardOutput="truncate:/test/vanish" \
            /test/hold connect "$2" "$3"
        within_60s grep -qs connected /test/vanish
        peer ip route add blackhole "$2"
        ;;
    stay) # ADDRESS PORT: connects from the node itself, and stays
        systemd-run -q --unit "stay-$2-$3" -p StandardOutput="truncate:/test/stay-$2-$3" /test/hold connect "$2" "$3"
        within_60s grep -qs connected "/test/stay-$2-$3"
        ;;
    stays) # ADDRESS PORT: succeeds while that connection stands
        grep -q connected "/test/stay-$2-$3" && ! grep -q ended "/test/stay-$2-$3"
        ;;
    ended) # PORT: succeeds if a connection of the server on the node has ended
        grep '^ended' "/test/serve-$2"
        ;;
    signal) # SIGNAL TEXT: to the process whose command line has the text
        for process in /proc/[0-9]*; do
            if tr '\0' ' ' <"$process/cmdline" 2>/dev/null | grep -q "^/tcp-closer .*$3"; then kill "-$2" "${process#/proc/}"; fi
        done
        ;;
    profile) # prints the AppArmor profile of the pods' processes
        for process in /proc/[0-9]*; do
            if tr '\0' ' ' <"$process/cmdline" 2>/dev/null | grep -q '^/tcp-closer '; then cat "$process/attr/current"; fi
        done
        ;;
    run) # COMMAND...
        shift
        "$@"
        ;;
esac
