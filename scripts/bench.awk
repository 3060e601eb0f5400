# Creates the tables of scripts/bench.sh. A line of input: case|candidate|quiet|alive|wall|user|sys|maxrss|status, in µs and KiB.
# If a pair of neighbours was measured, p50|p99|p99.9|answers follow, in µs.

{
    key = $1 SUBSEP $2
    if (!(key in count)) {
        order[++keys] = key
        if ($2 == "ss" || $2 == "find") reference[$1] = key
        if ($2 == "floor") beneath[$1] = key
    }
    n = ++count[key]
    wall[key, n] = $5 / 1000
    cpu[key, n] = ($6 + $7) / 1000
    user[key] += $6
    used[key] += $6 + $7
    memory[key, n] = $8 / 1024
    if ($10 != "") {
        pairs++
        half[key, n] = $10
        most99[key, n] = $11
        most999[key, n] = $12
    }
    if (n == 1 || $4 < fewest[key]) fewest[key] = $4
    if (n == 1 || $4 > most[key]) most[key] = $4
    if (!$3) noisy[key]++
    if ($9 != "exit:0") bad[key] = bad[key] " " $9
}

END {
    print "| case | candidate | runs | wall ms | CPU ms | user % | peak MiB | × wall | × CPU | × floor | alive | |"
    print "|---|---|---|---|---|---|---|---|---|---|---|---|"
    for (i = 1; i <= keys; i++) {
        split(order[i], part, SUBSEP)
        key = order[i]
        against = reference[part[1]]
        printf "| %s | %s | %d | %s | %s | %.0f | %s | %s | %s | %s | %s | %s%s |\n", part[1], part[2], count[key],
            spread(wall, key), spread(cpu, key), share(key), spread(memory, key), ratio(wall, key, against), ratio(cpu, key, against), ratio(wall, key, beneath[part[1]]),
            fewest[key] == most[key] ? most[key] : fewest[key] "–" most[key], noisy[key] ? noisy[key] " not quiet" : "", bad[key]
    }
    if (pairs) {
        print "\n| beside | candidate | p50 µs | p99 µs | p99.9 µs |"
        print "|---|---|---|---|---|"
        for (i = 1; i <= keys; i++) {
            split(order[i], part, SUBSEP)
            key = order[i]
            if (half[key, 1] != "") printf "| %s | %s | %s | %s | %s |\n", part[1], part[2], spread(half, key), spread(most99, key), spread(most999, key)
        }
    }
    print "\n| limit | at most | measured | |"
    print "|---|---|---|---|"
    against_reference("start-up", 0.7)
    against_reference("kill 100000", 0.5)
    against_reference("groups 100000", 0.3)
    against_reference("1000 of 100000 match", 0.85)
    against_reference("3000 ports of 50000", 0.7)
    against_floor("list 100000", 1.07)
    against_floor("list 1000000", 1.07)
    above_floor("kill 1000", 2)
    against_floor("kill 10000", 1.1)
    against_floor("kill 100000", 1.1)
    against_floor("kill 1000000", 1.1)
    against_floor("use_proc 200x20", 1.2)
    against_floor("disconnect 10000 of 1", 1.15)
    against_floor("disconnect 10000 of 200", 1.15)
    absolute("one of 120000", "wall", 160, "ms")
    absolute("probe 10000", "wall", 600, "ms")
    absolute("probe 10000", "cpu", 180, "ms of CPU")
    absolute("silent 10000", "wall", 3600, "ms")
    rounds("service beside 1000000", "walk beside 1000000", 10, 1.05)
    felt("beside list 100000")
    felt("beside kill 100000")
    felt("beside disconnect 100000")
    felt("beside probe 10000")
    felt("beside silent 10000")
    absolute("kill 1000000", "memory", 80, "MiB")
    absolute("owners of 1000000", "memory", 160, "MiB")
    absolute("kill 100000", "user", 5, "% of its CPU in user space")
    absolute("kill 100000", "memory", 10, "MiB")
    # The number of pages varies a little from start to start.
    absolute("memory 1000 rounds", "memory", median(memory, "memory 10 rounds" SUBSEP "tcp-closer") * 1.05, "MiB")
    absolute("kill 100000", "most", 0, "left alive")
}

# The k-th smallest of the values of a key.
function nth(values, key, k,    i, j, sorted, v) {
    for (i = 1; i <= count[key]; i++) {
        v = values[key, i]
        for (j = i - 1; j > 0 && sorted[j] > v; j--) sorted[j + 1] = sorted[j]
        sorted[j + 1] = v
    }
    return sorted[k]
}

function median(values, key,    n) {
    n = count[key]
    return n ? (nth(values, key, int((n + 1) / 2)) + nth(values, key, int(n / 2) + 1)) / 2 : 0
}

# The share of user space in the CPU time, in percent, over all runs, because the kernel distinguishes the two only per tick.
function share(key) {
    return used[key] > 0 ? 100 * user[key] / used[key] : 0
}

function spread(values, key) {
    return sprintf("%.2f (%.2f–%.2f)", median(values, key), nth(values, key, 1), nth(values, key, count[key]))
}

function ratio(values, key, against) {
    return against && median(values, against) > 0 ? sprintf("%.2f", median(values, key) / median(values, against)) : ""
}

function verdict(what, most_allowed, measured, unit) {
    printf "| %s | %.2f %s | %.2f | %s |\n", what, most_allowed, unit, measured, measured <= most_allowed ? "ok" : "over"
}

function against_reference(name, most_allowed,    key) {
    key = name SUBSEP "tcp-closer"
    if (count[key]) verdict(name, most_allowed, median(wall, key) / median(wall, reference[name]), "×")
}

function against_floor(name, most_allowed,    key) {
    key = name SUBSEP "tcp-closer"
    if (count[key] && beneath[name]) verdict(name, most_allowed, median(wall, key) / median(wall, beneath[name]), "× the floor")
}

function above_floor(name, most_allowed,    key) {
    key = name SUBSEP "tcp-closer"
    if (count[key] && beneath[name]) verdict(name, most_allowed, median(wall, key) - median(wall, beneath[name]), "ms more than the floor")
}

# The CPU time of a service's rounds, per round, against one walk of the floor.
function rounds(name, walk, number, most_allowed,    key, floor_key) {
    key = name SUBSEP "tcp-closer"
    floor_key = walk SUBSEP "floor"
    if (count[key] && count[floor_key]) verdict(name, most_allowed, median(cpu, key) / number / median(cpu, floor_key), "× a walk of the floor")
}

function felt(name,    key) {
    key = name SUBSEP "tcp-closer"
    if (count[key]) verdict(name ": p99.9 of the pair", 1.5, median(most999, key) / median(most999, reference[name]), "×")
}

function absolute(name, what, most_allowed, unit,    key) {
    key = name SUBSEP "tcp-closer"
    if (!count[key]) return
    verdict(name, most_allowed, what == "most" ? most[key] : what == "user" ? share(key) : what == "wall" ? median(wall, key) : what == "cpu" ? median(cpu, key) : median(memory, key), unit)
}
