# shellcheck shell=sh
# Shared by the suites about packages. Source it from the repository's root, after scripts/lib.sh.

base=$PWD/artifacts/packaging/base
passed=0 failed=0 skipped=0

# ok NAME COMMAND...
ok() {
    name=$1
    shift
    if quiet "$@"; then
        passed=$((passed + 1)) && echo "ok $name"
    else
        failed=$((failed + 1)) && echo "not ok $name"
    fi
}

skip() { skipped=$((skipped + 1)) && echo "skip $1"; }

silent() { # COMMAND...: succeeds and prints nothing
    output=$("$@" 2>&1) || { echo "ended with $?"; return 1; }
    echo "$output"
    test -z "$output"
}

fails() { ! "$@"; }

within_20s() { # COMMAND...
    tries=200
    until "$@"; do
        tries=$((tries - 1))
        test $tries -gt 0 || { echo "not within 20 s: $*"; return 1; }
        sleep 0.1
    done
}

# fresh_root DIR: creates a small Debian with systemd in the directory.
fresh_root() {
    if ! test -e "$base/.complete-with-cron"; then
        say "building a root in artifacts/packaging/base (debootstrap, some minutes)"
        rm -rf "$base"
        mkdir -p "$base"
        suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
        quiet debootstrap --variant=minbase --include=cron,systemd,systemd-sysv,dbus,iproute2,logrotate,openrc,procps "$suite" "$base" || die "debootstrap failed"
        rm -rf "$base"/var/cache/apt/archives/*.deb
        touch "$base/.complete-with-cron"
    fi
    cp -a --reflink=auto "$base" "$1"
}

end() {
    echo "$passed passed, $failed failed, $skipped skipped"
    test "$passed" -gt 0 && test "$failed" = 0
}
