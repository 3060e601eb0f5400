namespace TcpCloser.Fuzz;

/// <summary>Assertions. Cheaper than those of xunit, whose messages are built even if they hold.</summary>
internal static class Check
{
    public static void That(bool holds, string message)
    {
        if (!holds)
        {
            throw new InvalidOperationException(message);
        }
    }

    /// <summary>The reason of a failure is a valid errno.</summary>
    public static void IsErrno(int errno) => That(errno is > 0 and <= Interop.Errno.Max, $"{errno} is not an errno");
}
