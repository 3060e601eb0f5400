namespace TcpCloser.Interop;

/// <summary>The kernel refused an operation. Carries the operation in words and the errno; <see cref="Exception.Message"/> says both.</summary>
internal sealed class SystemCallException(string operation, int errno)
    : Exception($"{operation}: {Interop.Errno.Describe(errno)}")
{
    /// <summary>What was tried: <c>sending the dump request</c>.</summary>
    public string Operation { get; } = operation;

    /// <summary>The error number, positive.</summary>
    public int Errno { get; } = errno;
}
