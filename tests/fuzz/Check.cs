namespace TcpCloser.Fuzz;

/// <summary>What has to hold. Cheaper than an assertion whose message is made also where it holds.</summary>
internal static class Check
{
    public static void That(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new InvalidOperationException(otherwise);
        }
    }

    /// <summary>The program says why by an errno, and by nothing else.</summary>
    public static void IsErrno(int errno) => That(errno is > 0 and <= Interop.Errno.Highest, $"{errno} is no errno");
}
