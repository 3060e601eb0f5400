namespace TcpCloser.KernelTests.Harness;

/// <summary>One run of the program in other namespaces, with everything around it that a test may vary.</summary>
/// <param name="Inside">The command prefix that runs a command in those namespaces.</param>
internal sealed record ToolRun(string[] Inside)
{
    /// <summary>A run in the Lab's namespaces.</summary>
    internal ToolRun(LabProcess lab) : this(lab.Inside())
    {
    }

    internal string Binary { get; init; } = Binaries.Tool;
    internal string[] Arguments { get; init; } = [];
    /// <summary>A command prefix that runs the program: strace, setpriv, env.</summary>
    internal string[] Wrapper { get; init; } = [];
    /// <summary>Redirections in shell syntax, made right before the program starts: <c>&lt;&amp;- &gt;/dev/full</c>.</summary>
    internal string Redirections { get; init; } = "";

    /// <summary>This run without the privilege to destroy connections: CAP_NET_ADMIN is dropped for good.</summary>
    internal ToolRun Unprivileged() => this with { Wrapper = ["setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin", .. Wrapper] };

    /// <summary>Runs the program until it exits.</summary>
    internal Result Run() => Command.Run(CommandLine());

    /// <summary>The same with these arguments, without syslog.</summary>
    internal Result Run(params string[] arguments) => (this with { Arguments = [.. arguments, "--disable-syslog"] }).Run();

    /// <summary>Starts the program and returns while it runs.</summary>
    internal Command Start() => Command.Start(CommandLine());

    /// <summary>The same with these arguments, without syslog.</summary>
    internal Command Start(params string[] arguments) => (this with { Arguments = [.. arguments, "--disable-syslog"] }).Start();

    private string[] CommandLine()
    {
        string[] redirect = Redirections.Length == 0 ? [] : ["sh", "-c", $"exec \"$@\" {Redirections}", "sh"];
        return [.. Inside, .. Wrapper, .. redirect, Binary, .. Arguments];
    }
}
