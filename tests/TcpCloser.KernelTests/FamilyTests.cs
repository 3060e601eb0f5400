using TcpCloser.KernelTests.Harness;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>Which connections -4 and -6 take where IPv4, IPv6 and IPv4 on dual-stack sockets live side by side; none is taken twice.</summary>
public sealed class FamilyTests
{
    private const int Count = 3;
    private static readonly string[] s_families = ["v4", "v6", "dual", "mapped"];

    [Theory]
    [InlineData("", "v4 dual mapped")]
    [InlineData("-4", "v4 dual mapped")]
    [InlineData("-6", "v6 dual mapped")]
    [InlineData("-4 -6", "v4 v6 dual mapped")]
    [InlineData("-46", "v4 v6 dual mapped")]
    public void AFamilyTakesItsConnectionsOnce(string option, string taken)
    {
        List<LabProcess> labs = [];
        try
        {
            foreach (string family in s_families)
            {
                LabSurroundings surroundings = new() { Within = labs.Count == 0 ? null : labs[0] };
                labs.Add(LabProcess.Start(surroundings, "--count", $"{Count}", "--family", family, "--port", $"{LabProcess.Port + labs.Count}"));
            }
            int expected = Count * taken.Split(' ').Length;

            var result = labs[0].Tool([.. option.Split(' ', StringSplitOptions.RemoveEmptyEntries), "-s", $"{LabProcess.Port}-{LabProcess.Port + 3}"])
                .Expect(0);

            Assert.Equal(expected, result.Summary("matched"));
            Assert.Equal(expected, result.Summary("closed"));
            Assert.Equal(expected, result.Destroyed.Length);
            for (int i = 0; i < labs.Count; i++)
            {
                bool dies = taken.Split(' ').Contains(s_families[i]);
                Assert.Equal(Count, labs[i].State()["server", dies ? "aborted" : "alive"]);
                Assert.Equal(Count, labs[i].State()["client", dies ? "reset" : "alive"]);
                Assert.Equal(1, labs[i].State()["listener", "alive"]);
            }
        }
        finally
        {
            labs.AsEnumerable().Reverse().ToList().ForEach(lab => lab.Dispose());
        }
    }

    [Fact]
    public void AnIPv4ConnectionOfADualStackSocketIsPrintedAsIPv4()
    {
        using var lab = LabProcess.Start("--family", "dual");
        var connection = Assert.Single(lab.List());

        var result = lab.Tool("-s", $"{LabProcess.Port}").Expect(0);

        Assert.Contains($"destroyed 127.0.0.1:{LabProcess.Port} -> {connection.ClientAddress} ", Assert.Single(result.Destroyed), StringComparison.Ordinal);
    }

    [Fact]
    public void IPv6IsPrintedInBrackets()
    {
        using var lab = LabProcess.Start("--family", "v6");
        var connection = Assert.Single(lab.List());

        var result = lab.Tool("-6", "-s", $"{LabProcess.Port}").Expect(0);

        Assert.Contains($"destroyed [::1]:{LabProcess.Port} -> {connection.ClientAddress} ", Assert.Single(result.Destroyed), StringComparison.Ordinal);
    }
}
