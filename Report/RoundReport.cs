using System.Diagnostics;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;

namespace TcpCloser.Report;

/// <summary>Tells what a round does and counts it.</summary>
/// <param name="log">Where lines go.</param>
/// <param name="verbose">Whether also what was left alone is told, and more of each.</param>
/// <param name="records">Where records go; null: nowhere.</param>
internal sealed class RoundReport(Log log, bool verbose, JsonRecords? records) : IWitness
{
    private long _started = Stopwatch.GetTimestamp();

    public Counts Counts { get; } = new();

    /// <summary>Whether what failed did so because it is not possible here: no privilege, or the kernel lacks what is needed.</summary>
    public bool Hopeless { get; private set; }

    /// <summary>Whether something that was named could not be looked at.</summary>
    public bool Incomplete { get; private set; }

    private TimeSpan Elapsed => Stopwatch.GetElapsedTime(_started);

    /// <summary>Another round; a service keeps one report for all, so that a quiet round allocates next to nothing.</summary>
    public void Begin()
    {
        _started = Stopwatch.GetTimestamp();
        Counts.Clear();
        Hopeless = false;
        Incomplete = false;
    }

    /// <summary>The connections that matched and were left alone; a round that nobody wants to hear of has kept none.</summary>
    public void LeftAlone(ConnectionList connections)
    {
        DateTime now = DateTime.UtcNow;
        for (int i = 0; i < connections.Count; i++)
        {
            Tell(connections, i, now);
        }
    }

    /// <summary>Something named that cannot be looked at; the rest goes on.</summary>
    public void Missing(string what)
    {
        Incomplete = true;
        log.Write(Level.Error, what);
    }

    public void Warn(string what) => log.Write(Level.Warning, what);

    public void Settled(ConnectionList connections, int start, int end)
    {
        DateTime now = DateTime.UtcNow;
        for (int i = start; i < end; i++)
        {
            if (connections[i].Outcome != Outcome.Idle)
            {
                Tell(connections, i, now);
            }
        }

        if (start < end)
        {
            log.Flush();
        }
    }

    public void Signalled(SocketHolder process, int signal)
    {
        log.Begin(Level.Info).Add("sent "u8).Add(Signal.NameOf(signal)).Add(" to pid="u8).Add((ulong)process.Pid)
            .Add(" comm="u8).AddForeign(process.Comm).Add(" connections="u8).Add((ulong)process.Sockets.Count);
        log.End();
        log.Flush();
        records?.Signalled(process, signal);
    }

    public void Hindered(string why, bool hopeless)
    {
        Hopeless |= hopeless;
        log.Write(Level.Error, why);
    }

    /// <summary>More would be closed than <c>--max</c> allows.</summary>
    public void Refused(int max) =>
        log.Write(Level.Error, $"refused: {Counts.Idle - Counts.Spared} connections would be closed, more than --max {max}; nothing was closed");

    /// <summary>The run was broken off by that signal; 0: it was not.</summary>
    public void BrokenOff(int signal)
    {
        if (signal != 0)
        {
            log.Write(Level.Warning, $"broken off by {Signal.NameOf(signal)}: {Counts.NotReached} idle connections were not reached");
        }
    }

    /// <summary>The round could not go on. What was not told yet could not be closed.</summary>
    public void Broke(SystemCallException e, ConnectionList doomed)
    {
        DateTime now = DateTime.UtcNow;
        for (int i = 0; i < doomed.Count; i++)
        {
            if (doomed[i].Outcome == Outcome.Idle)
            {
                doomed[i].Outcome = Outcome.Failed;
                doomed[i].FailedErrno = (byte)e.Errno;
                Tell(doomed, i, now);
            }
        }

        log.Write(Level.Error, e.Message + Remedy(e));
        Incomplete = true;
        Hopeless |= e.Errno is Errno.EPERM or Errno.EACCES or Errno.ENOENT or Errno.ESRCH or Errno.EINVAL or Errno.EOPNOTSUPP
            or Errno.EPROTONOSUPPORT or Errno.EAFNOSUPPORT or Errno.ENOSYS;
    }

    /// <summary>The line that every run ends with.</summary>
    public void WriteSummary()
    {
        Counts.Write(log.Begin(Level.Info).Add("summary "u8)).Add(" time="u8).Add((ulong)Elapsed.TotalMilliseconds).Add("ms"u8);
        log.End();
        log.Flush();
        records?.Summary("summary"u8, Counts, rounds: null, Elapsed);
        records?.Flush();
    }

    /// <summary>The filter that the kernel ran.</summary>
    public void Filter(byte[] bytecode, bool interrupted)
    {
        if (interrupted)
        {
            log.Write(Level.Debug, "the kernel's table changed while it was listed: connections may be missing in this round");
        }

        log.Write(Level.Debug, $"filter of {bytecode.Length} bytes");
        foreach (string line in Disassembler.Lines(bytecode))
        {
            log.Write(Level.Debug, "filter " + line);
        }
    }

    /// <summary>What to do about an operation that failed.</summary>
    public static string Remedy(SystemCallException e) => e.Errno switch
    {
        Errno.EPERM when e.Operation == SocketDump.MarkOperation => "; CAP_NET_ADMIN is missing, and marks are hidden without it; run as root",
        Errno.ENOENT or Errno.EOPNOTSUPP or Errno.EPROTONOSUPPORT when e.Operation == SocketDump.Operation =>
            "; this kernel has no tcp_diag: load it with 'modprobe tcp_diag', or use one with CONFIG_INET_DIAG",
        Errno.EPERM or Errno.EACCES => "; run as root",
        _ => "",
    };

    private void Tell(ConnectionList connections, int i, DateTime now)
    {
        ref Connection connection = ref connections[i];
        Counts.Count(connection.Outcome);
        records?.Connection(connections, i, forecast: null);
        Level level = OutcomeText.LevelOf(connection.Outcome);
        if (level == Level.Debug && !verbose)
        {
            return;
        }

        TextBuffer text = log.Begin(level, now).Add(OutcomeText.Verb(connection.Outcome)).AddEnds(connections, i).AddFacts(connections, i);
        if (OutcomeText.Reason(in connection) is { } reason)
        {
            text.Add(" reason=\""u8).Add(reason).Add("\""u8);
        }

        if (verbose && connections.Details.Count > 0)
        {
            text.AddDetail(connections.Details[i]);
        }

        log.End();
    }
}
