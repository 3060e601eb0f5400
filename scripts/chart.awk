# Draws one chart of scripts/charts.sh: a group of horizontal bars for each case, scaled to the longest bar of its group.
# Reads the tables of scripts/bench.sh; writes SVG that follows the reader's light or dark theme.

$2 == "case" || $2 == "beside" {
    at = 0
    for (i = 1; i <= NF; i++) if ($i == column) at = i
    next
}

$2 == "limit" { at = 0 }

at && $2 ~ cases && $3 != "" {
    if (!($2 in known)) { known[$2]; order[++groups] = $2 }
    if (!(($2, $3) in value)) candidates[$2] = candidates[$2] "|" $3
    value[$2, $3] = $at + 0
}

END {
    if (!groups) { print "chart.awk: no case matches " cases > "/dev/stderr"; exit 1 }
    left = 190; width = 380; bar = 14; gap = 16; top = 44
    height = top
    for (i = 1; i <= groups; i++) height += bar * (split(candidates[order[i]], names, "|") - 1) + gap
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" aria-label=\"%s\">\n", left + width + 130, height, left + width + 130, height, title
    print "<style>text{font:12px sans-serif;fill:#24292f}.title{font-weight:bold;font-size:14px}.tcp-closer{fill:#0969da}.floor{fill:#8c959f}.ss,.find{fill:#d4a72c}" \
        "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.tcp-closer{fill:#4493f8}.floor{fill:#6e7681}.ss,.find{fill:#bb8009}}</style>"
    printf "<text class=\"title\" x=\"8\" y=\"24\">%s</text>\n", title
    y = top
    for (i = 1; i <= groups; i++) {
        n = split(candidates[order[i]], names, "|")
        longest = 0
        for (k = 2; k <= n; k++) if (value[order[i], names[k]] > longest) longest = value[order[i], names[k]]
        printf "<text x=\"8\" y=\"%d\">%s</text>\n", y + 11, order[i]
        for (k = 2; k <= n; k++) {
            v = value[order[i], names[k]]
            size = longest > 0 ? v / longest * width : 0
            printf "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>", names[k], left, y, size, bar - 3
            printf "<text x=\"%.1f\" y=\"%d\">%s, %s %s</text>\n", left + size + 6, y + 10, names[k], (v >= 100 ? sprintf("%.0f", v) : v), unit
            y += bar
        }
        y += gap
    }
    print "</svg>"
}
