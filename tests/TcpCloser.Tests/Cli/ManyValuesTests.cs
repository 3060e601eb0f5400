using TcpCloser.Cli;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Cli;

/// <summary>There is no limit on how many ports are given.</summary>
public sealed class ManyValuesTests
{
    [Theory]
    [InlineData(65_535)]
    [InlineData(120_000)]
    public void RepeatedOptions(int count)
    {
        var words = new string[2 * count];
        for (int i = 0; i < count; i++)
        {
            words[2 * i] = "-s";
            words[2 * i + 1] = $"{i % 65_535 + 1}";
        }

        IReadOnlyList<PortRange> ports = Words.Rule(words).SourcePorts;

        Assert.Equal(count, ports.Count);
        for (int i = 0; i < count; i++)
        {
            ushort port = (ushort)(i % 65_535 + 1);
            Assert.Equal(new PortRange(port, port), ports[i]);
        }
    }

    [Fact]
    public void AttachedValues()
    {
        string[] words = [.. Enumerable.Range(1, 120_000).Select(i => $"-d{i % 65_535 + 1}")];
        Assert.Equal(120_000, Words.Rule(words).DestinationPorts.Count);
    }

    [Fact]
    public void OneLongList()
    {
        string list = string.Join(',', Enumerable.Range(1, 65_535));
        Assert.Equal(65_535, Words.Rule("-s", list).SourcePorts.Count);
    }

    [Fact]
    public void AnErrorAtTheEndIsFound()
    {
        string[] words = [.. Enumerable.Range(1, 120_000).Select(_ => "-s22"), "-s0"];
        Assert.StartsWith("-s '0':", Words.Refused(words), StringComparison.Ordinal);
    }
}
