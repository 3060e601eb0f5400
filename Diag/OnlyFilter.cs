using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Diag;

/// <summary>Which connections of a network namespace <c>--only</c> names, and which of the named ones are found there.</summary>
/// <param name="named">The named connections of all namespaces.</param>
/// <param name="ports">Their ports.</param>
/// <param name="scopes">Those of <see cref="NamedConnections.Scopes"/> that apply in this namespace.</param>
internal sealed class OnlyFilter(NamedConnections named, OnlyPorts ports, IReadOnlyList<OnlyScope> scopes)
{
    /// <summary>The named connections that were first found in this namespace.</summary>
    private readonly List<int> _foundHere = [];

    public bool IsEmpty => named.Count == 0;

    public OnlyPorts Ports => ports;

    public bool Contains(ref readonly Connection connection) => Visit(in connection, markFound: false);

    /// <summary>Records that the connections that name this one are found.</summary>
    public void MarkFound(ref readonly Connection connection) => Visit(in connection, markFound: true);

    /// <summary>Reverts <see cref="MarkFound"/>: the listing of this namespace starts again, or failed.</summary>
    public void ForgetFound()
    {
        foreach (int index in _foundHere)
        {
            named.SetFound(index, found: false);
        }

        _foundHere.Clear();
    }

    /// <summary>
    /// Looks for the connection with and without its cookie, in each scope. Returns whether it is named; unless it is marked, the first
    /// entry decides.
    /// </summary>
    private bool Visit(ref readonly Connection connection, bool markFound)
    {
        NamedConnection wanted = default;
        wanted.Source = Address.ToMapped(in connection.Source, connection.Family);
        wanted.Destination = Address.ToMapped(in connection.Destination, connection.Family);
        (wanted.SourcePort, wanted.DestinationPort) = (connection.SourcePort, connection.DestinationPort);
        bool isNamed = false;
        for (int i = 0; i < scopes.Count; i++)
        {
            if (scopes[i].Interface != 0 && scopes[i].Interface != connection.Interface)
            {
                continue;
            }

            wanted.Scope = scopes[i].Number;
            wanted.Cookie = connection.Cookie;
            isNamed |= Visit(in wanted, markFound);
            wanted.Cookie = 0;
            isNamed |= Visit(in wanted, markFound);
            if (isNamed && !markFound)
            {
                return true;
            }
        }

        return isNamed;
    }

    private bool Visit(in NamedConnection wanted, bool markFound)
    {
        int index = named.Find(in wanted);
        if (markFound && index >= 0 && named.SetFound(index, found: true))
        {
            _foundHere.Add(index);
        }

        return index >= 0;
    }
}

/// <summary>The ports of named connections, for the kernel's filter in every namespace.</summary>
internal sealed class OnlyPorts(NamedConnections named)
{
    /// <summary>The local ports; null: no connection is named.</summary>
    public PortSet? Source { get; } = named.Count == 0 ? null : new PortSet(named.Ports(source: true));

    public PortSet? Destination { get; } = named.Count == 0 ? null : new PortSet(named.Ports(source: false));
}

/// <summary>One of <see cref="NamedConnections.Scopes"/> in a network namespace.</summary>
/// <param name="number">Its index there.</param>
/// <param name="device">The index of the device that the socket has to be bound to; 0: any.</param>
internal sealed class OnlyScope(int number, uint device)
{
    public int Number { get; } = number;

    public uint Interface { get; } = device;
}
