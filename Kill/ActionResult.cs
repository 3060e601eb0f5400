using TcpCloser.Diag;
using TcpCloser.Interop;

namespace TcpCloser.Kill;

/// <summary>What came of a <see cref="SocketAction"/>.</summary>
internal readonly struct ActionResult
{
    /// <summary>It was done, or need not be.</summary>
    public ActionResult(Outcome outcome) => Outcome = outcome;

    /// <summary>It was refused, for that errno.</summary>
    public ActionResult(Operation operation, int errno)
    {
        Operation = operation;
        Errno = errno;
    }

    public Outcome Outcome { get; }

    public Operation Operation { get; }

    /// <summary>0: it was not refused.</summary>
    public int Errno { get; }
}
