using TcpCloser.Interop;

namespace TcpCloser.Kill;

/// <summary>One thing that this kernel and these privileges allow or do not allow.</summary>
/// <param name="name">What it is called.</param>
/// <param name="errno">Why not; 0: it is possible.</param>
/// <param name="operation">What was refused.</param>
/// <param name="subject">What it was tried on; null: the operation says it all.</param>
/// <param name="partly">Whether it was refused only by some.</param>
internal sealed class Ability(string name, int errno = 0, Operation operation = default, string? subject = null, bool partly = false)
{
    public string Name { get; } = name;

    public bool IsPossible => Errno == 0;

    /// <summary>Whether nothing at all can be done by it.</summary>
    public bool IsImpossible => Errno != 0 && !partly;

    public int Errno { get; } = errno;

    public Operation Operation { get; } = operation;

    public string? Subject { get; } = subject;
}
