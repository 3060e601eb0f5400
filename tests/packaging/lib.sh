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

# boot ROOT SECONDS: boots the root with a systemd that runs its /test/inside.sh and ends. What that prints is in ROOT/test/lines, which
# stays empty if systemd-nspawn does not boot here.
boot() {
    cp tests/results.sh "$1/test/"
    cat >"$1/etc/systemd/system/test.service" <<END
[Unit]
After=multi-user.target
SuccessAction=exit-force
FailureAction=exit-force
[Service]
Type=oneshot
Environment=HOME=/root LC_ALL=C.UTF-8
ExecStart=/bin/sh /test/inside.sh
StandardOutput=append:/test/lines
StandardError=append:/test/lines
TimeoutStartSec=$(($2 - 100))
END
    mkdir -p "$1/etc/systemd/system/default.target.wants"
    ln -s ../test.service "$1/etc/systemd/system/default.target.wants/"
    : >"$1/test/lines"
    # The machine may use cgroup v1: systemd gets its own cgroup v2 tree.
    # shellcheck disable=SC2016 # for the inner shell
    timeout -k 5 "$2" unshare -m sh -c 'mount --make-rprivate / && { umount -R /sys/fs/cgroup || true; } && mount -t cgroup2 none /sys/fs/cgroup &&
        exec systemd-nspawn -q -D "$1" --boot --private-network --register=no --keep-unit --system-call-filter=pidfd_getfd --console=pipe' \
        sh "$1" </dev/null >"$work/console" 2>&1 || true
}

# with_kubectl: puts kubectl 1.32 of Debian 13 into PATH, without installing it. Debian 12's, 1.20, is too old for the kustomizations.
with_kubectl() {
    unpack "$(own_arch)-trixie" "$PWD/artifacts/kubectl" kubectl 2>/dev/null || return
    PATH=$PWD/artifacts/kubectl/usr/bin:$PATH
    quiet kubectl version --client
}

end() {
    echo "$passed passed, $failed failed, $skipped skipped"
    test "$passed" -gt 0 && test "$failed" = 0
}
