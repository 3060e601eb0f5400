namespace TcpCloser.KernelTests;

/// <summary>Which connections -4 and -6 select among IPv4, IPv6 and IPv4 on dual-stack sockets; none is listed twice.</summary>
public sealed class FamilyTests
{
    private const int Count = 3;
    private static readonly string[] s_families = ["v4", "v6", "dual", "mapped"];

    [Theory]
    [Rows("-4 | v4 dual mapped", "-6 | v6 dual mapped", "-4 -6 | v4 v6 dual mapped", "-46 | v4 v6 dual mapped")]
    [InlineData("", "v4 dual mapped")]
    public void Run_EachFamilyOption_ClosesItsConnectionsOnce(string option, string selected)
    {
        List<LabProcess> labs = [];
        try
        {
            foreach (string family in s_families)
            {
                LabEnvironment environment = new() { Enter = labs.Count == 0 ? null : labs[0].Inside() };
                labs.Add(LabProcess.Start(environment, "--count", $"{Count}", "--family", family, "--port", $"{LabProcess.Port + labs.Count}"));
            }
            int expected = Count * selected.Split(' ').Length;

            var result = labs[0].Tool([.. option.Split(' ', StringSplitOptions.RemoveEmptyEntries), "-s", $"{LabProcess.Port}-{LabProcess.Port + 3}"])
                .Expect(0);

            result.ExpectSummary($"matched={expected} closed={expected}");
            Assert.Equal(expected, result.Destroyed.Length);
            for (int i = 0; i < labs.Count; i++)
            {
                bool dies = selected.Split(' ').Contains(s_families[i]);
                Assert.Equal(Count, labs[i].State()["server", dies ? "aborted" : "alive"]);
                Assert.Equal(Count, labs[i].State()["client", dies ? "reset" : "alive"]);
                labs[i].ExpectState("listener alive=1");
            }
        }
        finally
        {
            labs.AsEnumerable().Reverse().ToList().ForEach(lab => lab.Dispose());
        }
    }
}
