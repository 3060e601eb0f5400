#!/bin/sh
# Builds a release of this commit in artifacts/release/vX.Y.Z/: both architectures, their packages, an image of both, the kustomizations with
# the digest of that image, SHA256SUMS, a bill of materials, the provenance, and the notes, which are the section of CHANGELOG.md. A second
# build in a different directory must give the same bytes. Then sets the tag.
# Usage: scripts/release.sh vX.Y.Z [--tested] (the suites of .ci/run have passed for this commit)
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

tag=${1-} tested=${2-}
echo "$tag" | grep -Eqx 'v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?' || die "'$tag' is not a version. Usage: scripts/release.sh vX.Y.Z [--tested]"
case $tested in '' | --tested) ;; *) die "unknown argument '$tested'. Usage: scripts/release.sh vX.Y.Z [--tested]" ;; esac
BuildVersion=${tag#v}
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export BuildVersion SOURCE_DATE_EPOCH
test -z "$(git status --porcelain)" || die "the work tree is not clean: $(git status --porcelain | head -n 1)"
test -z "$(git tag --list "$tag")" || die "the tag $tag already exists"

need jq:jq
out=$PWD/artifacts/release/$tag
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
rm -rf "$out"
mkdir -p "$out"
awk -v version="$BuildVersion" '/^## / { on = $2 == version; next } on' CHANGELOG.md >"$out/NOTES.md"
grep -q . "$out/NOTES.md" || die "CHANGELOG.md has no section '## $BuildVersion'"

test -n "$tested" || bash .ci/run || die "the tests do not pass"

# build OUT: builds the part of a release that must be reproducible.
build() {
    for arch in x64 arm64; do
        packages=$(scripts/package.sh all --arch $arch) || exit
        echo "$packages" | while read -r file; do cp "$file" "$1/"; done
        cp artifacts/tcp-closer-linux-musl-$arch artifacts/tcp-closer-linux-musl-$arch.dbg "$1/"
    done
    digest=$(scripts/image.sh "$1/tcp-closer-$BuildVersion-oci.tar" "$BuildVersion" artifacts/tcp-closer-linux-musl-x64 artifacts/tcp-closer-linux-musl-arm64) || exit
    kustomizations "$1" "$digest"
}
# kustomizations OUT DIGEST: makes a tar of packaging/kubernetes that names this image.
kustomizations() {
    tree=$work/tcp-closer-$BuildVersion-kubernetes
    rm -rf "$tree"
    cp -r packaging/kubernetes "$tree"
    find "$tree" -name kustomization.yaml -exec sed -i "s|^\( *\)newTag: .*|\1digest: $2|" {} +
    find "$tree" -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +
    tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX -cf - "${tree##*/}" | gzip -9n >"$1/${tree##*/}.tar.gz"
}
# provenance: prints a statement of in-toto in the form of SLSA: the files with their hashes, who built them, the commit, the SDK and the packages.
provenance() {
    (cd "$out" && sha256sum -- *) | jq -R -n '[inputs | split("  ") | { name: .[1], digest: { sha256: .[0] } }]' >"$work/subjects"
    jq -s '[.[].dependencies[] | to_entries[] | select(.value.contentHash) |
        { uri: "pkg:nuget/\(.key)@\(.value.resolved)", annotations: { contentHash: .value.contentHash } }] | unique' packages.*.lock.json >"$work/nuget"
    # The compilers and libraries of this machine, with the hashes of their packages if apt still knows these versions.
    for package in clang lld llvm musl-dev binutils; do
        version=$(dpkg-query -W -f '${Version}' $package) || exit
        printf '%s %s %s\n' $package "$version" "$(apt-cache show "$package=$version" 2>/dev/null | sed -n 's/^SHA256: //p' | head -n 1)"
    done | jq -R -n '[inputs | split(" ") | { uri: "pkg:deb/\(.[0])@\(.[1])" } + if .[2] == "" then {} else { digest: { sha256: .[2] } } end]' >"$work/deb"
    jq -n --arg tag "$tag" --arg commit "$(git rev-parse HEAD)" --arg source "$(git remote get-url origin 2>/dev/null || echo unknown)" \
        --arg who "$(git var GIT_COMMITTER_IDENT | sed 's/ [0-9]* [-+][0-9]*$//')" --arg sdk "$(dotnet --version)" --arg epoch "$SOURCE_DATE_EPOCH" \
        --arg system "$(. /etc/os-release && echo "$PRETTY_NAME")" --slurpfile subjects "$work/subjects" --slurpfile nuget "$work/nuget" --slurpfile deb "$work/deb" '{
            _type: "https://in-toto.io/Statement/v1",
            subject: $subjects[0],
            predicateType: "https://slsa.dev/provenance/v1",
            predicate: {
                buildDefinition: {
                    buildType: "scripts/release.sh",
                    externalParameters: { tag: $tag },
                    internalParameters: { SOURCE_DATE_EPOCH: $epoch },
                    resolvedDependencies: ([{ uri: "git+\($source)", digest: { gitCommit: $commit } }, { uri: "pkg:generic/dotnet-sdk@\($sdk)" }] + $nuget[0] + $deb[0])
                },
                runDetails: { builder: { id: $who, version: { system: $system } } }
            }
        }'
}
build "$out"
say "building again, in a different directory"
git clone -q . "$work/clone"
mkdir "$work/again"
(cd "$work/clone" && build "$work/again") || die "the second build failed"
for file in "$work/again"/*; do cmp "$file" "$out/${file##*/}" || die "${file##*/} is not reproducible"; done

say "creating the bill of materials"
tools=$PWD/artifacts/tools
test -x "$tools/dotnet-CycloneDX" || quiet dotnet tool install CycloneDX --version 6.3.1 --tool-path "$tools" || die "installing CycloneDX failed"
quiet "$tools/dotnet-CycloneDX" TcpCloser.csproj -o "$out" -fn tcp-closer.cdx.json -F Json -sn tcp-closer -sv "$BuildVersion" -ed ||
    die "creating the bill of materials failed"
say "writing the provenance"
provenance >"$work/provenance.json"
jq -e '.subject | length > 5' "$work/provenance.json" >/dev/null || die "the provenance names too few files"
mv "$work/provenance.json" "$out/tcp-closer.provenance.json"
(cd "$out" && sha256sum -- * >"$work/SHA256SUMS")
mv "$work/SHA256SUMS" "$out/"
git tag -a "$tag" -F "$out/NOTES.md" --cleanup=verbatim
say "artifacts/release/$tag is ready, and the tag is set: git push origin $tag"
