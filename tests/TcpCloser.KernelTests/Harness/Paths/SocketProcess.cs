namespace TcpCloser.KernelTests.Harness.Paths;

/// <summary>A process of the Lab that makes sockets, a call at a time, in a network namespace of its own.</summary>
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

    /// <summary>Starts one in fresh namespaces, or where another process is that is named by the command.</summary>
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

    /// <summary>Makes connections; <paramref name="what"/> is <c>ADDRESS PORT COUNT</c> and what else there is to say.</summary>
    internal SocketRange Connect(string what) => Range(Ask($"connect {what}"));

    internal SocketRange Accept(int port, int count) => Range(Ask($"accept {port} {count}"));

    public void Dispose()
    {
        if (!_command.HasExited)
        {
            try
            {
                _command.CloseStdin();
                _ = _command.WaitForEnd();
            }
            catch (Exception failure) when (failure is TimeoutException or IOException)
            {
                // Disposing kills it.
            }
        }

        _command.Dispose();
    }

    private SocketRange Range(string[] answer) => new(this, answer.Single().Replace(' ', '-'));
}
