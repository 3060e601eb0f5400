#!/bin/sh
# Makes a release of this commit in artifacts/release/vX.Y.Z/: both architectures, their packages, SHA256SUMS, a bill of materials,
# and the notes, which are the section of CHANGELOG.md. Every byte is checked by a second build in another place. Then sets the tag.
# Usage: scripts/release.sh vX.Y.Z [--tested] (the suites of .ci/run have passed for this commit)
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

tag=${1-} tested=${2-}
echo "$tag" | grep -Eqx 'v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?' || die "'$tag' is no version. Usage: scripts/release.sh vX.Y.Z [--tested]"
case $tested in '' | --tested) ;; *) die "unknown argument '$tested'. Usage: scripts/release.sh vX.Y.Z [--tested]" ;; esac
BuildVersion=${tag#v}
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export BuildVersion SOURCE_DATE_EPOCH
test -z "$(git status --porcelain)" || die "the work tree is not clean: $(git status --porcelain | head -n 1)"
test -z "$(git tag --list "$tag")" || die "there is a tag $tag already"

out=$PWD/artifacts/release/$tag
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
rm -rf "$out"
mkdir -p "$out"
awk -v version="$BuildVersion" '/^## / { on = $2 == version; next } on' CHANGELOG.md >"$out/NOTES.md"
grep -q . "$out/NOTES.md" || die "CHANGELOG.md has no section '## $BuildVersion'"

test -n "$tested" || bash .ci/run || die "the tests do not pass"

# build OUT: everything of a release that has to be the same wherever it is built.
build() {
    for arch in x64 arm64; do
        packages=$(scripts/package.sh all --arch $arch) || exit
        echo "$packages" | while read -r file; do cp "$file" "$1/"; done
        cp artifacts/tcp-closer-linux-musl-$arch artifacts/tcp-closer-linux-musl-$arch.dbg "$1/"
    done
}
build "$out"
say "building once more, in another place"
git clone -q . "$work/clone"
mkdir "$work/again"
(cd "$work/clone" && build "$work/again") || die "the second build failed"
for file in "$work/again"/*; do cmp "$file" "$out/${file##*/}" || die "${file##*/} is another every time it is built"; done

say "the bill of materials"
tools=$PWD/artifacts/tools
test -x "$tools/dotnet-CycloneDX" || quiet dotnet tool install CycloneDX --version 6.3.1 --tool-path "$tools" || die "no CycloneDX"
quiet "$tools/dotnet-CycloneDX" TcpCloser.csproj -o "$out" -fn tcp-closer.cdx.json -F Json -sn tcp-closer -sv "$BuildVersion" -ed ||
    die "no bill of materials"
(cd "$out" && sha256sum -- * >"$work/SHA256SUMS")
mv "$work/SHA256SUMS" "$out/"
git tag -a "$tag" -F "$out/NOTES.md" --cleanup=verbatim
say "artifacts/release/$tag is ready, and the tag is set: git push origin $tag"
