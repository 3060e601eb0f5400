namespace TcpCloser.KernelTests.Harness.Paths;

/// <summary>A Lab process that creates sockets, one call at a time, in its own network namespace.</summary>
internal sealed class SocketProcess : IDisposable
{
    private readonly Command _command;
    private readonly Conversation _conversation;

    private SocketProcess(Command command)
    {
        _command = command;
        _conversation = new Conversation(command);
    }

    internal int Id => _command.Id;

    /// <summary>Starts the process in the namespaces that the command prefix creates or joins.</summary>
    internal static SocketProcess Start(params IReadOnlyList<string> enter)
    {
        var process = new SocketProcess(Command.Start([.. enter, Binaries.Lab, "sockets"]));
        try
        {
            _ = process._conversation.ReadUntil("READY");
            return process;
        }
        catch
        {
            process.Dispose();
            throw;
        }
    }

    internal string[] Ask(string line) => _conversation.Ask(line);

    /// <summary>Creates connections; <paramref name="arguments"/> is <c>ADDRESS PORT COUNT [OPTION...]</c>.</summary>
    internal SocketRange Connect(string arguments) => Range(Ask($"connect {arguments}"));

    internal SocketRange Accept(int port, int count) => Range(Ask($"accept {port} {count}"));
    public void Dispose() => _command.End();
    private SocketRange Range(string[] answer) => new(this, answer.Single().Replace(' ', '-'));
}
