#!/bin/sh
# Executes the commands of the documents as printed, and compares their output where the document shows it.
# Each block in ```sh or ```console names, in a comment before it, the situation in which it runs: <!-- test: NAME -->, a function of
# situations.sh. A block runs in its own network, process and mount namespaces. <!-- test: none, REASON --> is counted as skipped.
# Usage: tests/docs/run.sh [--no-build] [DOCUMENT[:LINE]...]
# Ends with a line "N passed, N failed, N skipped".
set -eu
cd "$(dirname "$0")/../.."
. scripts/lib.sh

build=true
documents=
for argument; do
    case $argument in
        --no-build) build=false ;;
        -*) die "unknown argument '$argument'. Usage: tests/docs/run.sh [--no-build] [DOCUMENT[:LINE]...]" ;;
        *) documents="$documents $argument" ;;
    esac
done
test -n "$documents" || documents="README.md CHANGELOG.md SECURITY.md CONTRIBUTING.md $(echo docs/*.md) packaging/tcp-closer.8"

need_build_tools
need unshare:util-linux ip:iproute2 jq:jq
if test "$(id -u)" = 0; then need_unstarted sshd:openssh-server ssh:openssh-client || say "continuing without them"; fi
if $build; then
    publish TcpCloser.csproj -p:NoSockDestroy=false
    publish tests/TcpCloser.Lab/TcpCloser.Lab.csproj
fi

work=$(mktemp -d)
# The cgroups that situations create are below this one.
cgroup_mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
export CGROUPS="tcp-closer-docs-${work##*/}"
finish() {
    if test -d "$cgroup_mount/$CGROUPS"; then find "$cgroup_mount/$CGROUPS" -depth -type d -exec rmdir {} + || true; fi
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM
chmod 755 "$work"
mkdir "$work/blocks"

# A block becomes a file DOCUMENT:LINE (with % for /): its first line is the kind and the situation, the others are the block.
# shellcheck disable=SC2086 # a list of words
for document in $documents; do
    file=${document%%:*}
    case $document in *:*) line=${document#*:} ;; *) line= ;; esac
    awk -v only="$line" -v prefix="$work/blocks/$(echo "$file" | tr / %):" '
        /^<!-- test: .* -->$/ { test = substr($0, 12, length($0) - 15); next }
        !inside && /^```/ {
            inside = 1
            kind = substr($0, 4)
            output = prefix NR
            wanted = only == "" || only == NR
            # A diagram or an output needs no test; a command in a block without a language does.
            if (kind == "") kind = "text"
            if (test == "") test = "missing"
            if (kind == "sh" || kind == "console") { if (wanted) print kind, test >output }
            else wanted = 0
            next
        }
        inside && /^```$/ { inside = 0; test = ""; if (wanted) close(output); next }
        inside && kind == "text" && /^(\$ |sudo |tcp-closer |scripts\/|tests\/)/ { print "text missing" >(prefix NR) }
        inside && wanted { print >output }
        !inside && NF { test = "" }' "$file"
    # Commands within sentences, options of services and the examples of the man page must be valid, whatever they would find.
    if test -z "$line"; then
        # shellcheck disable=SC2016 # backticks of Markdown
        case $file in
            *.8) sed -nE -e '/^\.SH EXAMPLES/,$!d' -e 's/\\-/-/g' -e 's/^(\.B )?tcp-closer //p' "$file" ;;
            *)
                sed -n 's/.*OPTIONS="\([^"]*\)".*/\1/p' "$file"
                sed '/^```/,/^```/d' "$file" | tr '\n' ' ' | grep -oE '`[^`]+`' | sed -nE 's/^`(.*[ /])?tcp-closer (-.*)`$/\2/p'
                ;;
        esac | grep -vE '\.\.\.|…|\b[A-Z]{3,}\b|--help|--version' | sort -u >"$work/words" || true
        test ! -s "$work/words" || sed '1i words empty' "$work/words" >"$work/blocks/$(echo "$file" | tr / %):words"
    fi
done

namespaces="unshare -nmpf --kill-child --mount-proc"
test "$(id -u)" = 0 || namespaces="unshare -rnmpf --kill-child --mount-proc"
rid=linux-$(own_arch)
export TOOL="${TCP_CLOSER_BINARY-$PWD/artifacts/publish/TcpCloser/release_$rid/tcp-closer}"
export LAB="$PWD/artifacts/publish/TcpCloser.Lab/release_$rid/tcp-closer-lab"

# Most blocks wait for a probe or an idle time most of the time, so several run at once.
# shellcheck disable=SC2016 # expanded by the inner shell
find "$work/blocks" -type f | sort | NAMESPACES=$namespaces xargs -P 8 -I BLOCK sh -c '
    block=$1
    timeout -k 5 170 $NAMESPACES sh tests/docs/inside.sh "$block" </dev/null >"$block.log" 2>&1 && status=0 || status=$?
    name=$(basename "$block" | tr % /)
    case $status in
        0) echo "ok $name" ;;
        77) echo "skip $name: $(tail -n 1 "$block.log")" ;;
        *) echo "not ok $name ($(head -n 1 "$block")): status $status" && sed "s/^/    /" "$block.log" ;;
    esac >"$block.result"' sh BLOCK
cat "$work"/blocks/*.result

count() { cat "$work"/blocks/*.result | grep -c "^$1 " || true; }
passed=$(count ok) failed=$(count 'not ok') skipped=$(count skip)
echo "$passed passed, $failed failed, $skipped skipped"
test "$passed" -gt 0 && test "$failed" = 0
