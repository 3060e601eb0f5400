using TcpCloser.Diag;

namespace TcpCloser.Kill;

/// <summary>What became of one candidate.</summary>
/// <param name="index">Its place in the list.</param>
/// <param name="outcome">What became of it.</param>
/// <param name="errno">Why, where the kernel said so; 0: it did not.</param>
internal readonly struct Result(int index, Outcome outcome, int errno = 0)
{
    public int Index { get; } = index;

    public Outcome Outcome { get; } = outcome;

    public int Errno { get; } = errno;
}
