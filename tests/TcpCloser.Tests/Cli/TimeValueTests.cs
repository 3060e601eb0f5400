using System.Globalization;
using System.Numerics;
using CsCheck;
using TcpCloser.Cli;

namespace TcpCloser.Tests.Cli;

/// <summary>Times with a unit, rounded up to whole milliseconds.</summary>
public sealed class TimeValueTests
{
    private static readonly (string Name, long Milliseconds)[] s_units =
        [("", 1), ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

    [Theory]
    [Rows("0 | 0", "60 | 60", "60ms | 60", "007 | 7", "2s | 2000", "1.5s | 1500", "1.5m | 90000", "1.5h | 5400000", "0.5d | 43200000",
        "0.1 | 1", "0.0001s | 1", "1.0000 | 1", "1.0001 | 2", "0.00000000000000000001 | 1", "1.00000000000000000000000001s | 1001",
        "4294967295 | 4294967295", "4294967.295s | 4294967295", "4294967294.000000000000001ms | 4294967295")]
    [InlineData("49d", 49 * 86_400_000L)]
    [InlineData("1193h", 1193 * 3_600_000L)]
    public void Parse_NumberAndUnit_IsInMilliseconds(string text, long milliseconds) => Assert.Equal(milliseconds, Parse(text));

    [Theory]
    [Values("4294967296", "4294967295.0000000000000000001", "4294967.2951s", "1194h")]
    public void Parse_AboveTheKernelsClock_IsRefused(string text) =>
        Assert.Contains("49 days 17 h", Refused(text), StringComparison.Ordinal);

    [Theory]
    [Rows("60 | 60000", "0.0005 | 1", "1ms | 1")]
    [InlineData("3650d", 3650 * 86_400_000L)]
    public void Parse_NumberWithoutUnit_HasTheDefaultUnit(string text, long milliseconds) =>
        Assert.Equal(milliseconds, (long)TimeValue.Parse("-i", text, 1_000, TimeSpan.FromDays(3650)).TotalMilliseconds);

    [Fact]
    public void Parse_RandomTime_RoundsUpToTheNextMillisecond() => Gen.Select(
        Gen.Long[0, 5_000_000_000], Gen.String[Gen.Char["0123456789"], 0, 25], Gen.OneOf(s_units),
        static (whole, decimals, unit) => (whole, decimals, unit)).Sample(static time =>
    {
        string text = time.whole.ToString(CultureInfo.InvariantCulture) + (time.decimals.Length > 0 ? "." + time.decimals : "") + time.unit.Name;
        BigInteger scale = BigInteger.Pow(10, time.decimals.Length);
        BigInteger scaled = BigInteger.Parse("0" + time.whole + time.decimals, CultureInfo.InvariantCulture) * time.unit.Milliseconds;
        BigInteger expected = (scaled + scale - 1) / scale;
        if (expected <= uint.MaxValue)
        {
            Assert.Equal((long)expected, Parse(text));
        }
        else
        {
            Refused(text);
        }
    }, iter: 50_000);

    private static long Parse(string text) => (long)TimeValue.Parse("-t", text, 1, TimeValue.KernelClock).TotalMilliseconds;

    private static string Refused(string text) =>
        Assert.Throws<UsageException>(() => TimeValue.Parse("-t", text, 1, TimeValue.KernelClock)).Message;
}
