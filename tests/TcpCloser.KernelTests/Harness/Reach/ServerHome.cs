namespace TcpCloser.KernelTests.Harness.Reach;

/// <summary>
/// The environment of a real server: its own namespaces of every kind, a writable /mnt for its data and an empty /run. Everything
/// that is started in it ends with it.
/// </summary>
internal sealed class ServerHome : IDisposable
{
    private const string Preparation = """
        ip link set lo up
        mount -t tmpfs none /mnt
        mount -t tmpfs none /run
        chmod 755 /mnt /run
        """;

    private readonly List<Command> _commands = [];

    internal ServerHome() => Lab = LabProcess.Start(new LabEnvironment { OwnProcesses = true, Preparation = Preparation }, "--count", "0", "--port", "4999");

    /// <summary>Process 1 of the namespaces, which has no connections.</summary>
    internal LabProcess Lab { get; }

    /// <summary>Starts a shell command in it, with the arguments as $0, $1 and so on; it ends with this object at the latest.</summary>
    internal Command Start(string shell, params string[] arguments)
    {
        var command = Command.Start([.. Lab.Inside(), "bash", "-c", shell, .. arguments]);
        _commands.Add(command);
        return command;
    }

    internal Result Run(string shell) => Command.Run([.. Lab.Inside(), "bash", "-c", shell]);

    internal void AwaitListener(int port)
        => Until.True(() => Lab.Sockets().Exists(socket => socket.LocalPort == port && socket.State == "listen"), $"a server on port {port}");

    internal int Connections(int port) => Lab.Sockets().Count(socket => socket.LocalPort == port && socket.State == "established");

    /// <summary>The path of a program, searched in PATH and in root's directories; null if it is not installed.</summary>
    internal static string? Find(string name, params string[] directories)
        => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Concat(["/usr/sbin", "/sbin"]).Concat(directories)
            .Select(directory => Path.Combine(directory, name)).FirstOrDefault(File.Exists);

    public void Dispose()
    {
        _commands.ForEach(command => command.Dispose());
        Lab.Dispose();
    }
}
