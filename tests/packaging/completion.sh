# shellcheck shell=sh disable=SC2154 # work
# Presses TAB in real shells, each on its own terminal. Needs $work, a writable directory.

# completes SHELL TYPED EXPECTED: after TYPED and TAB, the arguments begin with EXPECTED.
completes() {
    here=$PWD/packaging/completions
    case $1 in
        bash)
            start='bash --norc --noprofile -i'
            setup="source $here/tcp-closer.bash; tcp-closer() { echo \"<\$*>\"; }"
            ;;
        zsh)
            start='zsh -f -i'
            setup="fpath=($here \$fpath); autoload -U compinit; compinit -u -D; tcp-closer() { echo \"<\$*>\" }"
            ;;
        fish)
            start='fish --no-config -i'
            setup="source $here/tcp-closer.fish; function tcp-closer; echo \"<\$argv>\"; end"
            ;;
    esac
    rm -f "$work/keys"
    mkfifo "$work/keys"
    : >"$work/terminal"
    HOME=$work TERM=dumb script -qefc "$start" /dev/null <"$work/keys" >"$work/terminal" 2>&1 &
    terminal=$!
    exec 7>"$work/keys"
    printf '%s; echo READ""Y\n' "$setup" >&7
    within_20s grep -q '^READY' "$work/terminal" && printf 'tcp-closer %s\t\n' "$2" >&7 && within_20s grep -qF "<$3" "$work/terminal"
    status=$?
    test $status = 0 || cat "$work/terminal"
    printf '\nexit\n' >&7
    exec 7>&-
    wait $terminal || true
    return $status
}
