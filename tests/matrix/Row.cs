namespace TcpCloser.Matrix;

/// <summary>One combination: a level of each factor.</summary>
internal sealed class Row(int number, int[] levels)
{
    /// <summary>Its position in the covering array, from 1; 0: it was given by its levels.</summary>
    internal int Number => number;

    internal string Method => this["method"];
    internal string Family => this["family"];
    internal string Connection => this["connection"];
    internal string Holder => this["holder"];
    internal string Privilege => this["privilege"];
    internal string Run => this["run"];
    internal string Namespace => this["namespace"];
    internal string Time => this["time"];
    internal string Max => this["max"];
    internal string Quantity => this["quantity"];
    internal string Selector => this["selector"];
    internal string Report => this["report"];
    internal bool IsDryOnly => Run is "dry" or "dry-service";
    internal bool IsService => Run is "service" or "dry-service";
    internal bool IsMptcp => Connection.StartsWith("mptcp", StringComparison.Ordinal);
    internal bool HasTwoSubflows => Connection is "mptcp-two" or "mptcp-busy";
    internal bool IsEstablished => Connection == "established" || IsMptcp;

    /// <summary>Whether the row has cgroups of its own.</summary>
    internal bool HasCgroups => Selector is "cgroup" or "cgroup-below" or "unit" or "not-cgroup" or "tmpfs";

    internal bool Kills => Method is "kill" or "grace";
    internal bool Probes => Time.StartsWith("probe", StringComparison.Ordinal);

    /// <summary>The time for which peers are probed.</summary>
    internal TimeSpan ProbeTime => Time switch
    {
        "probe-3s" => TimeSpan.FromSeconds(3),
        "probe-5s" => TimeSpan.FromSeconds(5),
        "probe-10s" => TimeSpan.FromSeconds(10),
        _ => TimeSpan.Zero,
    };

    private string this[string factor] => Factors.All[Factors.IndexOf(factor)].Levels[levels[Factors.IndexOf(factor)]];

    /// <summary>Parses the format of <see cref="ToString"/>; null if it is not a possible combination.</summary>
    internal static Row? Parse(string text)
    {
        Dictionary<string, string> values = text.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(static word => word.Split('=', 2))
            .ToDictionary(static pair => pair[0], static pair => pair[^1]);
        int[] levels = [.. Factors.All.Select(factor => Array.IndexOf(factor.Levels, values.GetValueOrDefault(factor.Name, factor.Levels[0])))];
        bool isKnown = !levels.Contains(-1) && values.Keys.All(static name => Factors.IndexOf(name) >= 0);
        return isKnown && Factors.IsPossible(levels) ? new Row(0, levels) : null;
    }

    public override string ToString() => string.Join(' ', Factors.All.Select((factor, i) => $"{factor.Name}={factor.Levels[levels[i]]}"));
}
