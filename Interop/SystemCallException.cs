namespace TcpCloser.Interop;

/// <summary>The kernel refused an operation. The words for it, and what to do about it, are in the table of remedies.</summary>
internal sealed class SystemCallException(Operation operation, int errno, string? subject = null) : Exception
{
    public Operation Operation { get; } = operation;

    /// <summary>The error number, positive.</summary>
    public int Errno { get; } = errno;

    /// <summary>What it was tried on, escaped for a line; null: the operation says it all.</summary>
    public string? Subject { get; } = subject;

    public override string Message => $"{Operation}{(Subject is null ? "" : " " + Subject)}: {Interop.Errno.Describe(Errno)}";
}
