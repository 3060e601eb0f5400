# For tests that run in a root or namespaces of their own. Result lines: "ok NAME", or "not ok NAME" followed by the output.
# shellcheck shell=dash

ok() { # NAME COMMAND...
    name=$1
    shift
    if "$@" >output 2>&1; then echo "ok $name"; else echo "not ok $name"; tail -n 12 output | sed 's/^/# /'; fi
}
fails() { ! "$@"; }
silent() { "$@" >silence 2>&1 && ! grep . silence; }
within_20s() { # COMMAND...
    tries=200
    until "$@"; do
        tries=$((tries - 1))
        test $tries -gt 0 || { echo "not within 20 s: $*"; return 1; }
        sleep 0.1
    done
}
