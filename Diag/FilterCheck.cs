using TcpCloser.Cli;
using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>Finds out what this kernel lists and filters by, with questions that no socket answers.</summary>
internal static class FilterCheck
{
    private static readonly PortSet s_onePort = new([new PortRange(1, 1)]);

    /// <summary>Whether the kernel lists TCP sockets at all. Returns 0 or the errno.</summary>
    public static int DumpErrno(SocketDump dump, NetworkNamespace network) => Ask(dump, network, new Selection { SourcePorts = s_onePort });

    public static int PortsErrno(SocketDump dump, NetworkNamespace network) =>
        Ask(dump, network, new Selection { SourcePorts = new PortSet([new PortRange(1, 1), new PortRange(3, 3)]) });

    public static int AddressesErrno(SocketDump dump, NetworkNamespace network) =>
        Ask(dump, network, new Selection { Destinations = [AddressPrefix.ParseOne("192.0.2.1")!], SourcePorts = s_onePort });

    public static int InterfaceErrno(SocketDump dump, NetworkNamespace network) =>
        Ask(dump, network, new Selection { SourcePorts = s_onePort }, new RuleContext { Interfaces = [int.MaxValue] });

    /// <summary>EPERM without CAP_NET_ADMIN, which a destroy takes, too.</summary>
    public static int MarkErrno(SocketDump dump, NetworkNamespace network) =>
        Ask(dump, network, new Selection { Marks = [new SocketMark(0, 0)], SourcePorts = s_onePort });

    public static int CgroupErrno(SocketDump dump, NetworkNamespace network) =>
        Ask(dump, network, new Selection { SourcePorts = s_onePort }, new RuleContext { CgroupIds = [ulong.MaxValue] });

    private static int Ask(SocketDump dump, NetworkNamespace network, Selection selection, RuleContext? context = null) =>
        dump.Run(network, new DumpQuery(selection, context ?? RuleContext.Empty, marksAndCgroups: true).Request, new NullSink());

    private sealed class NullSink : IDumpSink
    {
        public void Reset()
        {
        }

        public void Add(ref readonly InetDiagMsg message, in SocketAttributes attributes)
        {
        }
    }
}
