using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using TcpCloser.Interop;

namespace TcpCloser.Rules;

/// <summary>The connections that <c>--only</c> names, each once, and which of them were found in this round.</summary>
internal sealed class NamedConnections
{
    private const int End = -1;

    /// <summary>Unpredictable: an attacker who chooses the endpoints must not be able to choose collisions.</summary>
    private readonly ulong _seed = (ulong)Stopwatch.GetTimestamp();

    private readonly Dictionary<string, uint> _scopeNumbers = [];
    private readonly List<NamedScope> _scopes = [new NamedScope(null, null)];
    private NamedConnection[] _items = [];
    private bool[] _found = [];

    /// <summary>Chains of the items that have the same hash: the first of each, and the next of each item.</summary>
    private int[] _first = [];
    private int[] _next = [];

    public int Count { get; private set; }

    /// <summary>How many records were not added because the run that wrote them left their connections alone.</summary>
    public int LeftAlone { get; set; }

    /// <summary>How many were not found.</summary>
    public int NotFound { get; private set; }

    /// <summary>
    /// The network namespaces and devices that the connections are limited to; the first is unlimited. <see cref="NamedConnection.Scope"/>
    /// is an index of this list.
    /// </summary>
    public IReadOnlyList<NamedScope> Scopes => _scopes;

    public ref readonly NamedConnection this[int index] => ref _items[index];

    public void Clear()
    {
        _scopeNumbers.Clear();
        _scopes.RemoveRange(1, _scopes.Count - 1);
        Array.Fill(_first, End);
        Count = NotFound = LeftAlone = 0;
    }

    /// <summary>Starts a round: nothing was found yet.</summary>
    public void ForgetFound()
    {
        Array.Clear(_found);
        NotFound = Count;
    }

    /// <summary>Adds a connection unless it is already in the set.</summary>
    public void Add(in NamedConnection connection)
    {
        if (Find(in connection) >= 0)
        {
            return;
        }

        if (Count == _items.Length)
        {
            Grow();
        }

        _items[Count] = connection;
        _found[Count] = false;
        Link(Count++);
        NotFound++;
    }

    /// <summary>The index of a connection; negative: it is not in the set.</summary>
    public int Find(in NamedConnection connection)
    {
        int index = Count == 0 ? End : _first[SlotOf(in connection)];
        while (index >= 0 && !NamedConnection.Equals(in _items[index], in connection))
        {
            index = _next[index];
        }

        return index;
    }

    public bool IsFound(int index) => _found[index];

    /// <summary>Records whether a connection was found. Returns whether that is news.</summary>
    public bool SetFound(int index, bool found)
    {
        bool isNews = _found[index] != found;
        _found[index] = found;
        if (isNews)
        {
            NotFound += found ? -1 : 1;
        }

        return isNews;
    }

    /// <summary>The scope of a namespace and a device; empty: not limited by it.</summary>
    public int ScopeOf(ReadOnlySpan<byte> netns, ReadOnlySpan<byte> device)
    {
        if (netns.IsEmpty && device.IsEmpty)
        {
            return 0;
        }

        string key = Escape.Text(netns) + '\0' + Escape.Text(device);
        if (!_scopeNumbers.TryGetValue(key, out uint number))
        {
            number = (uint)_scopes.Count;
            _scopeNumbers.Add(key, number);
            _scopes.Add(new NamedScope(netns.IsEmpty ? null : netns.ToArray(), device.IsEmpty ? null : Encoding.UTF8.GetString(device)));
        }

        return (int)number;
    }

    /// <summary>The local or the remote ports as sorted, disjoint ranges that are not adjacent.</summary>
    public List<PortRange> Ports(bool source)
    {
        var isUsed = new bool[ushort.MaxValue + 1];
        for (int i = 0; i < Count; i++)
        {
            isUsed[source ? _items[i].SourcePort : _items[i].DestinationPort] = true;
        }

        var ranges = new List<PortRange>();
        for (int port = 0; port < isUsed.Length; port++)
        {
            if (isUsed[port])
            {
                int first = port;
                while (port + 1 < isUsed.Length && isUsed[port + 1])
                {
                    port++;
                }

                ranges.Add(new PortRange((ushort)first, (ushort)port));
            }
        }

        return ranges;
    }

    private void Grow()
    {
        int length = Math.Max(64, _items.Length * 2);
        Array.Resize(ref _items, length);
        Array.Resize(ref _found, length);
        Array.Resize(ref _next, length);
        _first = new int[length];
        Array.Fill(_first, End);
        for (int i = 0; i < Count; i++)
        {
            Link(i);
        }
    }

    private void Link(int index)
    {
        ref int first = ref _first[SlotOf(in _items[index])];
        (_next[index], first) = (first, index);
    }

    /// <summary>The chain of a connection. The number of chains is a power of two.</summary>
    private int SlotOf(in NamedConnection connection)
    {
        const ulong Odd = 0x9e37_79b9_7f4a_7c15; // 2^64 divided by the golden ratio
        ulong hash = _seed;
        foreach (ulong word in MemoryMarshal.Cast<byte, ulong>(NamedConnection.Bytes(in connection)))
        {
            hash = (hash ^ word) * Odd;
            hash ^= hash >> 29;
        }

        return (int)(hash >> 32) & (_first.Length - 1);
    }
}

/// <summary>A connection by its endpoints and, if it is known, its cookie: then exactly that socket. 48 bytes without padding.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NamedConnection
{
    /// <summary>Local and remote address, with IPv4 as <c>::ffff:a.b.c.d</c>, whatever the family of the socket.</summary>
    public Address Source;
    public Address Destination;

    /// <summary>The kernel's number of the socket; 0: any socket with these endpoints.</summary>
    public ulong Cookie;

    /// <summary>Host byte order.</summary>
    public ushort SourcePort;
    public ushort DestinationPort;

    /// <summary>Its index in <see cref="NamedConnections.Scopes"/>.</summary>
    public int Scope;

    /// <summary>All of its bytes.</summary>
    public static ReadOnlySpan<byte> Bytes(ref readonly NamedConnection connection) =>
        MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(ref Unsafe.AsRef(in connection), 1));

    public static bool Equals(ref readonly NamedConnection one, ref readonly NamedConnection other) =>
        Bytes(in one).SequenceEqual(Bytes(in other));
}

/// <summary>What a named connection is limited to, in addition to its endpoints.</summary>
/// <param name="netns">The name of the network namespace, in any encoding; null: any.</param>
/// <param name="device">The device that the socket is bound to; null: any.</param>
internal sealed class NamedScope(byte[]? netns, string? device)
{
    public byte[]? Netns { get; } = netns;

    public string? Device { get; } = device;
}
