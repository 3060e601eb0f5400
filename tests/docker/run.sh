#!/bin/sh
# Builds Dockerfile.build with buildah instead of a Docker engine, on a base image of debootstrap and this machine's SDK.
# Needs root. Ends with a line "N passed, N failed, N skipped".
set -eu
cd "$(dirname "$0")/../.."
. scripts/lib.sh

test "$(id -u)" = 0 || die "needs root (debootstrap, buildah --isolation chroot)"
sdk=$(dirname "$(readlink -f "$(command -v dotnet)")") || die "dotnet is missing: install the .NET SDK 10"
need buildah:buildah debootstrap:debootstrap readelf:binutils skopeo:skopeo jq:jq

base=$PWD/artifacts/docker/base
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
# Images and containers have their own store in $work.
engine() { buildah --root "$work/store" --runroot "$work/run" --storage-driver vfs "$@"; }

if ! test -e "$base/.complete"; then
    say "building the base image in artifacts/docker/base (debootstrap, about a minute)"
    rm -rf "$base"
    mkdir -p "$base"
    suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
    quiet debootstrap --variant=minbase --include=ca-certificates,git,libicu72,libssl3,libstdc++6 "$suite" "$base" ||
        die "debootstrap failed"
    rm -rf "$base"/var/cache/apt/archives/*.deb
    cp -r /etc/apt/sources.list* "$base/etc/apt/"
    cp /etc/ssl/certs/ca-certificates.crt "$base/etc/ssl/certs/" # the certificate authorities of this machine, for the feeds
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
prints() { # TEXT COMMAND...
    text=$1
    shift
    "$@" | grep -F -- "$text"
}
run_image() {
    container=$(engine from --pull-never localhost/tcp-closer)
    engine run --isolation chroot "$container" -- /tcp-closer --version
    engine rm "$container"
}
labels() { # of the image when it is pushed, read by another tool
    engine push localhost/tcp-closer "oci:$work/oci:tcp-closer"
    skopeo inspect "oci:$work/oci:tcp-closer" | jq -r '.Labels | to_entries[] | .key + "=" + .value'
}
entry_point() { engine inspect --type image --format '{{.OCIv1.Config.Entrypoint}}' localhost/tcp-closer; }

ok "the build exports the binary" build --output "type=local,dest=$work/out"
ok "the exported binary runs in an empty root" chroot "$work/out" /tcp-closer --version
ok "the build exports the debug symbols" test -s "$work/out/tcp-closer-linux-musl-$(own_arch).dbg"
ok "the build exports nothing else" test "$(find "$work/out" -type f | wc -l)" = 2
ok "the image builds with a given version" build --target image -t localhost/tcp-closer --build-arg VERSION=9.8.7
ok "the image runs, and has the given version" prints 9.8.7 run_image
ok "the image has the entry point" prints "[/tcp-closer]" entry_point
ok "the image has the labels" prints org.opencontainers.image.version=9.8.7 labels
ok "the build cross-compiles without SOCK_DESTROY" build --output "type=local,dest=$work/arm" --build-arg ARCH=arm64 --build-arg NO_SOCK_DESTROY=true
ok "the cross-compiled binary has the requested architecture" prints AArch64 readelf -h "$work/arm/tcp-closer"
archive() { # FILE: an image of both binaries, with one index
    scripts/image.sh "$1" 9.8.7 "$work/out/tcp-closer" "$work/arm/tcp-closer" >"$work/digest" && cat "$work/digest"
}
both_archives() { archive "$work/one.tar" && archive "$work/two.tar" && cmp "$work/one.tar" "$work/two.tar"; }
index() { skopeo inspect --raw "oci-archive:$work/one.tar"; }
architectures() { index | jq -r '[.manifests[].platform.architecture] | sort | join(" ")'; }
digest() { index | sha256sum | cut -d' ' -f1; }
ok "the image of both architectures is reproducible" both_archives
ok "the image of both architectures has one index" prints "amd64 arm64" architectures
ok "the image of both architectures has the printed digest" prints "sha256:$(digest)" cat "$work/digest"
ok "the cross-compiled binary is the requested variant" test -s "$work/arm/tcp-closer-linux-musl-arm64-no-sock-destroy.dbg"

echo "$passed passed, $failed failed, 0 skipped"
test "$failed" = 0
