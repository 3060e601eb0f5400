using System.Text;
using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Report;

namespace TcpCloser;

/// <summary><c>--check</c>: what this kernel and these privileges allow, a line each.</summary>
internal static class CheckRun
{
    /// <param name="machine">Where it is found out.</param>
    /// <param name="rule">Whose connections are meant.</param>
    /// <param name="records">Where records go in place of lines; null: lines go to <paramref name="stdout"/>.</param>
    /// <param name="stdout">Where lines go.</param>
    /// <returns>The exit status: whether every owner's connections can be closed.</returns>
    public static ExitStatus Run(Machine machine, Rule rule, JsonRecords? records, OutputStream stdout)
    {
        var dump = new SocketDump();
        var order = new SearchOrder();
        var disconnector = new SocketDisconnector(dump, machine.OpenProcesses, order);
        Ability listing = Filter("dump", dump, machine.Own, FilterCheck.DumpErrno);
#if NO_SOCK_DESTROY
        Ability destroy = new("destroy", Errno.EOPNOTSUPP, Operation.DestroySocket);
#else
        Ability destroy = new SockDestroyer(dump, machine.Own, leavesUnsupported: false).Check(rule.Uids);
#endif
        Ability disconnect = disconnector.Check(rule.Uids);
        Ability kill = new ProcessKiller(rule, new IdleRule(rule), machine.OpenProcesses).Check(rule.Uids);
        Ability probe = PeerProbe.Check(machine.OpenProcesses, rule.Uids);
        Ability keepalive = new KeepaliveMethod(rule, dump, machine.OpenProcesses, order).Check(rule.Uids);
        bool closes = listing.IsPossible && (destroy.IsPossible || disconnect.IsPossible);
        Ability[] abilities =
        [
            listing, destroy, disconnect, probe, keepalive, kill,
            Filter("filter-ports", dump, machine.Own, FilterCheck.PortsErrno),
            Filter("filter-addresses", dump, machine.Own, FilterCheck.AddressesErrno),
            Filter("filter-interface", dump, machine.Own, FilterCheck.InterfaceErrno),
            Filter("filter-mark", dump, machine.Own, FilterCheck.MarkErrno),
            Filter("filter-cgroup", dump, machine.Own, FilterCheck.CgroupErrno),
        ];

        var text = new StringBuilder();
        foreach (Ability ability in abilities)
        {
            Add(text, records, ability.Name, ability.IsPossible,
                ability.IsPossible ? "" : Remedies.Describe(ability.Operation, ability.Errno, ability.Subject));
        }

        Add(text, records, "close-all", closes, closes ? "" : "not every owner's connections can be closed here without killing");
        records?.Flush();
        return records is null && stdout.Write(Encoding.UTF8.GetBytes(text.ToString())) != 0 ? ExitStatus.Incomplete
            : closes ? ExitStatus.Done
            : ExitStatus.NotPossible;
    }

    private static Ability Filter(string name, SocketDump dump, NetworkNamespace network, Func<SocketDump, NetworkNamespace, int> ask)
    {
        try
        {
            int errno = ask(dump, network);
            return new Ability(name, errno, errno == Errno.EPERM ? Operation.ListSocketsByMark : Operation.ListSockets);
        }
        catch (SystemCallException e)
        {
            return new Ability(name, e.Errno, e.Operation);
        }
    }

    private static void Add(StringBuilder text, JsonRecords? records, string name, bool isPossible, string why)
    {
        records?.Ability(name, isPossible, why);
        text.Append(name.PadRight(18)).Append(isPossible ? "yes" : "no").Append(why.Length > 0 ? "   " : "").Append(why).Append('\n');
    }
}
