namespace TcpCloser.Diag;

/// <summary>
/// Connections in chunks: growing never copies, and a service's next round finds the chunks of the last one. A reference
/// into the list stays good.
/// </summary>
internal sealed class ConnectionList
{
    /// <summary>128 KiB a chunk: above the size from which the GC leaves an array where it is.</summary>
    private const int ChunkLength = 2048;

    private readonly List<Connection[]> _chunks = [];

    public int Count { get; private set; }

    public ref Connection this[int index] => ref _chunks[index / ChunkLength][index % ChunkLength];

    public void Add(in Connection connection)
    {
        if (Count == _chunks.Count * ChunkLength)
        {
            _chunks.Add(new Connection[ChunkLength]);
        }

        this[Count++] = connection;
    }

    public void Clear() => Count = 0;
}
