#!/bin/sh
# Creates the situation of a block, runs the block as printed, and checks what was closed. Runs in new network, process and mount
# namespaces. Usage: inside.sh BLOCK. Exit status 77: skipped, and the last line is the reason.
set -eu
block=$1
read -r kind situation <"$block"
case $situation in
    none,*) echo "${situation#none, }"; exit 77 ;;
    missing) echo "no comment <!-- test: NAME --> before this block"; exit 1 ;;
esac

mount --make-rprivate /
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/log
work=/run/docs
mkdir -p "$work/programs" "$work/bin" /run/netns
ln -s "$TOOL" "$work/bin/tcp-closer"
# shellcheck disable=SC2016 # expanded by that script
printf '#!/bin/sh\nexec "$@"\n' >"$work/bin/sudo"
chmod 755 "$work/bin/sudo"
PATH=$work/bin:$PATH
unset SUDO_USER SSH_CONNECTION NOTIFY_SOCKET JOURNAL_STREAM
ip link set lo up
. tests/docs/situations.sh
"situation_$situation"
tail -n +2 "$block" >"$work/block"

# Removes what differs from run to run (times, ages, ephemeral ports, process ids, inodes, cookies, widths of columns) and the cgroup, which
# depends on who runs the test.
normalise() {
    sed -E -e 's/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z/TIME/g' -e 's/\[[0-9]+\]/[PID]/g' -e 's/:[3-6][0-9]{4}\b/:PORT/g' \
        -e 's/"(remote_port|local_port)":[3-6][0-9]{4}/"\1":PORT/g' -e 's/\b(inode|pid|time)=[0-9]+/\1=N/g' \
        -e 's/"(inode|pid|snd_wnd|[a-z_]+_(ms|us))":[0-9]+/"\1":N/g' -e 's/"cookie":"[0-9a-f]+"/"cookie":"N"/g' \
        -e 's/ (unit|pod|container|cgroup)=[^ ]+//g' \
        -e 's/\b([0-9]+(ms|s|m|h|d))+\b/AGE/g' -e 's/ +/ /g' -e 's/ $//'
}

mkdir "$work/directory"
cd "$work/directory"
case $kind in
    sh)
        sh -eu "$work/block"
        ;;
    console)
        # A line that begins with $ is a command; what follows is its output.
        : >"$work/seen"
        while IFS= read -r line; do
            case $line in
                '$ '*)
                    echo "$line" >>"$work/seen"
                    sh -c "${line#??}" >>"$work/seen" 2>&1 </dev/null || echo "exit status $?" >>"$work/seen"
                    ;;
            esac
        done <"$work/block"
        normalise <"$work/block" >"$work/expected"
        normalise <"$work/seen" >"$work/normalised"
        diff -u "$work/expected" "$work/normalised" || { echo "the output was:"; cat "$work/seen"; exit 1; }
        ;;
    words)
        status=0
        cd "$work"
        : >list # what examples of --only name
        while IFS= read -r line; do
            # A valid command line may fail here, or run as a service, but is not a usage error.
            sh -c "exec timeout 2 tcp-closer $line" >"$work/seen" 2>&1 </dev/null || test $? != 2 || {
                echo "tcp-closer $line:"
                cat "$work/seen"
                status=1
            }
        done <"$work/block"
        exit $status
        ;;
esac
if command -v "after_$situation" >/dev/null; then "after_$situation"; fi
