namespace TcpCloser.Faults;

internal static class Modes
{
    private static readonly string[] s_noNetAdmin = ["setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin", "--"];

    internal static readonly Mode[] All =
    [
        new("destroy", "--method", "destroy", "-s", "{port}", "--disable-syslog"),
        new("destroy-idle-verbose", "--method", "destroy", "-s", "{port}", "-t", "1ms", "-v", "--disable-syslog") { VariantOf = "destroy" },
        new("destroy-batches", "--method", "destroy", "-s", "{port}", "--disable-syslog") { Connections = 300, Groups = 2, From = "sendto" },
        new("auto", "-s", "{port}", "--disable-syslog"),
        new("auto-without-privilege", "-s", "{port}", "--disable-syslog") { Wrapper = s_noNetAdmin },
        new("disconnect", "--method", "disconnect", "-s", "{port}", "--disable-syslog"),
        new("kill", "--method", "kill", "-s", "{port}", "--disable-syslog") { Kills = true },
        new("kill-grace", "--method", "kill", "-s", "{port}", "--grace", "60ms", "--json", "--disable-syslog")
        {
            Kills = true,
            Lab = ["--ignore-term"],
            VariantOf = "kill",
        },
        new("dry-run", "-n", "-s", "{port}", "-t", "1ms") { Purpose = Purpose.Show },
        new("dry-run-kill-json", "-n", "--json", "--method", "kill", "-s", "{port}") { Purpose = Purpose.Show, VariantOf = "dry-run" },
        new("max", "--max", "2", "--method", "kill", "-s", "{port}", "--disable-syslog") { Purpose = Purpose.Refuse, VariantOf = "kill" },
        new("limit-kill", "--limit", "1000", "--method", "kill", "-s", "{port}", "--disable-syslog") { Kills = true, VariantOf = "kill" },
        new("exclusions", "--not-comm", "no such name", "--not-uid", "4711", "-s", "{port}", "--disable-syslog") { VariantOf = "auto" },
        new("keep-limit", "-n", "--keep", "1/process", "--limit", "1", "-s", "{port}") { Purpose = Purpose.Other, VariantOf = "dry-run" },
        new("service-matched-for", "-i", "40ms", "--matched-for", "80ms", "-s", "{port}", "--disable-syslog")
        {
            Service = true,
            VariantOf = "service",
        },
        new("json", "--json", "-s", "{port}", "--disable-syslog") { VariantOf = "auto" },
        new("log-file", "-s", "{port}", "-f", "{dir}/log", "--disable-syslog") { VariantOf = "auto" },
        new("syslog", "-s", "{port}") { Syslog = true, VariantOf = "auto" },
        new("service", "-i", "40ms", "-s", "{port}", "--disable-syslog") { Service = true },
        new("service-log-file", "-i", "40ms", "-s", "{port}", "-f", "{dir}/log", "--json", "--disable-syslog")
        {
            Service = true,
            Occurrences = 1,
            VariantOf = "service",
        },
        new("all-netns", "--all-netns", "-s", "{port},{other-port}", "--disable-syslog") { OtherNamespace = true, VariantOf = "auto" },
        new("selectors", "--comm", "tcp-closer-lab", "--uid", "0", "--dst", "127.0.0.1", "--interface", "lo", "-s", "{port}", "--disable-syslog")
        {
            Lab = ["--bind-device", "lo"],
            SelectsByName = true,
            VariantOf = "auto",
        },
        new("check", "--check") { Purpose = Purpose.Other, Connections = 1, Groups = 1 },
        new("group-by", "--group-by", "process", "-s", "{port}") { Purpose = Purpose.Other, Needs = "--group-by" },
        new("src-gone", "-n", "--src-gone", "-s", "{port}") { Purpose = Purpose.Other, Needs = "--src-gone" },
        new("probe", "--probe", "3s", "-s", "{port}", "--disable-syslog") { Purpose = Purpose.Other, Needs = "--probe" },
        new("keepalive", "--method", "keepalive", "-s", "{port}", "--disable-syslog") { Purpose = Purpose.Other, Needs = "--keepalive" },
        new("metrics", "-s", "{port}", "--metrics", "{dir}/metrics", "--disable-syslog") { Needs = "--metrics", VariantOf = "auto" },
    ];

    internal static Mode? Find(string name) => Array.Find(All, mode => mode.Name == name);
}
