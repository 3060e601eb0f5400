# The tests of tests/fleet/kubernetes.sh, which sources it: the cluster is starting, vm, within and prints are there, $work is a directory.
# shellcheck shell=sh disable=SC2154 # set by the caller

k() { kubectl -n tcp-closer "$@"; }
logs() { k logs ds/tcp-closer "$@"; }
rolled_out() { k rollout status ds/tcp-closer --timeout=150s; }

# As a user would: a copy of packaging/kubernetes with rules of his own. Rounds and probes of the service are as short as a test needs.
fresh_copy() {
    rm -rf "$work/kubernetes"
    cp -r packaging/kubernetes "$work/kubernetes"
    # Kubernetes before 1.30 has no appArmorProfile: without the exception, and with its older form.
    confined='{op: remove, path: /spec/template/spec/securityContext/appArmorProfile}'
    for directory in owners pods; do
        overlay "$directory" confined "$confined"
        overlay "$directory" 1.29 "$confined" \
            "{op: add, path: /spec/template/metadata/annotations, value: {container.apparmor.security.beta.kubernetes.io/$rule_name: unconfined}}"
    done
}
overlay() { # DIRECTORY SUFFIX PATCH...: DIRECTORY-SUFFIX is DIRECTORY with these patches of the DaemonSet
    overlay=$work/kubernetes/$1-$2
    mkdir "$overlay"
    {
        printf 'resources: [../%s]\npatches:\n  - target: {kind: DaemonSet, name: tcp-closer}\n    patch: |-\n' "$1"
        shift 2
        printf '      - %s\n' "$@"
    } >"$overlay/kustomization.yaml"
}
# rule NAME OPTIONS: the rule in place of the one that comes with the base; OPTIONS as in YAML
rule() {
    rule_name=$1
    fresh_copy
    sed -i "s/idle-ssh/$1/; s/value: 1m/value: 3s/; s|^          args: .*|          args: [$2]|; s/initialDelaySeconds: 60/initialDelaySeconds: 30/; s/periodSeconds: 60/periodSeconds: 10/" \
        "$work/kubernetes/base/daemonset.yaml"
}
apply() { # DIRECTORY [OPTION...]
    directory=$1
    shift
    kubectl apply "$@" -k "$work/kubernetes/$directory" && rolled_out
}

ok "the virtual machine boots" within 240 vm run true
ok "the control plane answers" within 120 kubectl get --raw /readyz
ok "images are loaded and kubelet starts" vm prepare
ok "the node is ready" within 240 prints '^node1 +Ready .*v1.20.2' kubectl get nodes

# The base: as it comes, and with a rule of one's own.
rule_name=none
fresh_copy
ok "base: kubectl applies it as it comes" apply .
ok "base: its rule is a dry run, and its line names rule and node" within 120 prints 'rule=idle-ssh@node1' logs
ok "base: the pods run under containerd's AppArmor profile" prints cri-containerd.apparmor.d vm profile
ok "base: a server on the node starts" vm serve 5432
vm vanish 10.9.0.1 5432
vm serve 5433
vm stay 10.9.0.1 5433
rule db '"-s", "5432", "-t", "3s"'
ok "base: a changed rule replaces the pod" apply .
ok "base: it closes an idle connection of the node" within 120 prints ' destroyed 10.9.0.1:5432 -> 10.9.0.2:.* rule=db@node1' logs
ok "base: the application got the error" prints 'ended Software caused connection abort' vm ended 5432
ok "base: the connection on another port stands" vm stays 10.9.0.1 5433
ok "base: metrics are on the node" prints 'tcp_closer_rounds_total.rule="db@node1",status="done"' vm run cat /var/lib/node_exporter/textfile_collector/tcp-closer-db.prom

# A wrong option, and its repair.
rule db '"-s", "5432", "--idletime", "3s"'
kubectl apply -k "$work/kubernetes" >/dev/null
ok "a wrong option: the pod is in CrashLoopBackOff" within 120 prints 'CrashLoopBackOff|Error' k get pods
ok "a wrong option: the log names it and the right one" within 120 prints "idletime.*--idle-time" logs
rule db '"-s", "5432", "-t", "3s"'
ok "a wrong option: the repaired rule runs" apply .

# A service that hangs.
restarts() { k get pods -o 'jsonpath={.items[0].status.containerStatuses[0].restartCount}'; }
restarted() { test "$(restarts)" -gt "$before"; }
before=$(restarts)
vm signal STOP -i
ok "liveness: kubelet restarts a service that was stopped by SIGSTOP" within 180 restarted
ok "liveness: the event has the reason" prints 'Liveness probe failed' k get events
ok "liveness: the new container closes again" within 120 prints 'rule=db@node1' logs

# Options that inspect processes, with and without AppArmor's exception.
vm vanish 10.9.0.1 5432
vm stay 10.9.0.1 5432
rule probing '"-s", "5432", "-t", "3s", "--probe", "3s"'
ok "owners without AppArmor's exception: it is applied" kubectl apply -k "$work/kubernetes/owners-confined"
ok "owners without AppArmor's exception: the log names the profile" within 120 prints "AppArmor's profile cri-containerd.apparmor.d .*forbids" logs
ok "owners: kubectl applies it" apply owners-1.29
ok "owners: it closes the connection whose peer is silent" within 120 prints ' destroyed 10.9.0.1:5432 -> 10.9.0.2:.* rule=probing@node1' logs
ok "owners: it names the holder" prints ' destroyed 10.9.0.1:5432 .* comm=hold ' logs
ok "owners: the connection whose peer answers stands" vm stays 10.9.0.1 5432

# Every pod's own connections.
cat >"$work/app.yaml" <<'END'
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {tcp-closer: sidecar}}
spec:
  replicas: 1
  strategy: {type: Recreate}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: web, image: "localhost/hold:1", args: [serve, "8080"], securityContext: {runAsUser: 1000}}]
END
kubectl create namespace shop >/dev/null
kubectl apply -f "$work/app.yaml" >/dev/null
kubectl -n shop rollout status deploy/web --timeout=120s >/dev/null
pod_field() { kubectl -n shop get pods -l app=web --field-selector=status.phase=Running -o "jsonpath={.items[-1:]$1}"; }
address=$(pod_field .status.podIP)
web_pod=$(pod_field .metadata.name)
vm vanish "$address" 8080
vm stay "$address" 8080
rule pods '"-s", "8080", "-t", "3s", "--probe", "3s"'
ok "pods: kubectl applies it" apply pods-1.29
ok "pods: it closes a pod's connection whose peer is silent, and names the pod" \
    within 90 prints " destroyed $address:8080 -> 10.9.0.2:.* pod=shop/$web_pod .*rule=pods@node1" logs
ok "pods: the pod got the error" prints 'ended Software caused connection abort' kubectl -n shop logs "$web_pod"
ok "pods: the connection whose peer answers stands" vm stays "$address" 8080
once() { k exec ds/tcp-closer -- /tcp-closer --disable-syslog "$@"; }
ok "pods: --pod selects by name" prints 'matched=1 ' once -n --all-netns --pod "shop/$web_pod" -s 8080
ok "pods: --group-by pod counts by name" prints "^shop/$web_pod +1 " once --all-netns --group-by pod
ok "pods: metrics have the rule and the node" prints 'tcp_closer_connections_total.*outcome="destroyed"' vm run cat /var/lib/node_exporter/textfile_collector/tcp-closer-pods.prom
ok "pods: they are removed" kubectl delete --timeout=120s -k "$work/kubernetes/pods-1.29"
ok "pods: metrics of a rule that has ended are gone" prints 'No such file' vm run cat /var/lib/node_exporter/textfile_collector/tcp-closer-pods.prom

# The sidecar: the application's own kustomization.
sidecar() { # COMPONENT OPTIONS
    fresh_copy
    mkdir -p "$work/kubernetes/shop"
    cp "$work/app.yaml" "$work/kubernetes/shop/"
    printf 'resources: [app.yaml]\ncomponents: [../%s]\n' "$1" >"$work/kubernetes/shop/kustomization.yaml"
    sed -i "s|^\( *args: \)\[.*|\1[$2]|; s/\"1m\"/\"3s\"/g; s/initialDelaySeconds: 60/initialDelaySeconds: 30/; s/periodSeconds: 60/periodSeconds: 10/" \
        "$work/kubernetes/$1/kustomization.yaml" "$work/kubernetes/sidecar/kustomization.yaml"
    kubectl apply -k "$work/kubernetes/shop" && kubectl -n shop rollout status deploy/web --timeout=150s
}
sidecar_logs() { kubectl -n shop logs deploy/web -c tcp-closer; }
connect_to_pod() {
    address=$(pod_field .status.podIP)
    vm vanish "$address" 8080
}
ok "sidecar: the application gets it" sidecar sidecar '"-s", "8080", "-t", "3s"'
connect_to_pod
ok "sidecar: it closes an idle connection of its pod with NET_ADMIN alone" within 90 prints " destroyed $address:8080 .* rule=web-" sidecar_logs
ok "sidecar that probes: the application gets it" sidecar sidecar-probe '"-s", "8080", "-t", "3s", "--probe", "3s"'
connect_to_pod
vm stay "$address" 8080
ok "sidecar that probes: it closes the connection whose peer is silent, under the AppArmor profile" within 90 prints " destroyed $address:8080 -> 10.9.0.2:.* rule=web-" sidecar_logs
ok "sidecar that probes: the connection whose peer answers stands" vm stays "$address" 8080

# Once, without installing anything.
debug() { # OPTION...: a pod on the node, whose output is printed
    kubectl -n shop debug node/node1 --image=registry.example.invalid/tcp-closer:1.0.0 --profile=sysadmin --attach=false -- /tcp-closer --disable-syslog "$@"
}
debugged() { kubectl -n shop logs "$(kubectl -n shop get pods -o name --sort-by=.metadata.creationTimestamp | tail -n 1)"; }
ok "kubectl debug: a pod on the node" debug --all-netns --group-by netns
ok "kubectl debug: it counts the connections of each namespace" within 180 prints '^[^ ].* +[0-9]+ ' debugged

# Docker, under its own profile: the row of --probe in docs/fleet.md.
flags="--net=host --pid=host --cap-drop ALL --cap-add NET_ADMIN --cap-add SYS_PTRACE --cap-add DAC_READ_SEARCH --read-only"
kubectl delete --ignore-not-found namespace tcp-closer >/dev/null 2>&1
ok "Docker starts" vm docker
vm vanish 10.9.0.1 5432
docker() { vm run docker run --rm "$flags" "$@" tcp-closer --disable-syslog -s 5432 -t 3s --probe 10s; }
ok "Docker: without apparmor=unconfined the error names profile and flag" prints "AppArmor's profile docker-default forbids it.*apparmor=unconfined" docker
ok "Docker: with apparmor=unconfined the connection whose peer is silent is closed" prints ' closed=1 ' docker --security-opt apparmor=unconfined
ok "Docker: the connection whose peer answers stands" vm stays 10.9.0.1 5432
