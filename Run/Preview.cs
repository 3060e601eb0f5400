using TcpCloser.Diag;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Report;
using TcpCloser.Rules;

namespace TcpCloser.Run;

/// <summary>Finds out, before anything is done to the candidates, who holds them and what their outcomes would be.</summary>
/// <param name="message">Receives log messages.</param>
internal sealed class Preview(ICloseMethod method, RoundContext round, Action<Level, string> message)
{
    /// <summary>
    /// Gives each candidate the method that would close it, or the outcome that explains why it could not be closed. Candidates that would
    /// be skipped are reported and removed.
    /// </summary>
    /// <exception cref="SystemCallException">The holders that the method works through cannot be found, so nothing can be closed here.</exception>
    public void Run(ConnectionList candidates)
    {
        if (method.Reach == Reach.Kernel)
        {
            FindHolders(candidates, round.LeftAlone);
        }
        else
        {
            using IProcessTable table = round.Machine.OpenProcesses();
            round.Holders.Ensure(table, method.Reach == Reach.Process ? Known.AllCounted : Known.All, candidates, round.LeftAlone);
        }

        new PreviewSink(candidates, round.Report).Run(method, round);
        candidates.Keep(static outcome => outcome == Outcome.Pending || OutcomeInfo.Of(outcome).Counted == Counted.Failed);
    }

    /// <summary>
    /// Whether more connections would be closed than <c>--max</c> allows, which is reported. The other connections of processes that would
    /// be signalled count, too.
    /// </summary>
    /// <exception cref="SystemCallException">The processes or their connections could not be listed.</exception>
    public bool ExceedsMax(ConnectionList candidates)
    {
        if (round.Rule.Max is not { } max)
        {
            return false;
        }

        int others = method.Reach == Reach.Process ? OthersLost(candidates) : 0;
        if ((long)candidates.Count + others <= max)
        {
            return false;
        }

        string connections = candidates.Count == 1 ? "connection" : "connections";
        string closed = MethodName.Participle(round.Rule.Method);
        string also = others > 0 ? $" and {others} other{(others == 1 ? "" : "s")} of the same processes" : "";
        message(Level.Error,
            $"refused: {candidates.Count} {connections}{also} would be {closed}, more than --max {max}; nothing was {closed}");
        return true;
    }

    /// <summary>Finds the holders for display only: if that fails, the run goes on and shows users instead.</summary>
    public void FindHolders(params ReadOnlySpan<ConnectionList> lists)
    {
        if (round.Holders.Known >= Known.All)
        {
            return;
        }

        try
        {
            using IProcessTable table = round.Machine.OpenProcesses();
            round.Holders.Ensure(table, Known.All, lists);
        }
        catch (SystemCallException e)
        {
            round.Holders.Clear();
            message(Level.Debug, Remedies.Describe(e.Failure));
        }
    }

    /// <summary>Counts the connections, other than candidates, that would end with the processes that the method ends.</summary>
    private int OthersLost(ConnectionList candidates)
    {
        using IProcessTable table = round.Machine.OpenProcesses();
        round.Holders.Ensure(table, Known.AllCounted, candidates, round.LeftAlone);
        return round.Holders.OthersLost(candidates, table.OverflowUid);
    }
}

/// <summary>Receives the results of a preview and stores them for the table and the records of a dry run.</summary>
/// <param name="report">Receives the candidates that the run would skip, and the reasons for failures.</param>
internal sealed class PreviewSink(ConnectionList candidates, IResultSink report) : IResultSink
{
    private readonly List<Failure> _problems = [];
    private bool _hasFailed;

    public void Run(ICloseMethod method, RoundContext round)
    {
        try
        {
            method.Preview(candidates, round.ReportingTo(this));
        }
        catch (SystemCallException e)
        {
            Fail(e.Failure);
        }

        // A problem that does not fail any connection explains those that are shown as unknown.
        foreach (Failure problem in _problems)
        {
            if (_hasFailed)
            {
                report.Problem(problem);
            }
            else
            {
                report.Notice(Remedies.Describe(problem));
            }
        }
    }

    public void Completed(ReadOnlySpan<Result> results)
    {
        foreach (ref readonly Result result in results)
        {
            ref Connection connection = ref candidates[result.Index];
            connection.By = result.By;
            if (OutcomeInfo.Of(result.Outcome).Counted is not (Counted.Failed or Counted.Idle))
            {
                report.Completed(new ReadOnlySpan<Result>(in result));
            }
            else if (result.Outcome is not (Outcome.Pending or Outcome.OwnerUnknown))
            {
                connection.Outcome = result.Outcome;
                connection.Errno = (ushort)result.Errno;
                _hasFailed = true;
            }
        }
    }

    public void Signalled(SocketHolder process, int signal)
    {
    }

    public void Problem(Failure failure) => _problems.Add(failure);

    public void Incomplete(Failure failure) => report.Incomplete(failure);

    public void Unasked(UnaskedPeers peers) => report.Unasked(peers);

    public void Progress(Func<string> describe) => report.Progress(describe);

    public void Notice(string text) => report.Notice(text);

    /// <summary>The method could not go on, so the candidates that it had not reached could not be closed.</summary>
    private void Fail(Failure failure)
    {
        _problems.Add(failure);
        for (int i = 0; i < candidates.Count; i++)
        {
            if (candidates[i].IsPending)
            {
                candidates[i].Outcome = Outcome.Failed;
                candidates[i].Errno = (ushort)failure.Errno;
                _hasFailed = true;
            }
        }
    }
}

/// <summary>
/// Warns if connections that are to be closed have sent data lately: a connection that receives nothing may still be sending, as a download
/// server does.
/// </summary>
/// <param name="isService">Whether further rounds follow; if so, it warns only once.</param>
internal sealed class SendingWarning(bool isService, Action<Level, string> message)
{
    private bool _isReported;

    public void ReportIfAny(ConnectionList candidates)
    {
        int sending = 0;
        for (int i = 0; i < candidates.Count; i++)
        {
            sending += candidates[i].IsSending ? 1 : 0;
        }

        if (sending > 0 && !_isReported)
        {
            _isReported = isService;
            message(Level.Warning, (sending == 1 ? "1 connection has" : $"{sending} connections have") +
                $" sent data within the idle time: --idle-by both skips {(sending == 1 ? "it" : "them")}");
        }
    }
}
