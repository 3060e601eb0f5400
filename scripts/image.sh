#!/bin/sh
# Builds an image of both architectures, with one file each, as a tar of an OCI layout with one index, and prints the index's digest. The same
# binaries, version and SOURCE_DATE_EPOCH give the same bytes. To push it:
#   skopeo copy --all oci-archive:FILE docker://registry.example.invalid/tcp-closer:1.0.0
# Usage: scripts/image.sh FILE VERSION X64-BINARY ARM64-BINARY
set -eu
test $# = 4 || { echo "Usage: scripts/image.sh FILE VERSION X64-BINARY ARM64-BINARY" >&2; exit 2; }
file=$(realpath -m "$1") version=$2 x64=$(realpath "$3") arm64=$(realpath "$4")
cd "$(dirname "$0")/.."
. scripts/lib.sh
need buildah:buildah jq:jq
: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct)}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
engine() { buildah --root "$work/store" --runroot "$work/run" --storage-driver vfs "$@"; }

quiet engine manifest create tcp-closer
for arch in amd64:$x64 arm64:$arm64; do
    mkdir -p "$work/root"
    install -m 755 "${arch#*:}" "$work/root/tcp-closer"
    container=$(engine from --arch "${arch%%:*}" scratch)
    quiet engine copy "$container" "$work/root" /
    # The labels are those of Dockerfile.build.
    quiet engine config --arch "${arch%%:*}" --os linux --entrypoint '["/tcp-closer"]' --created-by "tcp-closer $version" \
        --label org.opencontainers.image.title=tcp-closer \
        --label "org.opencontainers.image.description=Finds dead TCP connections and closes them" \
        --label org.opencontainers.image.licenses=MIT --label "org.opencontainers.image.version=$version" "$container"
    quiet engine commit --rm --timestamp "$SOURCE_DATE_EPOCH" --identity-label=false --manifest tcp-closer "$container"
done
quiet engine manifest push --all tcp-closer "oci:$work/layout:$version"
rm -f "$work/layout"/*.lock
find "$work/layout" -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +
mkdir -p "$(dirname "$file")"
tar -C "$work/layout" --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX -cf "$file" .
jq -r '.manifests[0].digest' "$work/layout/index.json"
