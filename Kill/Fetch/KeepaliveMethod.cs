using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Kill;

/// <summary>
/// Closes nothing: enables the TCP keepalive that the application forgot (tcp(7)), so that the kernel detects dead peers from then on.
/// </summary>
internal sealed class KeepaliveMethod(Rule rule) : ICloseMethod
{
    private readonly KeepaliveTimes _times = rule.Keepalive ?? KeepaliveTimes.Default;

    public string Name => MethodName.Of(Method.Keepalive);

    public Reach Reach => Reach.Socket;

    public FeatureSupport Check(Machine machine, NetworkNamespace network, IReadOnlyList<uint> uids) =>
        HolderCheck.RunFetch(Name, machine, uids);

    public void Preview(ConnectionList candidates, RoundContext round)
    {
        using var run = new FetchRun(candidates, round, Method.Keepalive, Preview);
        run.Preview();
    }

    public void Run(ConnectionList candidates, RoundContext round)
    {
        using var run = new FetchRun(candidates, round, Method.Keepalive, Enable);
        run.Run();
    }

    private Failure Preview(IProcessTable table, int socket, out Outcome outcome) => Enable(table, socket, isPreview: true, out outcome);

    private Failure Enable(IProcessTable table, int socket, out Outcome outcome) => Enable(table, socket, isPreview: false, out outcome);

    private Failure Enable(IProcessTable table, int socket, bool isPreview, out Outcome outcome)
    {
        outcome = default;
        int errno = KeepaliveOptions.Read(table, socket, out KeepaliveOptions own);
        if (errno == 0)
        {
            KeepaliveOptions wanted = Wanted(own);
            outcome = Blocker(own, wanted) ?? Outcome.Pending;
            int probes = 0;
            errno = outcome == Outcome.Pending ? ReadProbes(table, socket, out probes) : 0;
            outcome = outcome == Outcome.Pending && probes > 0 && probes >= wanted.Count - 1 ? Outcome.ProbesOutstanding : outcome;
            if (errno == 0 && outcome == Outcome.Pending && !isPreview)
            {
                outcome = Outcome.Cured;
                errno = wanted.Apply(table, socket, own);
            }
        }

        return Failure.If(Operation.SetKeepalive, errno);
    }

    private KeepaliveOptions Wanted(KeepaliveOptions own) => own with
    {
        IsOn = true,
        Idle = _times.Idle,
        Interval = _times.Interval,
        Count = _times.Count,
        UserTimeoutMs = rule.UserTimeout is { } timeout ? (int)timeout.TotalMilliseconds : own.UserTimeoutMs,
    };

    /// <summary>Returns why the options must not be set on a socket; null: nothing prevents it so far.</summary>
    private Outcome? Blocker(KeepaliveOptions own, KeepaliveOptions wanted) =>
        wanted == own || (own.IsOn && rule.Keepalive is null) ? Outcome.HasKeepalive
        : wanted.UserTimeoutMs != 0 && wanted.UserTimeoutMs < _times.DetectionTime.TotalMilliseconds ? Outcome.HasUserTimeout
        : !own.CanBeRestored(wanted) ? Outcome.CannotRestore
        : null;

    /// <summary>
    /// Reads how many probes are unanswered. Setting options does not reset this count, so too many of them would end the connection at
    /// once.
    /// </summary>
    private static int ReadProbes(IProcessTable table, int socket, out int probes)
    {
        Span<byte> info = stackalloc byte[TcpInfo.Size];
        int errno = table.ReadTcpInfo(socket, info, out int length);
        probes = new SocketFacts(info[..length]).Probes;
        return errno;
    }
}
