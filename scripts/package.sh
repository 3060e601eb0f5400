#!/bin/sh
# Builds packages of the static binary in artifacts/packages/ and prints their paths.
# Usage: scripts/package.sh [deb|rpm|tar|all] [--arch x64|arm64] [--no-build]
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

usage="Usage: scripts/package.sh [deb|rpm|tar|all] [--arch x64|arm64] [--no-build]"
kinds=all arch=$(own_arch) build=true
while test $# -gt 0; do
    case $1 in
        deb | rpm | tar | all) kinds=$1 ;;
        --arch) arch=${2-}; shift; test $# -gt 0 || die "--arch needs x64 or arm64" ;;
        --arch=*) arch=${1#*=} ;;
        --no-build) build=false ;;
        *) die "unknown argument '$1'. $usage" ;;
    esac
    shift
done
case $arch in
    x64) deb_arch=amd64 rpm_arch=x86_64 ;;
    arm64) deb_arch=arm64 rpm_arch=aarch64 ;;
    *) die "--arch '$arch': expected x64 or arm64" ;;
esac
test "$kinds" != all || kinds="deb rpm tar"
for kind in $kinds; do
    case $kind in deb) need dpkg-deb:dpkg ;; rpm) need rpmbuild:rpm ;; esac
done

binary=artifacts/tcp-closer-linux-musl-$arch
! $build || scripts/build-musl.sh --arch "$arch"
test -x "$binary" || die "$binary is missing: run scripts/build-musl.sh --arch $arch"
notices=$(find "${NUGET_PACKAGES:-$HOME/.nuget/packages}/runtime.linux-$arch.microsoft.dotnet.ilcompiler" -name THIRD-PARTY-NOTICES.TXT | sort | tail -n 1)
test -n "$notices" || die "the NuGet cache has no THIRD-PARTY-NOTICES.TXT of the .NET runtime: build without --no-build"

# Both deb and rpm sort a version with a tilde before the release. Without any tag, the number of commits orders the builds.
version=${BuildVersion:-$(sh build/version.sh)}
case $version in
    *-*) package_version=${version%%-*}~${version#*-} ;;
    *+*) package_version=${version%%+*}~$(git rev-list --count HEAD 2>/dev/null || echo 0)+${version#*+} ;;
    *) package_version=$version ;;
esac
: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct 2>/dev/null || date +%s)}"
export SOURCE_DATE_EPOCH TZ=UTC0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
umask 022
out=$PWD/artifacts/packages
mkdir -p "$out"

# The directory from which install.sh installs.
tree=$work/tcp-closer-$version-linux-$arch
mkdir "$tree"
cp -r packaging/install.sh packaging/tcp-closer.8 packaging/completions packaging/systemd packaging/openrc packaging/cron packaging/logrotate \
    packaging/fail2ban packaging/prometheus packaging/example.conf packaging/copyright README.md CHANGELOG.md LICENSE "$tree/"
cp "$binary" "$tree/tcp-closer"
install -m 644 "$notices" "$tree/dotnet-third-party-notices.txt"
rm -f "$tree/prometheus/"*.test.yml
chmod -R u=rwX,go=rX "$tree"

# stage DIR: installs the tree into DIR as a distribution's package does.
stage() {
    DESTDIR=$1 PREFIX=/usr "$tree/install.sh"
    doc=$1/usr/share/doc/tcp-closer
    cp "$tree/dotnet-third-party-notices.txt" "$doc/"
    printf '.so man8/tcp-closer.8\n' >"$1/usr/share/man/man8/tcp_closer.8"
    gzip -9n "$1"/usr/share/man/man8/*.8
}

# reproducible DIR: sets the time of all files to that of the commit.
reproducible() { find "$1" -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +; }

make_deb() {
    root=$work/deb
    UNITDIR=/lib/systemd/system stage "$root"
    gzip -9n <CHANGELOG.md >"$doc/changelog.gz"
    printf 'tcp-closer (%s-1) unstable; urgency=medium\n\n  * See changelog.gz.\n\n -- The tcp-closer authors <tcp-closer@example.invalid>  %s\n' \
        "$package_version" "$(LC_ALL=C date -u -d "@$SOURCE_DATE_EPOCH" '+%a, %d %b %Y %H:%M:%S +0000')" | gzip -9n >"$doc/changelog.Debian.gz"
    gzip -9n "$doc/dotnet-third-party-notices.txt"
    mkdir -p "$root/usr/share/lintian/overrides" "$root/DEBIAN"
    cp packaging/debian/lintian-overrides "$root/usr/share/lintian/overrides/tcp-closer"
    for script in postinst prerm postrm; do install -m 755 packaging/debian/$script "$root/DEBIAN/$script"; done
    (cd "$root" && find etc -type f | sed 's|^|/|' | sort) >"$root/DEBIAN/conffiles"
    (cd "$root" && find usr lib -type f -print0 | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
    cat >"$root/DEBIAN/control" <<END
Package: tcp-closer
Version: $package_version-1
Architecture: $deb_arch
Maintainer: The tcp-closer authors <tcp-closer@example.invalid>
Installed-Size: $(du -k --apparent-size -s "$root" | cut -f1)
Section: net
Priority: optional
Suggests: fail2ban, prometheus-node-exporter
Description: finds dead TCP connections and closes them
 Servers collect TCP connections that are dead: established on paper, but the
 peer, the path or the keep-alive of the application is gone. tcp-closer asks
 the kernel which connections match and are idle for long enough, and has the
 kernel close them, so that the application notices and reconnects.
END
    reproducible "$root"
    quiet dpkg-deb --root-owner-group -b "$root" "$out/tcp-closer_$package_version-1_$deb_arch.deb" || die "dpkg-deb failed"
    echo "$out/tcp-closer_$package_version-1_$deb_arch.deb"
}

make_rpm() {
    ZSHDIR=/usr/share/zsh/site-functions stage "$work/rpm"
    cp CHANGELOG.md "$doc/"
    reproducible "$work/rpm"
    quiet rpmbuild -bb --target "$rpm_arch" --define "_topdir $work/rpmbuild" --define "_rpmdir $work/rpms" --define "stage $work/rpm" \
        --define "version_rpm $package_version" --define "_buildhost localhost" --define "use_source_date_epoch_as_buildtime 1" \
        --define "clamp_mtime_to_source_date_epoch 1" packaging/rpm/tcp-closer.spec || die "rpmbuild failed"
    cp "$work/rpms/$rpm_arch/"*.rpm "$out/"
    echo "$out/tcp-closer-$package_version-1.$rpm_arch.rpm"
}

make_tar() {
    reproducible "$tree"
    tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner -cf - "${tree##*/}" | gzip -9n >"$out/${tree##*/}.tar.gz"
    echo "$out/${tree##*/}.tar.gz"
}

for kind in $kinds; do "make_$kind"; done
