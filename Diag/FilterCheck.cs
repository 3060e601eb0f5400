using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Diag;

/// <summary>
/// Finds out what this kernel lists and filters by, with requests that no socket matches. Each check returns why it does not.
/// </summary>
internal static class FilterCheck
{
    private static readonly PortSet s_onePort = new([new PortRange(1, 1)]);

    /// <summary>192.0.2.1, a documentation address that no machine has (RFC 5737).</summary>
    private static readonly AddressPrefix s_noAddress = new(Socket.AF_INET, NoAddress(), 32);

    /// <summary>Whether the kernel lists TCP sockets at all.</summary>
    public static Failure Dump(SocketDump dump, NetworkNamespace network) => Ask(dump, network, new Selection { SourcePorts = s_onePort });

    public static Failure Ports(SocketDump dump, NetworkNamespace network) =>
        Ask(dump, network, new Selection { SourcePorts = new PortSet([new PortRange(1, 1), new PortRange(3, 3)]) });

    public static Failure Addresses(SocketDump dump, NetworkNamespace network) =>
        Ask(dump, network, new Selection { Destinations = [s_noAddress], SourcePorts = s_onePort });

    public static Failure Interface(SocketDump dump, NetworkNamespace network) =>
        Ask(dump, network, new Selection { SourcePorts = s_onePort }, new RuleContext { Interfaces = [int.MaxValue] });

    /// <summary>EPERM without CAP_NET_ADMIN, which SOCK_DESTROY also needs.</summary>
    public static Failure Mark(SocketDump dump, NetworkNamespace network) =>
        Ask(dump, network, new Selection { Marks = [new SocketMark(0, 0)], SourcePorts = s_onePort });

    public static Failure Cgroup(SocketDump dump, NetworkNamespace network) =>
        Ask(dump, network, new Selection { SourcePorts = s_onePort }, new RuleContext { CgroupIds = [ulong.MaxValue] });

    private static Failure Ask(SocketDump dump, NetworkNamespace network, Selection selection, RuleContext? context = null)
    {
        var query = new DumpQuery(selection, context ?? RuleContext.Empty, marksAndCgroups: true);
        int errno = dump.Run(network, query.Request, static (ref readonly InetDiagMsg _, in SocketAttributes _) => { });
        return Failure.If(query.OperationFor(errno), errno);
    }

    private static Address NoAddress()
    {
        var address = default(Address);
        address[0] = 192;
        address[2] = 2;
        address[3] = 1;
        return address;
    }
}
