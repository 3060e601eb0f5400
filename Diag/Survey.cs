using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>
/// Lists the connections of network namespaces and sorts them. The halves of a long list of ports are looked for at the same
/// time, each by a dump of its own.
/// </summary>
internal sealed class Survey
{
    private readonly Selection _selection;
    private readonly List<Part> _parts = [];

    public Survey(Selection selection, IdleRule idleRule, SocketDump dump, bool keepLeftAlone, bool keepDetails)
    {
        _selection = selection;
        foreach (PortHalf? half in PortHalf.Split(selection))
        {
            _parts.Add(new Part(
                _parts.Count == 0 ? dump : new SocketDump(), new Census(selection, idleRule, keepLeftAlone, keepDetails, half), half));
        }
    }

    /// <summary>What was found in all namespaces of a round.</summary>
    public Census Census => _parts[0].Census;

    /// <summary>
    /// Of each walk over the last namespace, the program that the kernel ran, and whether it said that its table changed
    /// meanwhile: then sockets may be missing.
    /// </summary>
    public IEnumerable<(byte[] Bytecode, bool Interrupted)> Walks
    {
        get
        {
            foreach (Part part in _parts)
            {
                yield return (part.Bytecode, part.Dump.Interrupted);
            }
        }
    }

    /// <summary>A new round.</summary>
    public void Clear() => Census.Clear();

    /// <summary>Adds a namespace.</summary>
    /// <exception cref="SystemCallException">It cannot be listed; nothing of it was added.</exception>
    public void Look(NetworkNamespace network)
    {
        Census.Begin(network);
        try
        {
            if (_parts.Count == 1)
            {
                _parts[0].Run(network, _selection);
            }
            else
            {
                LookTwice(network, _parts[0], _parts[1]);
            }
        }
        catch (SystemCallException)
        {
            // What it listed before it broke is not to be acted on.
            Census.Reset();
            throw;
        }
    }

    private void LookTwice(NetworkNamespace network, Part lower, Part upper)
    {
        upper.Census.Clear();
        upper.Census.Begin(network);
        try
        {
            WorkerThread? second = WorkerThread.TryStart(() => upper.Run(network, _selection));
            try
            {
                lower.Run(network, _selection);
            }
            finally
            {
                second?.Join();
            }

            if (second is null)
            {
                upper.Run(network, _selection);
            }
        }
        catch (SystemCallException)
        {
            // No descriptor or no memory for two at a time, perhaps; what is wrong otherwise is met again.
            lower.Run(network, _selection);
            upper.Run(network, _selection);
        }

        Census.Add(upper.Census);
    }

    private sealed class Part(SocketDump dump, Census census, PortHalf? half)
    {
        public SocketDump Dump => dump;

        public Census Census => census;

        public byte[] Bytecode { get; private set; } = [];

        public void Run(NetworkNamespace network, Selection selection) => Bytecode = dump.Run(network, selection, half, census);
    }
}
