using System.Globalization;
using System.Numerics;
using CsCheck;
using TcpCloser.Cli;

namespace TcpCloser.Tests.Cli;

/// <summary>Times and their units, rounded up to whole milliseconds.</summary>
public sealed class TimeValueTests
{
    private static readonly (string Name, long Milliseconds)[] s_units =
        [("", 1), ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

    [Theory]
    [InlineData("0", 0)]
    [InlineData("60", 60)]
    [InlineData("60ms", 60)]
    [InlineData("007", 7)]
    [InlineData("2s", 2_000)]
    [InlineData("1.5s", 1_500)]
    [InlineData("1.5m", 90_000)]
    [InlineData("1.5h", 5_400_000)]
    [InlineData("0.5d", 43_200_000)]
    [InlineData("0.1", 1)]
    [InlineData("0.0001s", 1)]
    [InlineData("1.0000", 1)]
    [InlineData("1.0001", 2)]
    [InlineData("0.00000000000000000001", 1)]
    [InlineData("1.00000000000000000000000001s", 1_001)]
    [InlineData("4294967295", 4_294_967_295)]
    [InlineData("4294967.295s", 4_294_967_295)]
    [InlineData("4294967294.000000000000001ms", 4_294_967_295)]
    [InlineData("49d", 49 * 86_400_000L)]
    [InlineData("1193h", 1193 * 3_600_000L)]
    public void Of(string text, long milliseconds) => Assert.Equal(milliseconds, Parse(text));

    [Theory]
    [InlineData("4294967296")]
    [InlineData("4294967295.0000000000000000001")]
    [InlineData("4294967.2951s")]
    [InlineData("1194h")]
    public void BeyondTheKernelsClock(string text) => Assert.Contains("49 days 17 h", Refused(text), StringComparison.Ordinal);

    [Theory]
    [InlineData("60", 60_000)]
    [InlineData("0.0005", 1)]
    [InlineData("1ms", 1)]
    [InlineData("3650d", 3650 * 86_400_000L)]
    public void BareSeconds(string text, long milliseconds) =>
        Assert.Equal(milliseconds, (long)TimeValue.Parse("-i", text, 1_000, TimeSpan.FromDays(3650)).TotalMilliseconds);

    [Fact]
    public void EveryTimeIsRoundedUpToTheNextMillisecond() => Gen.Select(
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
