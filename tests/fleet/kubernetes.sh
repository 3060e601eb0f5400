#!/bin/sh
# Docker and Kubernetes with AppArmor, as docs/fleet.md describes them, on a virtual machine with Debian 12: containerd, kubelet 1.20 and
# Docker 20.10 inside, the control plane outside. Kubernetes is built from Debian's own source: the last one that has all of it.
# Not part of CI: some 40 minutes on two cores the first time, half of them for what stays in artifacts/kubernetes. Needs root.
# Usage: tests/fleet/kubernetes.sh [--no-build]
# Ends with a line "N passed, N failed, N skipped".
set -eu
cd "$(dirname "$0")/../.."
. scripts/lib.sh
. tests/packaging/lib.sh

case $* in
    '') scripts/build-musl.sh ;;
    --no-build) ;;
    *) die "unknown argument '$*'. Usage: tests/fleet/kubernetes.sh [--no-build]" ;;
esac
test "$(id -u)" = 0 || die "needs root (network namespaces, mmdebstrap)"
test "$(own_arch)" = x64 || die "the virtual machine is an x64 one"

# In a network namespace, so that nothing listens on the machine's own addresses.
if test -z "${cluster_namespaces-}"; then
    need qemu-system-x86_64:qemu-system-x86 mmdebstrap:mmdebstrap /usr/share/keyrings/debian-archive-keyring.gpg:debian-archive-keyring \
        mke2fs:e2fsprogs ssh:openssh-client ssh-keygen:openssh-client make:make rsync:rsync jq:jq gcc:gcc openssl:openssl buildah:buildah ip:iproute2
    with_kubectl || die "Debian 13's kubectl cannot be fetched"
    cache=$PWD/artifacts/kubernetes
    mkdir -p "$cache"

    if ! test -e "$cache/bin/kubelet"; then
        say "building Kubernetes 1.20.2 (12 to 30 minutes)"
        archive=kubernetes_1.20.5+really1.20.2.orig.tar.gz
        unpack x64-bookworm "$cache/go" golang-1.19-go golang-1.19-src
        test -e "$cache/$archive" || quiet /usr/lib/apt/apt-helper download-file "$(debian_mirror)/pool/main/k/kubernetes/$archive" "$cache/$archive" \
            SHA256:b83c0780efb182d928dc63d46488a847f161f04e40a94b96bf5247dd671ecdfc || die "fetching $archive failed"
        rm -rf "$cache/source"
        mkdir "$cache/source"
        tar -xzf "$cache/$archive" -C "$cache/source" --strip-components 1
        goroot=$cache/go/usr/lib/go-1.19
        quiet env PATH="$goroot/bin:$PATH" GOROOT="$goroot" GOCACHE="$cache/gocache" HOME="$cache" GOFLAGS= GOPATH= KUBE_GIT_TREE_STATE=clean \
            KUBE_GIT_VERSION=v1.20.2 KUBE_GIT_MAJOR=1 KUBE_GIT_MINOR=20 KUBE_GIT_COMMIT=debian \
            make -C "$cache/source" WHAT="cmd/kube-apiserver cmd/kube-controller-manager cmd/kube-scheduler cmd/kubelet" || die "building Kubernetes failed"
        mkdir -p "$cache/bin.new"
        for program in kube-apiserver kube-controller-manager kube-scheduler kubelet; do
            strip -o "$cache/bin.new/$program" "$cache/source/_output/bin/$program"
        done
        mv "$cache/bin.new" "$cache/bin"
        chmod -R u+w "$cache/source" "$cache/gocache"
        rm -rf "$cache/source" "$cache/gocache" "$cache/go"
    fi
    unpack x64-bookworm "$cache/etcd" etcd-server
    if ! test -e "$cache/root/.complete"; then
        say "building a root of Debian 12 (mmdebstrap, some 3 minutes)"
        rm -rf "$cache/root"
        quiet mmdebstrap -q --variant=minbase --aptopt='Apt::Install-Recommends "false"' --dpkgopt=force-unsafe-io \
            --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
            --include=systemd,systemd-sysv,udev,dbus,kmod,linux-image-cloud-amd64,openssh-server,apparmor,iproute2,iptables,procps,util-linux,conntrack,ethtool,socat,containerd,runc,docker.io,containernetworking-plugins \
            bookworm "$cache/root" "$(debian_mirror)" || die "mmdebstrap failed"
        touch "$cache/root/.complete"
    fi
    exec env cluster_namespaces=1 unshare -nmp -f --kill-child --mount-proc "$0" --no-build
fi

ip link set lo up
# The node's address: the API server reaches the kubelet by it, through QEMU, and must not have the node's own address there.
ip addr add 10.0.2.15/32 dev lo
ip route replace local 10.0.2.15 dev lo table local proto kernel scope host src 127.0.0.1
with_kubectl
cache=$PWD/artifacts/kubernetes
PATH=$cache/bin:$cache/etcd/usr/bin:$PATH
work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT TERM
started=$(date +%s)

# The images, each of one file.
mkdir "$work/bin" "$work/images"
cp artifacts/tcp-closer-linux-musl-x64 "$work/bin/tcp-closer"
gcc -static -Os -Wall -o "$work/bin/hold" tests/fleet/hold.c
image() { # FILE NAME [ARGUMENT...]
    program=$1 image=$2
    shift 2
    container=$(engine from scratch)
    quiet engine copy "$container" "$work/bin/$program" "/$program"
    quiet engine config --entrypoint "$(printf '%s\n' "/$program" "$@" | jq -Rnc '[inputs]')" "$container"
    quiet engine commit --rm "$container" "docker-archive:$work/images/$(echo "$image" | tr '/:' '__').tar:$image"
}
engine() { buildah --root "$work/store" --runroot "$work/run" --storage-driver vfs "$@"; }
image tcp-closer registry.example.invalid/tcp-closer:1.0.0
image hold localhost/hold:1
image hold localhost/pause:1 serve 65000

# The virtual machine.
say "booting the virtual machine"
root=$work/root
cp -a "$cache/root" "$root"
mkdir -p "$root/root/.ssh" "$root/test" "$root/etc/cni/net.d" "$root/etc/containerd" "$root/etc/docker"
ssh-keygen -q -t ed25519 -N '' -f "$work/key"
cp "$work/key.pub" "$root/root/.ssh/authorized_keys"
cp -r "$work/images" "$work/bin/hold" "$cache/bin/kubelet" tests/fleet/node.sh "$root/test/"
echo node1 >"$root/etc/hostname"
# Docker's rules of iptables would drop what the node forwards to pods.
echo '{"iptables": false, "bridge": "none"}' >"$root/etc/docker/daemon.json"
cat >"$root/etc/cni/net.d/10-bridge.conflist" <<'END'
{"cniVersion": "0.4.0", "name": "pods", "plugins": [{"type": "bridge", "bridge": "cni0", "isGateway": true,
    "ipam": {"type": "host-local", "subnet": "10.244.0.0/24", "routes": [{"dst": "0.0.0.0/0"}]}}]}
END
cat >"$root/etc/containerd/config.toml" <<'END'
version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = true
END
cat >"$root/test/kubelet.yaml" <<'END'
kind: KubeletConfiguration
apiVersion: kubelet.config.k8s.io/v1beta1
cgroupDriver: systemd
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
imageGCHighThresholdPercent: 100
evictionHard: {imagefs.available: 1%, nodefs.available: 1%, memory.available: 10Mi}
syncFrequency: 10s
END
cat >"$work/kubeconfig" <<'END'
apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "https://10.0.2.2:6443", insecure-skip-tls-verify: true}}]
users: [{name: test, user: {token: test}}]
contexts: [{name: test, context: {cluster: test, user: test}}]
current-context: test
END
cp "$work/kubeconfig" "$root/test/kubeconfig"
sed -i 's/10.0.2.2:/127.0.0.1:/' "$work/kubeconfig"
cat >"$root/etc/systemd/system/kubelet.service" <<'END'
[Service]
ExecStart=/test/kubelet --config=/test/kubelet.yaml --kubeconfig=/test/kubeconfig --container-runtime=remote --feature-gates=EphemeralContainers=true \
    --container-runtime-endpoint=unix:///run/containerd/containerd.sock --node-ip=10.0.2.15 --hostname-override=node1
Restart=on-failure
RestartSec=5
END
cat >"$root/etc/systemd/system/eth0.service" <<'END'
[Unit]
Before=network.target
Wants=network.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=sh -c 'ip addr add 10.0.2.15/24 dev eth0 && ip link set eth0 up && ip route add default via 10.0.2.2'
[Install]
WantedBy=multi-user.target
END
ln -s ../eth0.service "$root/etc/systemd/system/multi-user.target.wants/"
# The disk is for these minutes only.
truncate -s 5G "$work/disk"
quiet mke2fs -t ext4 -q -d "$root" "$work/disk"
cp "$root"/boot/vmlinuz-* "$work/vmlinuz"
cp "$root"/boot/initrd.img-* "$work/initrd"
rm -rf --one-file-system "$root"
qemu-system-x86_64 -M pc -accel tcg,thread=multi -cpu max -smp 2 -m 3072 -display none -monitor none -serial "file:$work/console" -no-reboot \
    -kernel "$work/vmlinuz" -initrd "$work/initrd" -append 'root=/dev/vda rw console=ttyS0 net.ifnames=0 systemd.show_status=0 apparmor=1 security=apparmor' \
    -drive "file=$work/disk,if=virtio,format=raw,cache=unsafe" \
    -netdev user,id=net,hostfwd=tcp:127.0.0.1:2222-:22,hostfwd=tcp:10.0.2.15:10250-:10250 -device virtio-net-pci,netdev=net </dev/null >"$work/qemu" 2>&1 &

# The control plane.
mkdir "$work/etcd"
openssl genrsa -out "$work/service.key" 2048 2>/dev/null
openssl rsa -in "$work/service.key" -pubout -out "$work/service.pub" 2>/dev/null
echo 'test,test,1,system:masters' >"$work/tokens"
etcd --data-dir "$work/etcd" --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
    --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 --initial-cluster default=http://127.0.0.1:2380 >"$work/etcd.log" 2>&1 &
kube-apiserver --etcd-servers=http://127.0.0.1:2379 --secure-port=6443 --cert-dir="$work/certificates" --token-auth-file="$work/tokens" \
    --authorization-mode=AlwaysAllow --service-cluster-ip-range=10.96.0.0/16 --allow-privileged=true --disable-admission-plugins=ServiceAccount \
    --service-account-key-file="$work/service.pub" --service-account-signing-key-file="$work/service.key" \
    --service-account-issuer=https://kubernetes.default.svc --kubelet-preferred-address-types=InternalIP --feature-gates=EphemeralContainers=true --advertise-address=10.0.2.15 >"$work/apiserver.log" 2>&1 &
export KUBECONFIG="$work/kubeconfig"
kube-controller-manager --kubeconfig="$work/kubeconfig" --service-account-private-key-file="$work/service.key" \
    --controllers=daemonset,deployment,replicaset,namespace,garbagecollector,nodelifecycle,podgc >"$work/controllers.log" 2>&1 &
kube-scheduler --kubeconfig="$work/kubeconfig" >"$work/scheduler.log" 2>&1 &

vm() { # WORDS: runs a command of node.sh in the virtual machine
    ssh -q -i "$work/key" -p 2222 -o BatchMode=yes -o ConnectTimeout=60 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null root@127.0.0.1 "sh /test/node.sh $*"
}
within() { # SECONDS COMMAND...: succeeds as soon as the command does
    until_time=$(($(date +%s) + $1))
    shift
    until "$@" >"$work/last" 2>&1; do
        test "$(date +%s)" -lt "$until_time" || { cat "$work/last"; echo "not in time: $*"; return 1; }
        sleep 1
    done
}
prints() { # TEXT COMMAND...: the command prints the text (a regular expression), whatever its exit status
    text=$1
    shift
    "$@" >"$work/printed" 2>&1 || true
    grep -Eq -- "$text" "$work/printed" || { tail -n 20 "$work/printed"; echo "does not print $text"; return 1; }
}

. tests/fleet/cluster.sh
say "took $(($(date +%s) - started)) s"
end
