using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>
/// Ends nothing: gives sockets the TCP keepalive that their application forgot (tcp(7)), so that from then on the kernel finds their
/// dead peers by itself.
/// </summary>
internal sealed class KeepaliveMethod(Rule rule, SocketDump dump, Func<IProcessTable> openProcesses, SearchOrder order) : ICloseMethod
{
    private readonly KeepaliveTimes _times = rule.Keepalive ?? KeepaliveTimes.Default;

    public string Name => MethodName.Of(Method.Keepalive);

    public bool NeedsOwners => true;

    public bool EndsProcesses => false;

    public bool EndsWholeMptcp => false;

    public Ability Check(IReadOnlyList<uint> uids) => FetchCheck.Run(Name, openProcesses, uids);

    public Outcome? Obstacle(ref readonly Connection connection, SocketOwners owners) => OwnerRule.NoOwner(in connection, owners);

    public void Close(ConnectionList candidates, IResultSink sink, Func<bool> stopRequested) =>
        new FetchRun(candidates, sink, Cure).Run(dump, openProcesses, order, stopRequested);

    private ActionResult Cure(IProcessTable table, int socket)
    {
        int errno = KeepaliveOptions.Read(table, socket, withInterval: true, out KeepaliveOptions own);
        if (errno != 0)
        {
            return new ActionResult(Operation.SetKeepalive, errno);
        }

        KeepaliveOptions wanted = own with
        {
            IsOn = true,
            Idle = _times.Idle,
            Interval = _times.Interval,
            Count = _times.Count,
            UserTimeoutMs = rule.UserTimeout is { } timeout ? (int)timeout.TotalMilliseconds : own.UserTimeoutMs,
        };
        if (wanted == own || (own.IsOn && rule.Keepalive is null))
        {
            return new ActionResult(Outcome.HasKeepalive);
        }

        if (wanted.UserTimeoutMs != 0 && wanted.UserTimeoutMs < _times.Longest.TotalMilliseconds)
        {
            return new ActionResult(Outcome.HasUserTimeout);
        }

        errno = wanted.Apply(table, socket, own);
        return errno == 0 ? new ActionResult(Outcome.Cured) : new ActionResult(Operation.SetKeepalive, errno);
    }
}
