using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Kill;

/// <summary>Creates the steps of a round and the close methods.</summary>
internal static partial class CloseMethods
{
    /// <summary>Creates the steps of a rule, ordered by stage.</summary>
    /// <param name="method">The method that closes the connections; null: connections are only counted.</param>
    public static List<IStep> Steps(Rule rule, ICloseMethod? method)
    {
        List<IStep> steps = [];
        if (method is not null)
        {
            // Every method needs this, whatever its reach: it must not end one subflow, or fetch the socket, while other subflows have to
            // stay.
            steps.Add(method);
            steps.Add(new MptcpFilter());
        }

        if (rule.Probe > TimeSpan.Zero)
        {
            steps.Add(new PeerProbe());
        }

        if (method is not null && !rule.IncludeOwnSession)
        {
            steps.Add(new OwnSessionFilter());
        }

        if (method is not null && rule.Keep is { } quota)
        {
            steps.Add(new KeepFilter(quota, method.Reach));
        }

        if (method is not null && rule.Limit is { } limit)
        {
            steps.Add(new LimitFilter(limit, method.Reach));
        }

        if (rule.NotComms.Count > 0)
        {
            steps.Add(new ExcludedFilter());
        }

        if (rule.SrcGone)
        {
            steps.Add(new AddressGoneFilter());
        }

        steps.Sort(static (a, b) => (int)a.Stage - (int)b.Stage);
        return steps;
    }

    /// <summary>Creates the close method of a rule.</summary>
    public static ICloseMethod Of(Rule rule) => rule.Method switch
    {
        Method.Auto => Destroyer(new SocketDisconnector()) ?? new SocketDisconnector(),
        Method.Destroy => Destroyer(fallback: null) ?? throw new NotSupportedException(),
        Method.Disconnect => new SocketDisconnector(),
        Method.Keepalive => new KeepaliveMethod(rule),
        Method.Kill => new ProcessKiller(rule),
    };

    /// <summary>Checks whether SOCK_DESTROY is possible.</summary>
    public static FeatureSupport CheckDestroy(Machine machine, NetworkNamespace network, IReadOnlyList<uint> uids) =>
        Destroyer(fallback: null)?.Check(machine, network, uids)
            ?? new FeatureSupport(MethodName.Of(Method.Destroy), new Failure(Operation.DestroySocket, Errno.EOPNOTSUPP));

    private static ICloseMethod? Destroyer(SocketDisconnector? fallback)
    {
        ICloseMethod? method = null;
        SetDestroyer(fallback, ref method);
        return method;
    }

    /// <summary>
    /// Sets the method that destroys sockets and leaves those that it cannot destroy to the fallback. Kill/Destroy implements it; a build
    /// without that directory (-p:NoSockDestroy=true) has no such method.
    /// </summary>
    static partial void SetDestroyer(SocketDisconnector? fallback, ref ICloseMethod? method);
}
