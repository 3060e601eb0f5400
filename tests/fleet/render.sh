# Renders the pods of packaging/kubernetes into $work/pods, as a file for podman kube play each. Sourced by tests/fleet/run.sh, after tests/packaging/lib.sh.
# shellcheck shell=sh disable=SC2154 # set by the caller

# pod: turns the DaemonSet or Deployment on stdin into its pod.
pod() {
    awk '
        BEGIN { print "apiVersion: v1\nkind: Pod" }
        /^---/ { on = 0 }
        /^  template:/ { on = 1; next }
        on && /^  [^ ]/ { on = 0 }
        on { print substr($0, 5) }
        on && /^    metadata:/ { print "  name: " name }' name="$1"
}

cp -r packaging/kubernetes "$work/kubernetes"
mkdir "$work/kubernetes/app"
cat >"$work/kubernetes/app/app.yaml" <<'END'
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {tcp-closer: sidecar}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "localhost/hold:latest", args: [serve, "8082"]}]}
END
printf 'resources: [app.yaml]\ncomponents: [../sidecar]\n' >"$work/kubernetes/app/kustomization.yaml"
if with_kubectl; then
    mkdir "$work/pods"
    kubectl kustomize packaging/kubernetes | pod base >"$work/pods/base.yaml"
    kubectl kustomize "$work/kubernetes/app" | pod app >"$work/pods/with-sidecar.yaml"
fi
