namespace TcpCloser.Cli;

/// <summary>The words that people type for the methods, and read in the log.</summary>
internal static class MethodName
{
    private static readonly Method[] s_methods =
    [
        Method.Auto,
#if !NO_SOCK_DESTROY
        Method.Destroy,
#endif
        Method.Disconnect,
        Method.Kill,
        Method.Keepalive,
    ];

    public static string Of(Method method) => method switch
    {
        Method.Auto => "auto",
#if !NO_SOCK_DESTROY
        Method.Destroy => "destroy",
#endif
        Method.Disconnect => "disconnect",
        Method.Kill => "kill",
        Method.Keepalive => "keepalive",
    };

    /// <exception cref="UsageException">There is no method of that name.</exception>
    public static Method Parse(string option, string value)
    {
        foreach (Method method in s_methods)
        {
            if (Of(method) == value)
            {
                return method;
            }
        }

#if NO_SOCK_DESTROY
        throw new UsageException(option, value, value == "destroy"
            ? "this build has no SOCK_DESTROY; auto, disconnect, kill or keepalive"
            : "auto, disconnect, kill or keepalive");
#else
        throw new UsageException(option, value, "auto, destroy, disconnect, kill or keepalive");
#endif
    }
}
