using System.Globalization;

namespace TcpCloser.KernelTests.Harness.Programs;

/// <summary>Clients of one server, all from one address.</summary>
internal sealed class ProgramClients : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);
    private readonly Protocol? _protocol;
    private NetworkStream[] _streams = [];
    private readonly Command[] _sessions = [];
    private int _questions;

    /// <summary>Connects the clients. Sessions of ssh log in by themselves meanwhile.</summary>
    internal ProgramClients(ClientHome home, ServerProgram program, string address, int count)
    {
        _protocol = program.Protocol;
        if (_protocol is null)
        {
            _sessions = [.. Enumerable.Range(0, count).Select(_ => home.Start($"{SshServer.Ssh} -b {address} root@{home.ServerAddress} cat"))];
            return;
        }

        home.Inside(() => _streams = [.. Enumerable.Range(0, count).Select(_ => Open(home.Connect(address, program.Port)))]);
    }

    /// <summary>Every client sends a request to its server and gets the answer.</summary>
    internal void Ask()
    {
        foreach (NetworkStream stream in _streams)
        {
            _protocol!.Ask(stream);
        }

        string question = string.Create(CultureInfo.InvariantCulture, $"question {++_questions}\n");
        foreach (Command session in _sessions)
        {
            session.WriteLine(question.TrimEnd());
        }

        foreach (Command session in _sessions)
        {
            session.Await(question);
        }
    }

    public void Dispose()
    {
        foreach (NetworkStream stream in _streams)
        {
            stream.Dispose();
        }
    }

    private NetworkStream Open(Socket socket)
    {
        socket.ReceiveTimeout = (int)s_limit.TotalMilliseconds;
        var stream = new NetworkStream(socket, ownsSocket: true);
        _protocol!.LogIn(stream);
        return stream;
    }
}
