# run.sh runs this with busybox's shell as process 1 of its own network, mount and pid namespaces. Arguments: the binary, a
# writable directory, busybox, the seccomp helper, a directory with musl's loader.
# shellcheck shell=dash
set -u
binary=$1 scratch=$2 busybox=$3 seccomp=$4 musl=$5
mkdir "$scratch/bin"
"$busybox" --install -s "$scratch/bin"
export PATH="$scratch/bin"
. tests/static/scenario.sh
ip link set lo up

# new_root NAME PART...: creates a read-only root with the binary and the given parts: proc, dev, etc. Sets $root.
new_root() {
    root=$scratch/$1
    shift
    mkdir "$root"
    mount -t tmpfs none "$root"
    cp "$binary" "$root/tcp-closer"
    for part; do
        mkdir "$root/$part"
        case $part in
            proc) mount -t proc none "$root/proc" ;;
            dev) : >"$root/dev/null" && mount -o bind /dev/null "$root/dev/null" ;;
            etc) echo root:x:0:0:root:/:/bin/sh >"$root/etc/passwd" ;;
        esac
    done
    mount -o remount,bind,ro "$root"
}
# destroys PORT HOW COMMAND...: the command, with the port and an idle time appended, closes only the idle connection.
destroys() {
    port=$1 how=$2
    shift 2
    run "$how: exits with 0" 0 "$@" -s "$port" -t 1s
    only_the_idle_died "$port" "$how"
}
# Sets $child to the child of unshare -f, once all its threads block SIGTERM and it reads the signal. Before that, the kernel
# drops the signal, because the child is process 1.
child_waits_for_sigterm() { # PID
    child=$(cat /proc/[0-9]*/stat 2>/dev/null | awk -v parent="$1" '$4 == parent { print $1 }')
    test -n "$child" || return
    masks=$(cat "/proc/$child/task/"[0-9]*/status 2>/dev/null | grep '^SigBlk:')
    test "$(echo "$masks" | wc -l)" -gt 1 && ! echo "$masks" | grep -qv '[4-7c-f]...$'
}

for port in 6001 6002 6003 6004 6005 6006 6007 6008 6009 6010 6011 6012; do serve $port 127.0.0.1; done
sleep 2

mkdir "$scratch/empty"
cp "$binary" "$scratch/empty/tcp-closer"
destroys 6001 "empty root" chroot "$scratch/empty" /tcp-closer

# Settings that a machine may have for its .NET services. Each would end the program with 255 and without a message.
for setting in DOTNET_DbgEnableMiniDump=1 DOTNET_GCHeapHardLimit=1000 DOTNET_GCLargePages=1 DOTNET_GCRegionRange=1000 DOTNET_GCRegionSize=1; do
    run "with $setting in the environment" 0 env $setting chroot "$scratch/empty" /tcp-closer -n -s 6999
done

mkdir -p "$scratch/musl/bin"
cp -r "$musl/lib" "$scratch/musl/"
cp "$busybox" "$scratch/musl/bin/sh"
cp "$binary" "$scratch/musl/bin/tcp-closer"
# shellcheck disable=SC2016 # the inner shell's arguments
destroys 6002 "musl userland" chroot "$scratch/musl" /bin/sh -c '/bin/tcp-closer "$@"' sh

new_root whole proc dev etc
destroys 6003 "read-only root" chroot "$root" /tcp-closer
destroys 6004 "read-only root, --use_proc" chroot "$root" /tcp-closer --use_proc
run "read-only root, a log file there: usage error" 2 chroot "$root" /tcp-closer -s 6004 -f /log
check "read-only root, a log file there: the message names it" prints /log

new_root no-proc dev etc
destroys 6005 "no /proc" chroot "$root" /tcp-closer
run "no /proc, --use_proc: exits with 3" 3 chroot "$root" /tcp-closer --use_proc -s 6006 -t 1s
check "no /proc, --use_proc: the message names /proc" prints /proc
check "no /proc, --use_proc: closes nothing" has_clients 6006 2
new_root no-dev proc etc
destroys 6006 "no /dev" chroot "$root" /tcp-closer
new_root no-etc proc dev
destroys 6007 "no /etc" chroot "$root" /tcp-closer

new_root process-1
destroys 6008 "as process 1" unshare -pf chroot "$root" /tcp-closer
unshare -pf chroot "$root" /tcp-closer -s 6999 -i 100ms >"$scratch/run" 2>&1 &
service=$!
check "a service as process 1: starts" within_10s child_waits_for_sigterm $service
kill "$child"
check "a service as process 1: ends on SIGTERM" within_10s gone $service
kill -9 "$child" 2>/dev/null
wait $service
check "a service as process 1: exits with 0" test $? = 0

destroys 6009 "under Docker's seccomp profile" "$seccomp" chroot "$scratch/empty" /tcp-closer
destroys 6010 "under Docker's seccomp profile, --use_proc" "$seccomp" chroot "$scratch/whole" /tcp-closer --use_proc
destroys 6011 "under an old Docker's seccomp profile" "$seccomp" -o chroot "$scratch/empty" /tcp-closer
destroys 6012 "under an old Docker's seccomp profile, --use_proc" "$seccomp" -o chroot "$scratch/whole" /tcp-closer --use_proc
