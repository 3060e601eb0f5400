namespace TcpCloser.Cli;

/// <summary>The options while they are read, one by one in the order given; then what must hold of them together.</summary>
internal sealed class OptionsDraft
{
    /// <summary>Longer waits than this are typing errors.</summary>
    private static readonly TimeSpan LongestInterval = TimeSpan.FromDays(3650);

    private readonly List<PortRange> _sourcePorts = [];
    private readonly List<PortRange> _destinationPorts = [];
    private Options _options = new();
    private Families _families;
    private uint _states;
    private bool _signalGiven;

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
            case "-n" or "--dry-run":
                _options = _options with { DryRun = true };
                break;
            case "-v" or "--verbose":
                _options = _options with { Verbose = true };
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
            case "--state":
                _states |= StateList.Parse(option, value);
                break;
            case "-t" or "--idle-time" or "--idle_time":
                _options = _options with { IdleTime = TimeValue.Parse(option, value, 1, TimeValue.KernelClock) };
                break;
            case "--last-recv-limit" or "--last_recv_limit":
                _options = _options with { LastRecvLimit = TimeValue.Parse(option, value, 1, TimeValue.KernelClock) };
                break;
            case "-i" or "--interval":
                _options = _options with { Interval = Interval(option, value) };
                break;
            case "-f" or "--logfile":
                _options = _options with
                {
                    LogFile = value.Length > 0 ? value : throw new UsageException(option, value, "the path of a file to append to"),
                };
                break;
            case "--signal":
                _options = _options with { Signal = SignalNumber(option, value) };
                _signalGiven = true;
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(option), option, "declared, but not handled");
        }
    }

    /// <summary>What the options say together.</summary>
    /// <exception cref="UsageException">They contradict each other, or select nothing.</exception>
    public Options Finish()
    {
        Options options = _options with
        {
            Families = _families == 0 ? Families.IPv4 : _families,
            SourcePorts = _sourcePorts,
            DestinationPorts = _destinationPorts,
            States = _states == 0 ? _options.States : _states,
        };
        if (_sourcePorts.Count == 0 && _destinationPorts.Count == 0)
        {
            throw new UsageException("nothing selected: give at least one port by -s/--sport or -d/--dport");
        }

        if (options.LastRecvLimit > TimeSpan.Zero && options.IdleTime >= options.LastRecvLimit)
        {
            throw new UsageException(
                $"-t/--idle-time {options.IdleTime.TotalMilliseconds} ms: must be below --last-recv-limit " +
                $"({options.LastRecvLimit.TotalMilliseconds} ms), or nothing can ever be closed");
        }

        if (_signalGiven && options.Method != Method.Kill)
        {
            throw new UsageException("--signal: belongs to --use-proc; the other methods send no signal");
        }

        return options;
    }

    private static TimeSpan Interval(string option, string value)
    {
        TimeSpan interval = TimeValue.Parse(option, value, 1_000, LongestInterval);
        return interval > TimeSpan.Zero ? interval : throw new UsageException(option, value, "an interval is longer than 0, such as 30s or 5m");
    }

    private static int SignalNumber(string option, string value)
    {
        int number = Digits.TryParse(value, Interop.Signal.Highest, out ulong digits) ? (int)digits : Interop.Signal.NumberOf(value);
        return number > 0 ? number : throw new UsageException(option, value, "a signal is a name such as TERM or SIGTERM, or a number from 1 to 64");
    }
}
