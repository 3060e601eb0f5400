#!/bin/sh
# Draws the charts of docs/performance.md from the tables that scripts/bench.sh printed. Usage: scripts/charts.sh BENCH-OUTPUT...
# A case that several files contain is taken from the last one. A chart without a case in the files stays as it is.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh
test $# -gt 0 || die "no file given. Usage: scripts/charts.sh BENCH-OUTPUT..."

mkdir -p docs/charts
# chart FILE TITLE COLUMN UNIT CASES BENCH-OUTPUT...: one group of bars for each case that the pattern CASES matches.
chart() {
    file=$1 title=$2 column=$3 unit=$4 cases=$5
    shift 5
    awk -F ' *[|] *' -v title="$title" -v column="$column" -v unit="$unit" -v cases="$cases" -f scripts/chart.awk "$@" >docs/charts/.new || { say "$file.svg was not drawn"; return 0; }
    mv docs/charts/.new docs/charts/"$file".svg
}
chart list 'Listing N connections' 'wall ms' ms '^(start-up|list [0-9]+)$' "$@"
chart kill 'Closing N connections' 'wall ms' ms '^(kill|use_proc|disconnect) ' "$@"
chart probe 'Probing 10,000 peers: CPU time' 'CPU ms' ms '^(probe|silent) ' "$@"
chart neighbours 'Slowest of 1,000 answers to a neighbour (p99.9)' 'p99.9 µs' µs '^beside ' "$@"
rm -f docs/charts/.new
