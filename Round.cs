using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Report;

namespace TcpCloser;

/// <summary>One pass: ask the kernel, keep what is idle, close it, tell. Everything asked for is held before the first connection is closed.</summary>
internal sealed class Round
{
    private readonly Options _options;
    private readonly Log _log;
    private readonly JsonRecords? _records;
    private readonly SocketDump _dump = new();
    private readonly Selection _selection;
    private readonly Survey _survey;
    private readonly NamespaceFinder _namespaces;
    private readonly IConnectionCloser _closer;

    public Round(Options options, Log log, JsonRecords? records)
    {
        _options = options;
        _log = log;
        _records = records;
        _selection = new Selection(options);
        _namespaces = new NamespaceFinder(options);
        var idleRule = new IdleRule(options);
        _survey = new Survey(_selection, idleRule, _dump,
            keepLeftAlone: options.Verbose || (options.Json && options.Interval is null), keepDetails: options.Verbose || options.Json);
        _closer = options.Method switch
        {
            Method.Kill => new ProcessKiller(idleRule, options.Signal, options.Grace),
#if !NO_SOCK_DESTROY
            Method.Auto => new AutoCloser(new SockDestroyer(ladder: true), new SocketDisconnector(_dump)),
            Method.Destroy => new SockDestroyer(ladder: false),
#endif
            _ => new SocketDisconnector(_dump),
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
            _namespaces.Find();
            return Pass(report, signals);
        }
        catch (SystemCallException e)
        {
            report.Broke(e, _survey.Census.Doomed);
            return Status(report);
        }
        finally
        {
            _namespaces.Close();
        }
    }

    private int Pass(RoundReport report, SignalWatch? signals)
    {
        _survey.Clear();
        ResolveOwners(report);
        _selection.CgroupIds = Cgroups(report);
        foreach (string missing in _namespaces.Missing)
        {
            report.Missing(missing);
        }

        if (_namespaces.Unreadable > 0)
        {
            report.Missing($"--all-netns: {_namespaces.Unreadable} namespaces of processes or in /run could not be looked at; run as root");
        }

        foreach (NetworkNamespace network in _namespaces.Found)
        {
            Look(network, report);
        }

        ConnectionList doomed = _survey.Census.Doomed;
        report.Counts.Matched = _survey.Census.Matched;
        report.LeftAlone(_survey.Census.LeftAlone);
        Spare(doomed, report);
        if (_options.DryRun)
        {
            Show(doomed, report);
        }

        if (_options.Max is { } max && doomed.Count > max)
        {
            report.Refused(max);
            return ExitStatus.Refused;
        }

        if (doomed.Count > 0 && !_options.DryRun)
        {
            using SignalWatch? own = signals is null ? new SignalWatch(_options.LogFile is null ? null : _log.Reopen) : null;
            SignalWatch watch = signals ?? own!;
            _closer.Close(doomed, report, watch.StopRequested);
            report.BrokenOff(watch.StopSignal);
            if (watch.StopSignal != 0)
            {
                return ExitStatus.Incomplete;
            }
        }

        return Status(report);
    }

    private static int Status(RoundReport report) =>
        report.Hopeless && report.Counts.Closed == 0 ? ExitStatus.NotPossible
        : report.Counts.Failed + report.Counts.NotReached > 0 || report.Incomplete || report.Hopeless ? ExitStatus.Incomplete
        : ExitStatus.Done;

    /// <summary>Adds one namespace to the census. One that fails is told, and the others go on.</summary>
    private void Look(NetworkNamespace network, RoundReport report)
    {
        try
        {
            if (_options.Interfaces.Count > 0)
            {
                _selection.Interfaces = Devices(network, report);
            }

            _survey.Look(network);
            if (_selection.IsUndecided)
            {
                report.Hindered("this kernel neither filters by mark or cgroup nor tells those of its sockets, so nothing of them " +
                    "matches; --cgroup needs Linux 5.9", hopeless: true);
            }

            if (_options.Verbose)
            {
                foreach ((byte[] bytecode, bool interrupted) in _survey.Walks)
                {
                    report.Filter(bytecode, interrupted);
                }
            }
        }
        catch (SystemCallException e)
        {
            if (network.Name is null)
            {
                throw;
            }

            report.Missing($"netns {Escape.Text(network.Name)}: {e.Message}{RoundReport.Remedy(e)}");
        }
    }

    private List<uint> Devices(NetworkNamespace network, RoundReport report)
    {
        var indexes = new List<uint>();
        foreach (string device in _options.Interfaces)
        {
            uint index = network.DeviceIndex(device);
            if (index != 0)
            {
                indexes.Add(index);
            }
            else
            {
                report.Warn($"no device {Escape.Text(device)}{(network.Name is null ? "" : $" in netns {Escape.Text(network.Name)}")}, " +
                    "so nothing of it matches");
            }
        }

        return indexes;
    }

    private void ResolveOwners(RoundReport report)
    {
        if (!_options.NamesProcesses)
        {
            return;
        }

        using var proc = new ProcDirectory();
        ProcessInodes owned = ProcessInodes.OfNamed(proc, _options.Pids, _options.Comms);
        _selection.OwnedInodes = owned.Inodes;
        if (owned.Processes == 0)
        {
            report.Warn("no process has the id or the name that is asked for, so nothing matches");
        }

        if (owned.Unreadable > 0)
        {
            report.Hindered($"the sockets of {owned.Unreadable} of the processes asked for could not be looked at: " +
                "CAP_SYS_PTRACE is missing; run as root", hopeless: !_options.DryRun);
        }
    }

    /// <summary>The ids that the cgroups have now; null: none were named.</summary>
    private List<ulong>? Cgroups(RoundReport report)
    {
        if (_options.Cgroups.Count == 0)
        {
            return null;
        }

        var ids = new List<ulong>();
        foreach (string path in _options.Cgroups)
        {
            ulong id = Stat.Inode(Fcntl.AT_FDCWD, System.Text.Encoding.UTF8.GetBytes(path + '\0'));
            if (id != 0)
            {
                ids.Add(id);
            }
            else
            {
                report.Warn($"no cgroup {Escape.Text(path)} now, so nothing of it matches");
            }
        }

        return ids;
    }

    /// <summary>Takes out what is not to be closed after all: subflows of busy MPTCP connections, the own session.</summary>
    private void Spare(ConnectionList doomed, RoundReport report)
    {
        if (doomed.Count == 0)
        {
            return;
        }

        if (_options.Method is Method.Auto or Method.Disconnect)
        {
            MptcpTable.Resolve(_dump, doomed);
            report.Settled(doomed, 0, doomed.Count);
            doomed.KeepIdle();
        }

        report.Counts.Idle = doomed.Count;
        if (!_options.IncludeOwnSession)
        {
            OwnSession.Spare(doomed);
        }

        report.Settled(doomed, 0, doomed.Count);
        doomed.KeepIdle();
    }

    private void Show(ConnectionList doomed, RoundReport report)
    {
        KillForecast? forecast = _options.Method == Method.Kill && doomed.Count > 0 ? new KillForecast(_dump, doomed) : null;
        int errno = 0;
        if (_records is not null)
        {
            for (int i = 0; i < doomed.Count; i++)
            {
                _records.Connection(doomed, i, forecast);
            }

            _records.Flush();
        }
        else
        {
            errno = new DryRunTable(_options.NamesNamespaces).Print(doomed, (text, i) =>
            {
                text.Add(RunText.MethodName(_options.Method));
                if (forecast is not null)
                {
                    text.AddForecast(forecast, i);
                }
            });
        }

        if (errno != 0)
        {
            report.Missing("writing the table to stdout: " + Errno.Describe(errno));
        }
    }
}
