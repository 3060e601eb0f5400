namespace TcpCloser.KernelTests.Harness.Reach;

/// <summary>
/// Surroundings for a real server: namespaces of every kind of its own, a writable /mnt for its data and an empty /run. Whatever is
/// started in it ends with it.
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

    internal ServerHome() => Lab = LabProcess.Start(new LabSurroundings { OwnProcesses = true, Preparation = Preparation }, "--count", "0", "--port", "4999");

    /// <summary>Process 1 of the namespaces, which has no connections.</summary>
    internal LabProcess Lab { get; }

    /// <summary>Starts a shell command in it, with what it finds as $0, $1 and so on, ended at the latest with this.</summary>
    internal Command Start(string shell, params string[] arguments)
    {
        var command = Command.Start([.. Lab.Inside(), "bash", "-c", shell, .. arguments]);
        _commands.Add(command);
        return command;
    }

    /// <summary>Runs a shell command in it to its end.</summary>
    internal Result Run(string shell) => Command.Run([.. Lab.Inside(), "bash", "-c", shell]);

    internal void AwaitListener(int port)
        => Until.True(() => Lab.Sockets().Exists(socket => socket.LocalPort == port && socket.State == "listening"), $"a server on port {port}");

    /// <summary>How many connections of a server's port are established.</summary>
    internal int Connections(int port) => Lab.Sockets().Count(socket => socket.LocalPort == port && socket.State == "established");

    /// <summary>A program by its name, also where only root's PATH has it.</summary>
    internal static string? Find(string name, params string[] folders)
        => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Concat(["/usr/sbin", "/sbin"]).Concat(folders)
            .Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    public void Dispose()
    {
        _commands.ForEach(command => command.Dispose());
        Lab.Dispose();
    }
}
