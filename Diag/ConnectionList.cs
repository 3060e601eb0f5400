using System.Runtime.CompilerServices;
using TcpCloser.Proc;

namespace TcpCloser.Diag;

/// <summary>
/// Connections in chunks: growing never copies, and a service's next round finds the chunks of the last one. A reference
/// into the list stays good. The connections of one network namespace stand together.
/// </summary>
internal sealed class ConnectionList
{
    /// <summary>128 KiB a chunk: above the size from which the GC leaves an array where it is.</summary>
    private const int ChunkLength = 2048;

    private Connection[][] _chunks = [];
    private readonly List<(NetworkNamespace Namespace, int Start)> _parts = [];

    public int Count { get; private set; }

    /// <summary>What tcp_info says of each; empty unless somebody wants to hear it.</summary>
    public List<TcpDetail> Details { get; } = [];

    /// <summary>The processes that hold the sockets; null: they were not looked for.</summary>
    public SocketOwners? Owners { get; set; }

    /// <summary>The ports on which something listens; null: they were not looked for.</summary>
    public ListeningPorts? ListeningPorts { get; set; }

    /// <summary>The network namespaces that have connections here, and from where to where in the list they stand.</summary>
    public IEnumerable<(NetworkNamespace Namespace, int Start, int End)> Parts
    {
        get
        {
            for (int i = 0; i < _parts.Count; i++)
            {
                int end = i + 1 < _parts.Count ? _parts[i + 1].Start : Count;
                if (_parts[i].Start < end)
                {
                    yield return (_parts[i].Namespace, _parts[i].Start, end);
                }
            }
        }
    }

    /// <summary>Inlined: every pass over the list goes through here.</summary>
    public ref Connection this[int index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref _chunks[(uint)index / ChunkLength][(uint)index % ChunkLength];
    }

    /// <summary>The network namespace of a connection.</summary>
    public NetworkNamespace NamespaceOf(int index) => _parts[PartOf(index)].Namespace;

    /// <summary>The number of the namespace of a connection, in the order in which they were listed.</summary>
    public int PartOf(int index)
    {
        int low = 0;
        for (int high = _parts.Count - 1; low < high;)
        {
            int middle = (low + high + 1) / 2;
            (low, high) = _parts[middle].Start <= index ? (middle, high) : (low, middle - 1);
        }

        return low;
    }

    /// <summary>What is added from here on is in that namespace.</summary>
    public void Begin(NetworkNamespace network) => _parts.Add((network, Count));

    public void Add(in Connection connection)
    {
        if (Count == _chunks.Length * ChunkLength)
        {
            _chunks = [.. _chunks, new Connection[ChunkLength]];
        }

        this[Count++] = connection;
    }

    /// <summary>Forgets what was added since the last <see cref="Begin"/>.</summary>
    public void ClearPart() => Truncate(_parts[^1].Start);

    public void Clear()
    {
        _parts.Clear();
        Owners = null;
        Truncate(0);
    }

    /// <summary>Takes those out that are not <see cref="Outcome.Idle"/> any more.</summary>
    public void KeepIdle()
    {
        int kept = 0;
        int part = 0;
        for (int i = 0; i < Count; i++)
        {
            for (; part < _parts.Count && _parts[part].Start == i; part++)
            {
                _parts[part] = (_parts[part].Namespace, kept);
            }

            if (this[i].Outcome == Outcome.Idle)
            {
                this[kept] = this[i];
                if (Details.Count > 0)
                {
                    Details[kept] = Details[i];
                }

                kept++;
            }
        }

        for (; part < _parts.Count; part++)
        {
            _parts[part] = (_parts[part].Namespace, kept);
        }

        Truncate(kept);
    }

    private void Truncate(int count)
    {
        Count = count;
        if (Details.Count > count)
        {
            Details.RemoveRange(count, Details.Count - count);
        }
    }
}
