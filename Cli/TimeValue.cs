namespace TcpCloser.Cli;

/// <summary>
/// A time as a number with an optional unit <c>ms</c>, <c>s</c>, <c>m</c>, <c>h</c> or <c>d</c>, rounded up to whole milliseconds.
/// </summary>
internal static class TimeValue
{
    /// <summary>The longest time that the kernel's 32-bit millisecond clocks can show: 49 days 17 hours.</summary>
    public static readonly TimeSpan KernelClock = TimeSpan.FromMilliseconds(uint.MaxValue);

    /// <summary>Parses a time.</summary>
    /// <param name="option">The option's name, for the error.</param>
    /// <param name="bareUnitMs">The unit of a number without a unit, in milliseconds: 1 or 1000.</param>
    /// <param name="max">The longest time allowed.</param>
    /// <exception cref="UsageException">The value is not a time, or it is too long.</exception>
    public static TimeSpan Parse(string option, string value, ulong bareUnitMs, TimeSpan max)
    {
        int unitAt = value.AsSpan().IndexOfAnyExceptInRange('.', '9');
        ReadOnlySpan<char> number = unitAt < 0 ? value : value.AsSpan(0, unitAt);
        ulong unitMs = (unitAt < 0 ? "" : value[unitAt..]) switch
        {
            "" => bareUnitMs,
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => throw new UsageException(option, value, Wanted(bareUnitMs)),
        };

        int dot = number.IndexOf('.');
        ReadOnlySpan<char> whole = dot < 0 ? number : number[..dot];
        ReadOnlySpan<char> decimals = dot < 0 ? "0" : number[(dot + 1)..];
        if (!AllDigits(whole) || !AllDigits(decimals))
        {
            throw new UsageException(option, value, Wanted(bareUnitMs));
        }

        // Anything that overflows is over the maximum anyway.
        ulong maxMs = (ulong)max.TotalMilliseconds;
        if (!Digits.TryParse(whole, maxMs, out ulong units) || units > maxMs / unitMs ||
            units * unitMs + FractionMs(decimals, unitMs) is var ms && ms > maxMs)
        {
            throw new UsageException(option, value, max == KernelClock
                ? "longer than the kernel's 32-bit clock, which ends at 49 days 17 hours (4294967295 ms)"
                : $"too long; the maximum is {max.Days} {(max.Days == 1 ? "day" : "days")}");
        }

        return TimeSpan.FromMilliseconds(ms);
    }

    private static string Wanted(ulong bareUnitMs) =>
        $"a TIME is one number with one unit, ms, s, m, h or d, such as 500ms, 90m or 1.5h; without a unit it is {(bareUnitMs == 1 ? "milli" : "")}seconds";

    private static bool AllDigits(ReadOnlySpan<char> text) => text.Length > 0 && !text.ContainsAnyExceptInRange('0', '9');

    /// <summary>The decimals of a number with that unit, in milliseconds, rounded up.</summary>
    private static ulong FractionMs(ReadOnlySpan<char> decimals, ulong unitMs)
    {
        const int Kept = 10;
        ulong fraction = 0;
        ulong scale = 1;
        for (int i = 0; i < Math.Min(decimals.Length, Kept); i++)
        {
            fraction = fraction * 10 + (ulong)(decimals[i] - '0');
            scale *= 10;
        }

        bool more = decimals.Length > Kept && decimals[Kept..].ContainsAnyExcept('0');
        ulong product = fraction * unitMs;
        return product / scale + (product % scale != 0 || more ? 1UL : 0);
    }
}
