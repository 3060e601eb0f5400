namespace TcpCloser.Cli;

/// <summary>TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT (tcp(7)): the times in seconds.</summary>
internal readonly struct KeepaliveTimes(int idle, int interval, int count)
{
    /// <summary>MAX_TCP_KEEPIDLE and MAX_TCP_KEEPINTVL (net/tcp.h), in seconds.</summary>
    private const int LongestSeconds = 32767;

    /// <summary>MAX_TCP_KEEPCNT.</summary>
    private const int MostProbes = 127;

    private const string Wanted = "IDLE[,INTERVAL[,COUNT]], such as 60s,10s,6: whole seconds from 1s to 32767s, and 1 to 127 probes";

    /// <summary>Where none are named.</summary>
    public static KeepaliveTimes Default { get; } = new(60, 10, 6);

    public int Idle { get; } = idle;

    public int Interval { get; } = interval;

    public int Count { get; } = count;

    /// <summary>How long a silent peer is taken for alive.</summary>
    public TimeSpan Longest => TimeSpan.FromSeconds(Idle + (long)Interval * Count);

    /// <exception cref="UsageException">The value is none of these.</exception>
    public static KeepaliveTimes Parse(string option, string value)
    {
        string[] parts = value.Split(',');
        ulong count = (ulong)Default.Count;
        if (parts.Length > 3 || (parts.Length == 3 && !(Digits.TryParse(parts[2], MostProbes, out count) && count > 0)))
        {
            throw new UsageException(option, value, Wanted);
        }

        return new KeepaliveTimes(Seconds(option, value, parts[0]), parts.Length > 1 ? Seconds(option, value, parts[1]) : Default.Interval, (int)count);
    }

    public override string ToString() => $"{Idle}s,{Interval}s,{Count}";

    private static int Seconds(string option, string value, string part)
    {
        TimeSpan time = TimeValue.Parse(option, part, 1, TimeValue.KernelClock);
        return time.Ticks % TimeSpan.TicksPerSecond == 0 && time.TotalSeconds is >= 1 and <= LongestSeconds
            ? (int)time.TotalSeconds
            : throw new UsageException(option, value, Wanted);
    }
}
