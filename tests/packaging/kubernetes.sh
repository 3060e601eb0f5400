# Tests the kustomizations as kubectl renders them. tests/packaging/run.sh sources it; it needs $work.
# shellcheck shell=sh disable=SC2154 # set by the caller

# Two rules, and an application with a sidecar.
cp -r packaging/kubernetes "$work/kubernetes"
cat >>"$work/kubernetes/base/daemonset.yaml" <<'END'
        - <<: *rule
          name: db
          env: [{name: RULE, value: db}, {name: INTERVAL, value: 5m}, *node]
          args: ["-s", "5432", "-t", "2h", "--max", "50"]
END
for component in sidecar sidecar-probe; do
    mkdir "$work/kubernetes/with-$component"
    printf 'resources: [deployment.yaml]\ncomponents: [../%s]\n' $component >"$work/kubernetes/with-$component/kustomization.yaml"
    cat >"$work/kubernetes/with-$component/deployment.yaml" <<'END'
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {tcp-closer: sidecar}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web}]}
END
done

# As docs/fleet.md shows them: a rule of the application's own, a cluster before 1.30, and a second installation.
cat >>"$work/kubernetes/with-sidecar-probe/kustomization.yaml" <<'END'
patches:
  - patch: |-
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: web}
      spec:
        template:
          spec:
            containers:
              - name: tcp-closer
                args: ["-n", "-s", "8080", "-t", "10m", "--probe", "10s", "--max", "50"]
END
mkdir "$work/kubernetes/before-1.30" "$work/kubernetes/node"
cat >"$work/kubernetes/before-1.30/kustomization.yaml" <<'END'
resources: [../pods]
patches:
  - target: {kind: DaemonSet, name: tcp-closer}
    patch: |-
      - {op: remove, path: /spec/template/spec/securityContext/appArmorProfile}
      - {op: add, path: /spec/template/metadata/annotations, value: {container.apparmor.security.beta.kubernetes.io/db: unconfined}}
END
printf 'namespace: tcp-closer-node\nresources: [../base]\n' >"$work/kubernetes/node/kustomization.yaml"

rendered() { kubectl kustomize "$work/kubernetes/$1"; } # DIRECTORY
has() { rendered "$1" | grep -qF -- "$2"; } # DIRECTORY TEXT
added() { # DIRECTORY: prints the capabilities that each container adds, a line for each container
    rendered "$1" | awk '/^ *add:/ { on = 1; next } on && /^ *- / { list = list " " $2; next } on { print substr(list, 2); on = 0; list = "" }'
}
adds() { # DIRECTORY CAPABILITIES CONTAINERS: so many containers add exactly these
    added "$1" >"$work/added"
    cat "$work/added"
    test "$(grep -cx "$2" "$work/added")" = "$3" && test "$(wc -l <"$work/added")" = "$3"
}

if with_kubectl; then
    for directory in . owners pods with-sidecar with-sidecar-probe before-1.30 node; do ok "kubectl renders kubernetes/$directory" rendered $directory; done
    ok "kubernetes: each rule of the base has only CAP_NET_ADMIN" adds . NET_ADMIN 2
    ok "kubernetes: each rule of owners inspects processes" adds owners "NET_ADMIN SYS_PTRACE DAC_READ_SEARCH" 2
    ok "kubernetes: each rule of pods also enters namespaces" adds pods "NET_ADMIN SYS_PTRACE DAC_READ_SEARCH SYS_ADMIN" 2
    ok "kubernetes: each rule of pods looks in all namespaces" test "$(rendered pods | grep -c -- '- --all-netns$')" = 2
    ok "kubernetes: the sidecar has only CAP_NET_ADMIN" adds with-sidecar NET_ADMIN 1
    ok "kubernetes: the sidecar that probes also inspects processes" adds with-sidecar-probe "NET_ADMIN SYS_PTRACE DAC_READ_SEARCH" 1
    ok "kubernetes: an application's own rule is in the arguments" has with-sidecar-probe "- 10m"
    ok "kubernetes: before 1.30 AppArmor is turned off by an annotation" has before-1.30 "apparmor.security.beta.kubernetes.io/db: unconfined"
    ok "kubernetes: before 1.30 there is no appArmorProfile" fails has before-1.30 appArmorProfile
    ok "kubernetes: a second installation has a namespace of its own" has node "namespace: tcp-closer-node"
    ok "kubernetes: the base sets no hostPID" fails has . hostPID
    ok "kubernetes: the base leaves AppArmor on" fails has . appArmorProfile
    for directory in owners pods; do ok "kubernetes: $directory turns AppArmor off" has $directory appArmorProfile; done
    ok "kubernetes: the sidecar uses no namespace of the host" fails has with-sidecar host
    for directory in . owners pods with-sidecar; do
        ok "kubernetes: the rule that comes with $directory is a dry run" has $directory "- -n"
        ok "kubernetes: $directory has a liveness probe" has $directory "- --check"
        ok "kubernetes: $directory has the seccomp profile of the runtime" has $directory "type: RuntimeDefault"
    done
else
    skip "kustomization: Debian 13's kubectl cannot be fetched"
fi
