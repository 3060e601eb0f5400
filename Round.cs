using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Report;

namespace TcpCloser;

/// <summary>One pass: ask the kernel, keep what is idle, close it, tell. Everything asked for is held before the first connection is closed.</summary>
internal sealed class Round
{
    private static readonly Func<INetlinkSocket> s_openSocket = static () => new NetlinkSocket();

    private readonly Options _options;
    private readonly Log _log;
    private readonly SocketDump _dump = new(s_openSocket);
    private readonly Selection _selection;
    private readonly Census _census;
    private readonly IConnectionCloser _closer;

    public Round(Options options, Log log)
    {
        _options = options;
        _log = log;
        _selection = new Selection(options);
        var idleRule = new IdleRule(options);
        _census = new Census(_selection, idleRule, options.Verbose);
        _closer = options.Method switch
        {
#if !NO_SOCK_DESTROY
            Method.Destroy => new SockDestroyer(s_openSocket),
#endif
            _ => new ProcessKiller(s_openSocket, idleRule, options.Signal),
        };
    }

    /// <summary>Runs it and writes everything but the summary.</summary>
    /// <param name="report">Hears of it.</param>
    /// <param name="signals">What asks to stop; null: is set up where there is something to close.</param>
    /// <returns>The exit status.</returns>
    public int Run(RoundReport report, SignalWatch? signals)
    {
        try
        {
            byte[] bytecode = _dump.Run(_selection, _census);
            if (_options.Verbose)
            {
                report.Filter(bytecode, _dump.Interrupted);
            }

            report.Found(_census);
            if (_census.Doomed.Count == 0)
            {
                return ExitStatus.Done;
            }

            if (_options.DryRun)
            {
                return Show();
            }

            using SignalWatch? own = signals is null ? new SignalWatch(_options.LogFile is null ? null : _log.Reopen) : null;
            SignalWatch watch = signals ?? own!;
            _closer.Close(_census.Doomed, report, watch.StopRequested);
            report.BrokenOff(watch.StopSignal);
        }
        catch (SystemCallException e)
        {
            return report.Broke(e, _census.Doomed) ? ExitStatus.NotPossible : ExitStatus.Incomplete;
        }

        return report.Counts.Failed + report.Counts.NotReached == 0 ? ExitStatus.Done
            : report.Hopeless && report.Counts.Closed == 0 ? ExitStatus.NotPossible
            : ExitStatus.Incomplete;
    }

    private int Show()
    {
        KillForecast? forecast = _options.Method == Method.Kill ? new KillForecast(s_openSocket, _census.Doomed) : null;
        int errno = new DryRunTable().Print(_census.Doomed, (text, i) =>
        {
            text.Add(RunText.MethodName(_options.Method));
            if (forecast is not null)
            {
                text.AddForecast(forecast, i);
            }
        });
        if (errno != 0)
        {
            _log.Write(Level.Error, "writing the table to stdout: " + Errno.Describe(errno));
        }

        return errno == 0 ? ExitStatus.Done : ExitStatus.Incomplete;
    }
}
