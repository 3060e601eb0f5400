#!/bin/sh
# Builds Dockerfile.build without a Docker engine: by buildah, on a base image of debootstrap and this machine's SDK.
# Needs root. Ends with a line "N passed, N failed, N skipped".
set -eu
cd "$(dirname "$0")/../.."
. scripts/lib.sh

test "$(id -u)" = 0 || die "needs root (debootstrap, buildah --isolation chroot)"
sdk=$(dirname "$(readlink -f "$(command -v dotnet)")") || die "no dotnet here: install the .NET SDK 10"
need buildah:buildah debootstrap:debootstrap readelf:binutils skopeo:skopeo jq:jq

base=$PWD/artifacts/docker/base
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
# Images and containers in a store of their own, which goes with $work.
engine() { buildah --root "$work/store" --runroot "$work/run" --storage-driver vfs "$@"; }

if ! test -e "$base/.complete"; then
    say "making the base image in artifacts/docker/base (debootstrap, about a minute)"
    rm -rf "$base"
    mkdir -p "$base"
    suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
    quiet debootstrap --variant=minbase --include=ca-certificates,git,libicu72,libssl3,libstdc++6 "$suite" "$base" ||
        die "debootstrap failed"
    rm -rf "$base"/var/cache/apt/archives/*.deb
    cp -r /etc/apt/sources.list* "$base/etc/apt/"
    cp /etc/ssl/certs/ca-certificates.crt "$base/etc/ssl/certs/" # whom this machine trusts to sign the feeds
    cp -r "$sdk" "$base/usr/share/dotnet"
    ln -s ../share/dotnet/dotnet "$base/usr/bin/dotnet"
    touch "$base/.complete"
fi
container=$(engine from scratch)
quiet engine add "$container" "$base" /
engine config --env SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt --env NUGET_CERT_REVOCATION_MODE=offline "$container"
quiet engine commit --rm "$container" local-sdk

passed=0
failed=0
ok() { # NAME COMMAND...
    name=$1
    shift
    if quiet "$@"; then
        passed=$((passed + 1)) && echo "ok $name"
    else
        failed=$((failed + 1)) && echo "not ok $name"
    fi
}
build() { engine build --isolation chroot -f Dockerfile.build --build-arg SDK_IMAGE=localhost/local-sdk "$@" .; }
says() { # TEXT COMMAND...
    text=$1
    shift
    "$@" | grep -F -- "$text"
}
run_image() {
    container=$(engine from --pull-never localhost/tcp-closer)
    engine run --isolation chroot "$container" -- /tcp-closer --version
    engine rm "$container"
}
labels() { # what another tool reads of the image as it would be pushed
    engine push localhost/tcp-closer "oci:$work/oci:tcp-closer"
    skopeo inspect "oci:$work/oci:tcp-closer" | jq -r '.Labels | to_entries[] | .key + "=" + .value'
}
entry_point() { engine inspect --type image --format '{{.OCIv1.Config.Entrypoint}}' localhost/tcp-closer; }

ok "exports the binary" build --output "type=local,dest=$work/out"
ok "which runs in an empty root" chroot "$work/out" /tcp-closer --version
ok "with its symbols beside it" test -s "$work/out/tcp-closer-linux-musl-$(own_arch).dbg"
ok "and nothing else" test "$(find "$work/out" -type f | wc -l)" = 2
ok "builds the image, with a version given" build --target image -t localhost/tcp-closer --build-arg VERSION=9.8.7
ok "which runs" says 9.8.7 run_image
ok "by its entry point" says "[/tcp-closer]" entry_point
ok "with its labels" says org.opencontainers.image.version=9.8.7 labels
ok "cross-compiles, without SOCK_DESTROY" build --output "type=local,dest=$work/arm" --build-arg ARCH=arm64 --build-arg NO_SOCK_DESTROY=true
ok "for the architecture asked for" says AArch64 readelf -h "$work/arm/tcp-closer"
ok "as the variant asked for" test -s "$work/arm/tcp-closer-linux-musl-arm64-no-sock-destroy.dbg"

echo "$passed passed, $failed failed, 0 skipped"
test "$failed" = 0
