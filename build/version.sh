#!/bin/sh
# Prints the version of the sources, a SemVer. After the first release it sorts in the order of the commits:
#   1.2.0                        the commit with the tag v1.2.0, with unchanged files
#   1.2.1-alpha.0.5+g1a2b3c4d5e  five commits later: after 1.2.0, before 1.2.1
#   1.3.0-rc.1.5+g1a2b3c4d5e     five commits after v1.3.0-rc.1: before 1.3.0
#   1.0.0+g1a2b3c4d5e            without any tag: the newest section of CHANGELOG.md
#   1.0.0+unknown                the same outside git, or in a source archive inside the repository of another project
# It ends with .dirty if files differ from the commit. If the commit has several tags in its history, the highest counts.
set -eu
cd "$(dirname "$0")/.."
# Works for files of any user (root in a container may build those of a user), and does not write to the repository.
git() { command git --no-optional-locks -c 'safe.directory=*' -c versionsort.suffix=- "$@" 2>/dev/null; }

# Without any release, the version is the one that the sources will have.
next=$(awk '/^## [0-9]+\.[0-9]+\.[0-9]+( |$)/ { print $2; exit }' CHANGELOG.md 2>/dev/null || true)
if ! commit=$(git rev-parse --short=10 HEAD) || test -n "$(git rev-parse --show-prefix)"; then
    echo "${next:-0.0.0}+unknown"
    exit
fi
changes=
test -z "$(git status --porcelain --untracked-files=no)" || changes=.dirty

number='(0|[1-9][0-9]*)'
tag=$(git tag --merged HEAD --sort=-version:refname --list 'v[0-9]*' |
    grep -E "^v$number\.$number\.$number(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$" | head -n 1)
since=$(git rev-list --count "${tag:+$tag..}HEAD")
if test -n "$tag" && test "$since$changes" = 0; then
    echo "${tag#v}"
    exit
fi
case $tag in
    '') version=${next:-0.0.0} ;;
    *-*) version=${tag#v}.$since ;;
    *) version=${tag#v} version=${version%.*}.$((${version##*.} + 1))-alpha.0.$since ;;
esac
echo "$version+g$commit$changes"
