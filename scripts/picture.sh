#!/bin/sh
# Draws docs/picture.svg from a real run: a dead, a quiet and a busy connection in separate namespaces (tests/docs/situations.sh), and which
# one is closed. Ages, verdicts and the log line in the picture are those of the run. Needs root. Usage: scripts/picture.sh [--no-build]
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

rid=linux-$(own_arch)
export TOOL="$PWD/artifacts/publish/TcpCloser/release_$rid/tcp-closer"
export LAB="$PWD/artifacts/publish/TcpCloser.Lab/release_$rid/tcp-closer-lab"
if test "${1-}" != --inside; then
    test "$(id -u)" = 0 || die "needs root"
    need unshare:util-linux ip:iproute2 jq:jq
    if test "${1-}" != --no-build; then
        need_build_tools
        publish TcpCloser.csproj -p:NoSockDestroy=false
        publish tests/TcpCloser.Lab/TcpCloser.Lab.csproj
    fi
    unshare -nmpf --kill-child --mount-proc "$0" --inside >docs/picture.svg.new
    mv docs/picture.svg.new docs/picture.svg
    exit
fi

mount --make-rprivate /
mount -t tmpfs tmpfs /run
work=/run/docs
mkdir -p "$work/programs"
unset SUDO_USER SSH_CONNECTION
ip link set lo up
. tests/docs/situations.sh
situation_three
sleep 6
command="tcp-closer -s 5432 --probe 3s"
# shellcheck disable=SC2086 # a list of words
"$TOOL" ${command#tcp-closer } -v --json >"$work/records" 2>"$work/log"
after_three >&2

# field REMOTE NAME: prints a field of the record of that connection.
field() { jq -r "select(.remote_address == \"$1\").$2" "$work/records"; }
seconds() { field "$1" last_recv_ms | awk '{ printf "%.1f s", $1 / 1000 }'; }
test "$(field 10.0.0.21 outcome) $(field 10.0.0.22 outcome) $(field 10.0.0.23 outcome)" = "destroyed answered answered" ||
    die "unexpected outcomes"
escaped() { sed -e 's/&/\&amp;/g' -e 's/</\&lt;/g' -e 's/>/\&gt;/g'; }
log=$(sed -nE 's/^[^ ]+ info (destroyed .*) inode=.*/\1/p' "$work/log" | escaped)
summary=$(sed -nE 's/^[^ ]+ info (summary .*failed=[0-9]+).*(answered=[0-9]+).*/\1 … \2/p' "$work/log" | escaped)

# row Y CLASS CLIENT NAME AGE VERDICT WHY
row() {
    cat <<END
  <g class="$2" transform="translate(0 $1)">
    <line class="path" x1="190" y1="24" x2="$(test "$2" = dead && echo 470 || echo 560)" y2="24"/>
$(test "$2" != dead || echo '    <path class="cut" d="M478 16l16 16m0-16l-16 16"/>')
    <text class="small" x="206" y="14">last data $5 ago</text>
    <text class="small" x="206" y="43">$7</text>
    <rect class="peer" x="560" y="0" width="150" height="48" rx="6"/>
    <text x="635" y="21" text-anchor="middle">$4</text>
    <text class="small" x="635" y="38" text-anchor="middle">$3</text>
    <text class="verdict" x="732" y="29">$6</text>
  </g>
END
}

cat <<END
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 340" width="860" height="340" role="img" aria-labelledby="title text">
  <title id="title">A dead, a quiet and a busy connection</title>
  <desc id="text">A database server has three connections. The client of the first is gone and does not answer: tcp-closer closes it. The
    second client is quiet but answers, the third has just sent data: both stay open.</desc>
  <!-- Drawn by scripts/picture.sh from a real run. -->
  <style>
    svg { font: 15px ui-sans-serif, system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif }
    text { fill: #1f2328 }
    .small { font-size: 12.5px; fill: #59636e }
    .mono { font: 12.5px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre }
    rect { fill: #f6f8fa; stroke: #818b98 }
    .path { stroke: #1a7f37; stroke-width: 2.5 }
    .verdict { font-weight: 600; fill: #1a7f37 }
    .dead .path, .cut { stroke: #cf222e; fill: none; stroke-width: 2.5 }
    .dead .path, .dead .peer { stroke-dasharray: 6 5 }
    .dead .verdict { fill: #cf222e }
    .terminal { stroke: none }
    .back { fill: #ffffff; stroke: none }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc }
      .small { fill: #9198a1 }
      rect { fill: #151b23; stroke: #656c76 }
      .back { fill: #0d1117 }
      .path { stroke: #3fb950 }
      .verdict { fill: #3fb950 }
      .dead .path, .cut { stroke: #f85149 }
      .dead .verdict { fill: #f85149 }
    }
  </style>
  <rect class="back" width="860" height="340"/>
  <rect x="20" y="20" width="170" height="208" rx="6"/>
  <text x="105" y="118" text-anchor="middle">postgres</text>
  <text class="small" x="105" y="137" text-anchor="middle">10.0.0.1:5432</text>
$(row 30 dead 10.0.0.21 "client is gone" "$(seconds 10.0.0.21)" "closed" "probed: no answer for 3 s")
$(row 100 quiet 10.0.0.22 "quiet client" "$(seconds 10.0.0.22)" "stays open" "probed: answered")
$(row 170 busy 10.0.0.23 "busy client" "$(seconds 10.0.0.23)" "stays open" "just heard from")
  <rect class="terminal" x="20" y="248" width="820" height="78" rx="6"/>
  <text class="mono" x="36" y="272">$ $command</text>
  <text class="mono" x="36" y="292">$log</text>
  <text class="mono" x="36" y="312">$summary</text>
</svg>
END
