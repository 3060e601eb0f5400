using TcpCloser.Cli;
using TcpCloser.Report;

namespace TcpCloser;

/// <summary>What decides the exit status of a round.</summary>
internal sealed class RoundStatus
{
    public Counts Counts { get; } = new();

    /// <summary>Whether something failed because it is not possible here: no privilege, or the kernel lacks what is needed.</summary>
    public bool IsNotPossible { get; set; }

    /// <summary>Whether something failed that is no matter of one connection.</summary>
    public bool IsIncomplete { get; set; }

    /// <summary>Whether a process was signalled.</summary>
    public bool HasSignalled { get; set; }

    public void Clear()
    {
        Counts.Clear();
        (IsNotPossible, IsIncomplete, HasSignalled) = (false, false, false);
    }

    /// <summary>The exit status. That it is not possible here never follows a connection that was closed or a process that was signalled.</summary>
    public ExitStatus Of(RunOptions run)
    {
        bool nothingDone = Counts.Closed + Counts.Cured + Counts.Unknown == 0 && !HasSignalled;
        return IsNotPossible && nothingDone && (!run.DryRun || Counts.WouldClose == 0) ? ExitStatus.NotPossible
            : Counts.Failed > 0 || IsIncomplete ? ExitStatus.Incomplete
            : ExitStatus.Done;
    }
}
