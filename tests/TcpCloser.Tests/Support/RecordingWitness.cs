using TcpCloser.Diag;
using TcpCloser.Kill;

namespace TcpCloser.Tests.Support;

/// <summary>Keeps what a closer told.</summary>
internal sealed class RecordingWitness : IWitness
{
    private readonly Lock _lock = new();

    /// <summary>How often the outcome of each connection was told.</summary>
    public Dictionary<ulong, int> Told { get; } = [];

    public List<string> Hindrances { get; } = [];

    public bool Hopeless { get; private set; }

    public void Settled(ConnectionList connections, int start, int end)
    {
        lock (_lock)
        {
            for (int i = start; i < end; i++)
            {
                Told[connections[i].Cookie] = Told.GetValueOrDefault(connections[i].Cookie) + 1;
            }
        }
    }

    public void Signalled(SocketHolder process, int signal) => Assert.Fail($"signalled {process.Pid}");

    public void Hindered(string why, bool hopeless)
    {
        lock (_lock)
        {
            Hindrances.Add(why);
            Hopeless |= hopeless;
        }
    }
}
