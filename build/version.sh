#!/bin/sh
# Prints the version of the sources in the folder above this one. It is a SemVer, and what comes after sorts after:
#   1.2.0                        the commit with the tag v1.2.0, and nothing changed in its files
#   1.2.1-alpha.0.5+1a2b3c4d5e   five commits later: after 1.2.0, before 1.2.1
#   1.3.0-rc.1.5+1a2b3c4d5e      five commits after v1.3.0-rc.1: before 1.3.0
#   0.0.0-alpha.0.5+1a2b3c4d5e   the fifth commit, with no tag yet
#   0.0.0                        outside git; a source archive inside another project's repository is outside
# It ends with .dirty where files differ from the commit. Of several tags that led here the highest counts.
set -eu
cd "$(dirname "$0")/.."
# Whoever owns the files (root of a container builds those of a user), and without writing to the repository.
git() { command git --no-optional-locks -c 'safe.directory=*' -c versionsort.suffix=- "$@" 2>/dev/null; }

if ! commit=$(git rev-parse --short=10 HEAD) || test -n "$(git rev-parse --show-prefix)"; then
    echo 0.0.0
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
    '') version=0.0.0-alpha.0 ;;
    *-*) version=${tag#v} ;;
    *) version=${tag#v} version=${version%.*}.$((${version##*.} + 1))-alpha.0 ;;
esac
echo "$version.$since+$commit$changes"
