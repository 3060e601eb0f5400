using System.Diagnostics;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;

namespace TcpCloser.Report;

/// <summary>Tells what a round does and counts it.</summary>
internal sealed class RoundReport(Log log, bool verbose) : IWitness
{
    private readonly long _started = Stopwatch.GetTimestamp();
    private List<TcpDetail> _details = [];
    private int _told;

    public Counts Counts { get; } = new();

    /// <summary>Whether all that failed did so because it is not possible here: no privilege, or the kernel lacks what is needed.</summary>
    public bool Hopeless { get; private set; }

    /// <summary>What was found.</summary>
    public void Found(Census census)
    {
        Counts.Matched = census.Matched;
        Counts.Idle = census.Doomed.Count;
        _details = census.DoomedDetails;
        for (int i = 0; i < census.LeftAlone.Count; i++)
        {
            ref Connection connection = ref census.LeftAlone[i];
            Line(Level.Debug, LeftAloneVerb(connection.Outcome), in connection).AddDetail(census.LeftAloneDetails[i]);
            log.End();
        }
    }

    public void Settled(ConnectionList connections, int start, int end)
    {
        for (int i = start; i < end; i++)
        {
            ref Connection connection = ref connections[i];
            Counts.Count(connection.Outcome);
            TextBuffer text = connection.Outcome switch
            {
                Outcome.Destroyed => Line(Level.Info, "destroyed "u8, in connection),
                Outcome.Killed => Line(Level.Info, "closed by kill "u8, in connection),
                Outcome.Vanished => Line(Level.Info, "vanished "u8, in connection),
                Outcome.NotReached => Line(Level.Warning, "not reached "u8, in connection),
                Outcome.Busy => Line(Level.Info, "left alone: busy again "u8, in connection),
                _ => Line(Level.Error, "failed "u8, in connection).Add(" reason=\""u8).Add(Reason(in connection)).Add("\""u8),
            };
            if (verbose)
            {
                text.AddDetail(_details[i]);
            }

            log.End();
        }

        _told = end;
        log.Flush();
    }

    public void Signalled(SocketHolder process, int signal)
    {
        log.Begin(Level.Info).Add("sent "u8).Add(Signal.NameOf(signal)).Add(" to pid="u8).Add((ulong)process.Pid)
            .Add(" comm="u8).AddForeign(process.Comm).Add(" connections="u8).Add((ulong)process.Sockets.Count);
        log.End();
    }

    public void Hindered(string why, bool hopeless)
    {
        Hopeless |= hopeless;
        log.Write(Level.Error, why);
    }

    /// <summary>The run was broken off by that signal; 0: it was not.</summary>
    public void BrokenOff(int signal)
    {
        if (signal != 0 && Counts.NotReached > 0)
        {
            log.Write(Level.Warning, $"broken off by {Signal.NameOf(signal)}: {Counts.NotReached} idle connections were not reached");
        }
    }

    /// <summary>The round could not go on. Returns whether it is not possible here at all and nothing was closed.</summary>
    public bool Broke(SystemCallException e, ConnectionList doomed)
    {
        for (int i = _told; i < doomed.Count; i++)
        {
            if (doomed[i].Outcome == Outcome.Idle)
            {
                doomed[i].Outcome = Outcome.Failed;
                doomed[i].FailedErrno = (byte)e.Errno;
            }
        }

        Settled(doomed, _told, doomed.Count);
        log.Write(Level.Error, e.Message + Remedy(e));
        return Counts.Closed == 0 && e.Errno is (Errno.EPERM or Errno.EACCES or Errno.ENOENT or Errno.ESRCH or Errno.EINVAL
            or Errno.EOPNOTSUPP or Errno.EPROTONOSUPPORT or Errno.EAFNOSUPPORT or Errno.ENOSYS);
    }

    /// <summary>The line that every run ends with.</summary>
    public void WriteSummary()
    {
        Counts.Write(log.Begin(Level.Info).Add("summary "u8))
            .Add(" time="u8).Add((ulong)Stopwatch.GetElapsedTime(_started).TotalMilliseconds).Add("ms"u8);
        log.End();
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

    private static string Remedy(SystemCallException e) => e.Errno switch
    {
        Errno.ENOENT or Errno.EOPNOTSUPP or Errno.EPROTONOSUPPORT when e.Operation == SocketDump.Operation =>
            "; this kernel has no tcp_diag: load it with 'modprobe tcp_diag', or use one with CONFIG_INET_DIAG",
        Errno.EPERM or Errno.EACCES => "; run as root",
        _ => "",
    };

    private static ReadOnlySpan<byte> LeftAloneVerb(Outcome outcome) => outcome switch
    {
        Outcome.Busy => "left alone: not idle long enough "u8,
        Outcome.BeyondLimit => "left alone: idle beyond --last-recv-limit "u8,
        _ => "left alone: no usable clock "u8,
    };

    private static string Reason(ref readonly Connection connection) => connection.Outcome switch
    {
        Outcome.NoOwner => "no process found that holds it",
        Outcome.OwnerProtected => "held only by processes that are never signalled: process 1, kernel threads, tcp-closer and its ancestors",
        Outcome.StillThere => "its processes were signalled, and it is still there",
        _ => Errno.Describe(connection.FailedErrno),
    };

    private TextBuffer Line(Level level, ReadOnlySpan<byte> verb, ref readonly Connection connection) =>
        log.Begin(level).Add(verb).AddEnds(in connection).AddFacts(in connection);
}
