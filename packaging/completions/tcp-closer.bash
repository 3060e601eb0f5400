# shellcheck shell=bash
# Completion of tcp-closer for bash. Made by packaging/generate.

_tcp_closer() {
    local cur=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD-1]} words=''
    # bash takes the = of --option=value for a word.
    if [[ $cur == = ]]; then
        cur=''
    elif [[ $option == = ]]; then
        option=${COMP_WORDS[COMP_CWORD-2]}
    fi
    case $option in
        -s | --sport) _tcp_closer_list "$cur" "$({ awk '$2 ~ /tcp$/ { print $1 }' /etc/services; } 2>/dev/null)"; return ;;
        -d | --dport) _tcp_closer_list "$cur" "$({ awk '$2 ~ /tcp$/ { print $1 }' /etc/services; } 2>/dev/null)"; return ;;
        --src) return ;;
        --dst) return ;;
        --not-src) return ;;
        --not-dst) return ;;
        --state) _tcp_closer_list "$cur" 'established syn-sent syn-recv fin-wait-1 fin-wait-2 time-wait closed close-wait last-ack listen closing all connected synchronized bucket big'; return ;;
        --uid) _tcp_closer_list "$cur" "$({ cut -d: -f1 /etc/passwd; } 2>/dev/null)"; return ;;
        --pid) _tcp_closer_list "$cur" "$({ ls /proc | sed '/^[1-9]/!d'; } 2>/dev/null)"; return ;;
        --comm) _tcp_closer_list "$cur" "$({ cat /proc/*/comm | grep -v ' ' | sort -u; } 2>/dev/null)"; return ;;
        --interface) words=$({ ls /sys/class/net; } 2>/dev/null) ;;
        --mark) return ;;
        --cgroup) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
        --netns) words=$({ ls /run/netns; } 2>/dev/null) ;;
        -t | --idle-time | --idle_time) return ;;
        --last-recv-limit | --last_recv_limit) return ;;
        --idle-by) words='recv send both' ;;
        --no-ack-for) return ;;
        --probe) return ;;
        --method) words='auto destroy disconnect kill keepalive' ;;
        --signal) words='HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS' ;;
        --grace) return ;;
        --keepalive) return ;;
        --user-timeout) return ;;
        --max) return ;;
        -i | --interval) return ;;
        --group-by) words='port peer process uid state netns' ;;
        -f | --logfile) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        --name) return ;;
        --metrics) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        *) words='-4 -6 -s --sport -d --dport --src --dst --not-src --not-dst --state --uid --pid --comm --interface --mark --cgroup --netns --all-netns --src-gone -t --idle-time --idle_time --last-recv-limit --last_recv_limit --idle-by --no-ack-for --probe --method --use-proc --use_proc --signal --grace --keepalive --user-timeout -n --dry-run --max --include-own-session -i --interval --check --group-by -f --logfile --disable-syslog --disable_syslog --name -q --quiet -v --verbose --json --metrics -h --help --version' ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

# Completes what stands behind the last comma.
_tcp_closer_list() {
    compopt -o nospace
    local before=${1%"${1##*,}"}
    mapfile -t COMPREPLY < <(compgen -P "$before" -W "$2" -- "${1##*,}")
}

complete -F _tcp_closer tcp-closer tcp_closer
