namespace TcpCloser.Rules;

/// <summary>How a connection is closed.</summary>
internal enum Method
{
    /// <summary>Destroy; disconnect if the kernel has no SOCK_DESTROY. MPTCP connections are always disconnected.</summary>
    Auto,

    /// <summary>
    /// SOCK_DESTROY: the kernel aborts the connection. A build without it (<see cref="MethodName.HasDestroy"/>) refuses this method.
    /// </summary>
    Destroy,

    /// <summary>The socket is fetched from its holder and disconnected.</summary>
    Disconnect,

    /// <summary>The processes that hold the socket are found in /proc and signalled.</summary>
    Kill,

    /// <summary>Nothing is closed: keepalive is enabled on the socket, so that the kernel finds a dead peer.</summary>
    Keepalive,
}

/// <summary>The words for the methods, on the command line and in the log.</summary>
internal static class MethodName
{
    /// <summary>Whether this build has SOCK_DESTROY. Other code tests this constant instead of the symbol.</summary>
    public const bool HasDestroy =
#if NO_SOCK_DESTROY
        false;
#else
        true;
#endif

    /// <summary>The method of a rule without <c>--method</c>.</summary>
    public const Method Default = HasDestroy ? Method.Auto : Method.Kill;

    /// <summary>The methods that this build has.</summary>
    public static ReadOnlySpan<Method> All => HasDestroy
        ? [Method.Auto, Method.Destroy, Method.Disconnect, Method.Kill, Method.Keepalive]
        : [Method.Auto, Method.Disconnect, Method.Kill, Method.Keepalive];

    public static string Of(Method method) => method switch
    {
        Method.Auto => "auto",
        Method.Destroy => "destroy",
        Method.Disconnect => "disconnect",
        Method.Kill => "kill",
        Method.Keepalive => "keepalive",
    };

    /// <summary>What messages call a connection on which the method succeeded: "closed", or "changed" for keepalive.</summary>
    public static string Participle(Method method) => method == Method.Keepalive ? "changed" : "closed";
}
