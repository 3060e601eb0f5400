using CsCheck;

namespace TcpCloser.Tests.Diag;

/// <summary>A port set is the union of its ranges, as merged ranges and as a bitmap.</summary>
public sealed class PortSetTests
{
    [Fact]
    public void PortSet_AnyRanges_ContainsExactlyTheirPorts() =>
        Gen.Select(Gen.OneOf(Gen.Int[1, 65_535], Gen.Int[1, 40]), Gen.OneOf(Gen.Int[0, 3], Gen.Int[0, 70_000])).Array[1, 60].Sample(static pairs =>
    {
        var wanted = new bool[65_536];
        var ranges = new List<PortRange>();
        foreach ((int first, int more) in pairs)
        {
            int last = Math.Min(first + more, 65_535);
            ranges.Add(new PortRange((ushort)first, (ushort)last));
            Array.Fill(wanted, true, first, last - first + 1);
        }

        var set = new PortSet(ranges);

        int count = 0;
        for (int port = 0; port < 65_536; port++)
        {
            if (wanted[port] != set.Contains((ushort)port))
            {
                Assert.Fail($"{port} is {(wanted[port] ? "missing" : "not wanted")}");
            }

            count += wanted[port] ? 1 : 0;
        }

        int merged = 0;
        int previous = -1;
        foreach (PortRange range in set.Ranges.ToArray())
        {
            Assert.True(range.First > previous + 1 && range.Last >= range.First);
            previous = range.Last;
            merged += range.Last - range.First + 1;
        }

        Assert.Equal(count, merged);
        Assert.Equal(count == 1 ? ranges[0].First : 0, set.Single);
    }, iter: 300);
}
