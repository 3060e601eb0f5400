using CsCheck;
using TcpCloser.Cli;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Cli;

/// <summary>No command line whatever makes the parser throw anything but a usage error of one line.</summary>
public sealed class GarbageTests
{
    [Fact]
    public void GarbageAsAValueIsRefusedInOneLine() => Gen.Select(
        Gen.OneOf("-s", "-d", "-t", "--last-recv-limit", "-i", "--state"),
        Gen.String[Gen.Char["x!\"'\\ \t\r\n\0\u001b\u0085\u009b\u2028\u202e\ufeff\ud83d"], 1, 10],
        static (option, value) => (option, value)).Sample(static garbage => Words.Refused("-s", "22", garbage.option, garbage.value), iter: 5_000);

    [Fact]
    public void AnyListOfPortsIsReadAsItWasWritten() => Gen.Select(Gen.Int[1, 65_535], Gen.Int[1, 65_535]).Array[1, 50].Sample(static pairs =>
    {
        PortRange[] ranges = [.. pairs.Select(pair => new PortRange((ushort)Math.Min(pair.Item1, pair.Item2), (ushort)Math.Max(pair.Item1, pair.Item2)))];
        Assert.Equal(ranges, Words.Parse("-s", Words.Text(ranges)).SourcePorts);
    });
}
