# shellcheck shell=sh
# Shared functions. Source this file from the root of the repository: . scripts/lib.sh

PATH=$PATH:/usr/sbin:/sbin
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
# Builds use exactly the packages of the lock files. After a change of packages: dotnet restore TcpCloser.slnx, and
# dotnet restore PROJECT -r RID for the other architecture of a native project.
export RestoreLockedMode=true

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$@"; exit 1; }

# need COMMAND:PACKAGE...
# Installs the packages (Debian, Ubuntu) whose command is missing, and prints which. A COMMAND with a slash is a file.
need() {
    missing=
    for pair; do
        case $pair in
            */*:*) test -e "${pair%%:*}" ;;
            *) command -v "${pair%%:*}" >/dev/null ;;
        esac || missing="$missing ${pair#*:}"
    done
    test -n "$missing" || return 0
    command -v apt-get >/dev/null || die "missing packages (names of Debian):$missing"
    test "$(id -u)" = 0 || die "missing:$missing. As root: apt-get install$missing"
    say "installing$missing"
    # Missing or outdated package lists only need an update, so the errors of the first attempt are not shown.
    # shellcheck disable=SC2086 # a list of words
    apt_install $missing >/dev/null 2>&1 || { quiet apt-get update && quiet apt_install $missing; } || die "apt-get install$missing failed"
}

# need_unstarted COMMAND:PACKAGE...
# Like need, for servers: the services of the packages are neither started nor enabled. Returns whether all are installed.
need_unstarted() {
    policy=/usr/sbin/policy-rc.d # consulted by the packages' scripts before they start a service
    services=$(enabled_services)
    if test "$(id -u)" = 0 && ! test -e $policy; then
        printf '#!/bin/sh\nexit 101\n' >$policy
        chmod 755 $policy
        (need "$@") && status=0 || status=$?
        rm $policy
    else
        (need "$@") && status=0 || status=$?
    fi
    for service in $(enabled_services); do
        echo "$services" | grep -qxF "$service" || systemctl disable --quiet "$service" 2>/dev/null || true
    done
    return "$status"
}

enabled_services() {
    test "$(id -u)" = 0 && command -v systemctl >/dev/null || return 0
    systemctl list-unit-files --no-legend --type=service --state=enabled 2>/dev/null | cut -d' ' -f1
}

apt_install() { env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@"; }

# quiet COMMAND...: runs the command and shows its output only if it fails.
quiet() {
    log=$(mktemp)
    if "$@" >"$log" 2>&1; then rm -f "$log"; else cat "$log" >&2; rm -f "$log"; return 1; fi
}

# Installs what dotnet publish needs for a native binary.
need_build_tools() {
    command -v dotnet >/dev/null || die "dotnet is missing: install the .NET SDK 10 (https://dotnet.microsoft.com)"
    need gcc:gcc /usr/include/zlib.h:zlib1g-dev
}

# publish PROJECT [OPTION...]: builds a native binary for this machine's architecture, in artifacts/publish.
publish() { quiet dotnet publish "$@" -c Release -r "linux-$(own_arch)" || die "dotnet publish $* failed"; }

# native_binaries: exports TCP_CLOSER_BINARY and TCP_CLOSER_LAB, and builds what is missing of them.
native_binaries() {
    publish=$PWD/artifacts/publish
    : "${TCP_CLOSER_BINARY:=$publish/TcpCloser/release_linux-$(own_arch)/tcp-closer}"
    : "${TCP_CLOSER_LAB:=$publish/TcpCloser.Lab/release_linux-$(own_arch)/tcp-closer-lab}"
    export TCP_CLOSER_BINARY TCP_CLOSER_LAB
    { test -x "$TCP_CLOSER_BINARY" && test -x "$TCP_CLOSER_LAB"; } || need_build_tools
    test -x "$TCP_CLOSER_BINARY" || publish TcpCloser.csproj
    test -x "$TCP_CLOSER_LAB" || publish tests/TcpCloser.Lab/TcpCloser.Lab.csproj
}

# own_arch: prints this machine's architecture as .NET names it.
own_arch() {
    case $(uname -m) in
        x86_64) echo x64 ;;
        aarch64) echo arm64 ;;
        *) die "$(uname -m): neither x86_64 nor aarch64" ;;
    esac
}

# A SOURCE of packages is an architecture of this machine's distribution (x64) or of a suite of Debian (x64-trixie).

# deb_arch SOURCE: prints its architecture as Debian names it.
deb_arch() { case $1 in x64*) echo amd64 ;; *) echo "${1%%-*}" ;; esac; }

# apt_conf SOURCE: prints the path of a configuration (APT_CONFIG=path) with which apt serves that source. Its lists are in
# artifacts/, and the machine's apt is not changed.
apt_conf() (
    state=$PWD/artifacts/apt/$1
    if ! test -e "$state/apt.conf"; then
        command -v apt-get >/dev/null || die "apt-get is missing (this needs Debian or Ubuntu)"
        list=
        case $1 in
            *-*)
                mirror=$(debian_mirror)
                test -n "$mirror" || die "$1: this machine's apt has no source of Debian"
                unpack "$(own_arch)" "$PWD/artifacts/apt/keys" debian-archive-keyring || exit
                keys=$PWD/artifacts/apt/keys/usr/share/keyrings/debian-archive-keyring.gpg
                list="deb [signed-by=$keys allow-insecure=no target=Packages] $mirror ${1#*-} main"
                ;;
            x64) ;;
            *)
                # Ubuntu serves all architectures but amd64 from a different host.
                if grep -q '^ID=ubuntu' /etc/os-release; then
                    codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
                    list="deb http://ports.ubuntu.com/ubuntu-ports $codename main universe"
                fi
                ;;
        esac
        say "fetching the package lists of $1"
        mkdir -p "$state/state/lists/partial" "$state/cache/archives/partial"
        cat >"$state/apt.conf.new" <<END
APT::Architecture "$(deb_arch "$1")";
APT::Architectures { "$(deb_arch "$1")"; };
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
Dir::State "$state/state";
Dir::State::status "/dev/null";
Dir::Cache "$state/cache";
END
        if test -n "$list"; then
            echo "$list" >"$state/sources.list"
            printf 'Dir::Etc::SourceList "%s";\nDir::Etc::SourceParts "/dev/null";\n' "$state/sources.list" >>"$state/apt.conf.new"
        fi
        quiet env APT_CONFIG="$state/apt.conf.new" apt-get update || die "apt-get update for $1 failed"
        mv "$state/apt.conf.new" "$state/apt.conf" || exit
    fi
    echo "$state/apt.conf"
)

# apt_from SOURCE COMMAND...: runs apt-get or apt-cache on that source, never on the machine's lists.
apt_from() (
    conf=$(apt_conf "$1") || exit
    shift
    APT_CONFIG=$conf exec "$@"
)

# debian_mirror: prints the URL from which this machine's apt gets Debian.
debian_mirror() {
    # shellcheck disable=SC2016 # apt's own variable
    apt_from "$(own_arch)" apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' | sed -n 1p
}

# unpack SOURCE DIR PACKAGE...: downloads packages and unpacks them into DIR, unless that was done before. Nothing is installed.
unpack() (
    source=$1 dir=$2
    shift 2
    test "$(cat "$dir/.unpacked" 2>/dev/null)" != "$*" || exit 0
    rm -rf "$dir"
    mkdir -p "$dir/.debs"
    apt_conf "$source" >/dev/null || exit
    say "downloading for $source: $*"
    # Outdated lists name packages that no longer exist: fetch the lists again, once.
    download "$source" "$dir/.debs" "$@" 2>/dev/null || { rm -rf "artifacts/apt/$source" && download "$source" "$dir/.debs" "$@"; } ||
        die "downloading $* for $source failed"
    for deb in "$dir"/.debs/*.deb; do dpkg-deb -x "$deb" "$dir" || exit; done
    rm -rf "$dir/.debs"
    echo "$*" >"$dir/.unpacked"
)

download() (
    conf=$(apt_conf "$1") || exit
    cd "$2" || exit
    shift 2
    quiet env APT_CONFIG="$conf" apt-get download "$@"
)
