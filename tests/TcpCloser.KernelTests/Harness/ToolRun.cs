namespace TcpCloser.KernelTests.Harness;

/// <summary>One run of the program inside other namespaces, with everything around it that a test may vary.</summary>
/// <param name="Inside">The command that runs what is appended in those namespaces.</param>
internal sealed record ToolRun(string[] Inside)
{
    /// <summary>In the Lab's namespaces.</summary>
    internal ToolRun(LabProcess lab) : this(lab.Inside())
    {
    }

    internal string Binary { get; init; } = Binaries.Tool;

    internal string[] Arguments { get; init; } = [];

    /// <summary>A command in front of the program that runs it in the end: strace, setpriv, env.</summary>
    internal string[] Wrapper { get; init; } = [];

    /// <summary>Redirections in the shell's words, carried out right before the program starts: <c>&lt;&amp;- &gt;/dev/full</c>.</summary>
    internal string Redirections { get; init; } = "";

    /// <summary>This run without the privilege to close connections: CAP_NET_ADMIN is taken away for good.</summary>
    internal ToolRun Unprivileged() => this with { Wrapper = ["setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin", .. Wrapper] };

    /// <summary>Runs it to its end.</summary>
    internal Result Run() => Command.Run(CommandLine());

    /// <summary>Starts it and lets it run: for service mode.</summary>
    internal Command Start() => Command.Start(CommandLine());

    private string[] CommandLine()
    {
        string[] redirect = Redirections.Length == 0 ? [] : ["sh", "-c", $"exec \"$@\" {Redirections}", "sh"];
        return [.. Inside, .. Wrapper, .. redirect, Binary, .. Arguments];
    }
}
