using TcpCloser.Interop;

namespace TcpCloser.Cli;

/// <summary>The options while they are read, one by one in the order given; then what must hold of them together.</summary>
internal sealed class OptionsDraft
{
    /// <summary>Longer waits than this are typing errors.</summary>
    private static readonly TimeSpan s_longestInterval = TimeSpan.FromDays(3650);

    private static readonly TimeSpan s_longestGrace = TimeSpan.FromDays(1);

    private readonly List<PortRange> _sourcePorts = [];
    private readonly List<PortRange> _destinationPorts = [];
    private readonly List<AddressPrefix> _sources = [];
    private readonly List<AddressPrefix> _destinations = [];
    private readonly List<AddressPrefix> _notSources = [];
    private readonly List<AddressPrefix> _notDestinations = [];
    private readonly List<uint> _uids = [];
    private readonly List<int> _pids = [];
    private readonly List<string> _comms = [];
    private readonly List<string> _interfaces = [];
    private readonly List<SocketMark> _marks = [];
    private readonly List<string> _cgroups = [];
    private readonly List<string> _netns = [];
    private Options _options = new();
    private Families _families;
    private uint _states;
    private int _signal;

    public void SetFlag(string option)
    {
        switch (option)
        {
            case "-4":
                _families |= Families.IPv4;
                break;
            case "-6":
                _families |= Families.IPv6;
                break;
            case "--all-netns":
                _options = _options with { AllNetns = true };
                break;
            case "-n" or "--dry-run":
                _options = _options with { DryRun = true };
                break;
            case "--include-own-session":
                _options = _options with { IncludeOwnSession = true };
                break;
            case "--check":
                _options = _options with { Check = true };
                break;
            case "-v" or "--verbose":
                _options = _options with { Verbose = true };
                break;
            case "--json":
                _options = _options with { Json = true };
                break;
            case "--use-proc" or "--use_proc":
                _options = _options with { Method = Method.Kill };
                break;
            case "--disable-syslog" or "--disable_syslog":
                _options = _options with { Syslog = false };
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(option), option, "declared, but not handled");
        }
    }

    public void SetValue(string option, string value)
    {
        switch (option)
        {
            case "-s" or "--sport":
                PortList.Parse(option, value, _sourcePorts);
                break;
            case "-d" or "--dport":
                PortList.Parse(option, value, _destinationPorts);
                break;
            case "--src":
                AddressPrefix.ParseList(option, value, _sources);
                break;
            case "--dst":
                AddressPrefix.ParseList(option, value, _destinations);
                break;
            case "--not-src":
                AddressPrefix.ParseList(option, value, _notSources);
                break;
            case "--not-dst":
                AddressPrefix.ParseList(option, value, _notDestinations);
                break;
            case "--state":
                _states |= StateList.Parse(option, value);
                break;
            case "--uid":
                _uids.Add(SingleValue.Uid(option, value));
                break;
            case "--pid":
                _pids.Add(SingleValue.Pid(option, value));
                break;
            case "--comm":
                _comms.Add(SingleValue.Comm(option, value));
                break;
            case "--interface":
                _interfaces.Add(SingleValue.Device(option, value));
                break;
            case "--mark":
                _marks.Add(SocketMark.Parse(option, value));
                break;
            case "--cgroup":
                _cgroups.Add(SingleValue.Path(option, value));
                break;
            case "--netns":
                _netns.Add(SingleValue.Netns(option, value));
                break;
            case "-t" or "--idle-time" or "--idle_time":
                _options = _options with { IdleTime = TimeValue.Parse(option, value, 1, TimeValue.KernelClock) };
                break;
            case "--last-recv-limit" or "--last_recv_limit":
                _options = _options with { LastRecvLimit = TimeValue.Parse(option, value, 1, TimeValue.KernelClock) };
                break;
            case "--no-ack-for":
                _options = _options with { NoAckFor = TimeValue.Parse(option, value, 1, TimeValue.KernelClock) };
                break;
            case "--idle-by":
                _options = _options with { IdleBy = SingleValue.IdleBy(option, value) };
                break;
            case "--method":
                _options = _options with { Method = SingleValue.Method(option, value) };
                break;
            case "--signal":
                _signal = SingleValue.Signal(option, value);
                break;
            case "--grace":
                _options = _options with { Grace = TimeValue.Parse(option, value, 1, s_longestGrace) };
                break;
            case "--max":
                _options = _options with { Max = SingleValue.Max(option, value) };
                break;
            case "-i" or "--interval":
                TimeSpan interval = TimeValue.Parse(option, value, 1_000, s_longestInterval);
                _options = _options with
                {
                    Interval = interval > TimeSpan.Zero
                        ? interval
                        : throw new UsageException(option, value, "an interval is longer than 0, such as 30s or 5m"),
                };
                break;
            case "-f" or "--logfile":
                _options = _options with { LogFile = SingleValue.Path(option, value) };
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(option), option, "declared, but not handled");
        }
    }

    /// <summary>What the options say together.</summary>
    /// <exception cref="UsageException">They contradict each other, or select nothing.</exception>
    public Options Finish()
    {
        var options = _options with
        {
            SourcePorts = _sourcePorts,
            DestinationPorts = _destinationPorts,
            Sources = _sources,
            Destinations = _destinations,
            NotSources = _notSources,
            NotDestinations = _notDestinations,
            States = _states == 0 ? _options.States : _states,
            Uids = [.. _uids],
            Pids = [.. _pids],
            Comms = _comms,
            Interfaces = _interfaces,
            Marks = _marks,
            Cgroups = _cgroups,
            Netns = _netns,
            Signal = _signal > 0 ? _signal : _options.Grace is null ? Signal.SIGKILL : Signal.SIGTERM,
        };
        options = options with { Families = FamilyChoice.Decide(_families, options) };
        if (!options.Selects && !options.Check)
        {
            throw new UsageException("nothing selected: give at least one port by -s/--sport or -d/--dport, " +
                "or an address, an owner, an interface, a mark or a cgroup");
        }

        if (options.LastRecvLimit > TimeSpan.Zero && options.IdleTime >= options.LastRecvLimit)
        {
            throw new UsageException(
                $"-t/--idle-time {(long)options.IdleTime.TotalMilliseconds} ms: must be below --last-recv-limit " +
                $"({(long)options.LastRecvLimit.TotalMilliseconds} ms), or nothing can ever be closed");
        }

        if (options.Method != Method.Kill && (_signal > 0 || options.Grace is not null))
        {
            throw new UsageException($"{(_signal > 0 ? "--signal" : "--grace")}: belongs to --method kill (--use-proc); " +
                "the other methods send no signal");
        }

        return options;
    }
}
