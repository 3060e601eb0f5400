#!/bin/sh
# Tests where fleets run: the image on podman with and without each flag of docs/fleet.md, the pods of packaging/kubernetes, upgrades by apt,
# rpm and dnf with a rule that cannot start, the unit beside a real PostgreSQL on Debian 12 and 13, and piuparts. Needs root and some 10
# minutes, most of them the first time. Ends with a line "N passed, N failed, N skipped".
# Usage: tests/fleet/run.sh [--no-build]
set -eu
cd "$(dirname "$0")/../.."
. scripts/lib.sh
. tests/packaging/lib.sh

case $* in
    '' | --no-build) ;;
    *) die "unknown argument '$*'. Usage: tests/fleet/run.sh [--no-build]" ;;
esac
test "$(id -u)" = 0 || die "needs root (podman, systemd-nspawn)"
need podman:podman crun:crun runc:runc conmon:conmon /usr/lib/podman/netavark:netavark /usr/lib/podman/aardvark-dns:aardvark-dns \
    /usr/libexec/podman/catatonit:catatonit iptables:iptables setpriv:util-linux ip:iproute2 gcc:gcc mmdebstrap:mmdebstrap \
    /usr/share/keyrings/debian-archive-keyring.gpg:debian-archive-keyring systemd-nspawn:systemd-container dpkg-scanpackages:dpkg-dev \
    rpmbuild:rpm piuparts:piuparts
packages=$(scripts/package.sh all "$@") || exit
newer=$(BuildVersion=99.0.0 scripts/package.sh all --no-build) || exit
of() { echo "$2" | grep "\\.$1\$"; } # SUFFIX PACKAGES

work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT TERM
seen() { # FILE: prints and counts the result lines of a part, which has to end with "end"
    cat "$1"
    tail -n 1 "$1" | grep -qx end || { echo "not ok $1: ended too early" && failed=$((failed + 1)); }
    passed=$((passed + $(grep -c '^ok ' "$1" || true))) failed=$((failed + $(grep -c '^not ok ' "$1" || true)))
    skipped=$((skipped + $(grep -c '^skip ' "$1" || true)))
}

# podman, on a machine of its own: namespaces, /run, storage.
say "podman"
mkdir "$work/bin"
cp "artifacts/tcp-closer-linux-musl-$(own_arch)" "$work/bin/tcp-closer"
gcc -static -Os -Wall -o "$work/bin/hold" tests/fleet/hold.c
for image in tool:tcp-closer hold:hold; do
    printf 'FROM scratch\nCOPY bin/%s /%s\nENTRYPOINT ["/%s"]\n' "${image#*:}" "${image#*:}" "${image#*:}" >"$work/Dockerfile.${image%:*}"
done
printf '[storage]\ndriver = "overlay"\ngraphroot = "%s/store"\nrunroot = "/run/containers/storage"\n' "$work" >"$work/storage.conf"
printf '[network]\nnetwork_backend = "netavark"\nnetwork_config_dir = "%s/networks"\n[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\n' "$work" >"$work/containers.conf"
. tests/fleet/render.sh
# With cgroup v1, crun does not find its way in a hybrid hierarchy.
machine='mount --make-rprivate / && mount -t tmpfs tmpfs /run && mkdir -p /run/lock /run/netns && { umount /sys/fs/cgroup/unified 2>/dev/null || true; } &&
    ip link set lo up && exec sh tests/fleet/podman.sh'
env work="$work" CONTAINERS_STORAGE_CONF="$work/storage.conf" CONTAINERS_CONF="$work/containers.conf" \
    timeout -k 5 400 unshare -npmui -f --kill-child --mount-proc sh -c "$machine" </dev/null >"$work/podman" 2>&1 || echo "ended with $?" >>"$work/podman"
seen "$work/podman"

# With cgroup v2 alone, in a view of its own.
machine='mount --make-rprivate / && mount -t tmpfs tmpfs /run && mkdir -p /run/lock /run/netns && mount -t tmpfs tmpfs /var/log &&
    umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && ip link set lo up && exec sh tests/fleet/names.sh'
env work="$work" CONTAINERS_STORAGE_CONF="$work/storage.conf" CONTAINERS_CONF="$work/containers.conf" \
    timeout -k 5 200 unshare -npmui -f --kill-child --mount-proc sh -c "$machine" </dev/null >"$work/names" 2>&1 || echo "ended with $?" >>"$work/names"
seen "$work/names"

# Debian 12 and 13, booted.
fleet_root() { # SUITE PACKAGES: a root in artifacts/fleet/SUITE
    if ! test -e "artifacts/fleet/$1/.complete"; then
        say "building a root of $1 in artifacts/fleet (mmdebstrap, about a minute)"
        rm -rf "artifacts/fleet/$1"
        mkdir -p artifacts/fleet
        quiet mmdebstrap -q --variant=minbase --aptopt='Apt::Install-Recommends "false"' --dpkgopt=force-unsafe-io --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
            --include="$2" "$1" "artifacts/fleet/$1" "$(debian_mirror)" || die "mmdebstrap $1 failed"
        touch "artifacts/fleet/$1/.complete"
    fi
    cp -a --reflink=auto "artifacts/fleet/$1" "$work/$1"
}
dummy_sh() { # builds an rpm of nothing, which says that /bin/sh is there: dnf knows no package of Debian
    printf 'Name: sh\nVersion: 1\nRelease: 1\nSummary: sh\nLicense: MIT\nBuildArch: noarch\nProvides: /bin/sh\n%%description\n%%files\n' >"$work/sh.spec"
    quiet rpmbuild -bb --define "_topdir $work/rpmbuild" --define "_rpmdir $work" "$work/sh.spec" && mv "$work"/noarch/sh-*.rpm "$1"
}
base=systemd,systemd-sysv,dbus,iproute2,procps,logrotate,cron,postgresql
for suite in bookworm trixie; do
    case $suite in bookworm) more=,rpm,dnf,createrepo-c ;; *) more= ;; esac
    fleet_root $suite $base$more
    root=$work/$suite
    say "booting $suite"
    mkdir -p "$root/test/repo"
    cp tests/fleet/inside.sh "$root/test/"
    cp "$(of deb "$packages")" "$(of deb "$newer")" "$root/test/repo/"
    dpkg-deb -f "$(of deb "$packages")" Version >"$root/test/one.version"
    cp "$(of rpm "$packages")" "$root/test/one.rpm"
    cp "$(of rpm "$newer")" "$root/test/two.rpm"
    dummy_sh "$root/test/sh.rpm"
    (cd "$root/test/repo" && dpkg-scanpackages -m . >Packages 2>/dev/null)
    boot "$root" 500
    if test -s "$root/test/lines"; then
        sed "s/^\(ok\|not ok\|skip\) /\1 $suite: /" "$root/test/lines" >"$work/lines-$suite"
        seen "$work/lines-$suite"
    else
        tail -n 5 "$work/console"
        skip "$suite: systemd-nspawn does not boot here"
    fi
done

say "piuparts"
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
ok "piuparts: installing and purging the deb leaves the system as it was" \
    piuparts -d "$suite" --mirror "$(debian_mirror) main" --no-upgrade-test --no-eatmydata "$(of deb "$packages")"
end
