using System.Globalization;

namespace TcpCloser.KernelTests;

/// <summary>
/// --probe of ten thousand connections over veth: no living peer is reported silent, even with packet loss, and every vanished one
/// is. TCP_CLOSER_FIGURES is the number of runs of each kind; their durations are printed.
/// </summary>
public sealed class ProbeScaleTests(ITestOutputHelper output)
{
    private const int Count = 10_000;
    /// <summary>The number of connections that the listener's queue takes at a time.</summary>
    private const int AtOnce = 2_000;

    private static readonly int s_runs = int.Parse(
        Environment.GetEnvironmentVariable("TCP_CLOSER_FIGURES") ?? "1", CultureInfo.InvariantCulture);

    [Fact]
    public void Probe_TenThousandConnectionsWithPacketLoss_EveryVerdictIsRight()
    {
        using var path = NetworkPath.Fast();
        for (int made = 0; made < Count; made += AtOnce)
        {
            _ = path.Connect(AtOnce, NetworkPath.Far4(2));
        }

        Probe(path, 3, silent: 0);
        LosePackets(path, percent: 1);
        Probe(path, 3, silent: 0);
        path.Unfilter();
        LosePackets(path, percent: 5);
        Probe(path, 10, silent: 0);
        path.Unfilter();
        path.Vanish(2);
        Probe(path, 3, silent: Count);
    }

    private static void LosePackets(NetworkPath path, int percent)
    {
        path.FilterFar($"tcp dport 7000 numgen random mod 100 < {percent} drop");
        path.FilterNear($"tcp sport 7000 numgen random mod 100 < {percent} drop");
    }

    /// <summary>
    /// A dry run probes and closes nothing. A peer that was heard from within a second is not probed, so each run waits that long
    /// first.
    /// </summary>
    private void Probe(NetworkPath path, int seconds, int silent)
    {
        using TemporaryDirectory directory = new();
        string log = directory.File("log");
        string[] arguments = ["-n", "-d", $"{NetworkPath.Port}", "--probe", $"{seconds}s", "--disable-syslog"];
        for (int run = 0; run < s_runs; run++)
        {
            Thread.Sleep(1_200);
            Result times = Command.Run([.. path.Tool().Inside, Binaries.Lab, "time", "--output", log, "--", Binaries.Tool, .. arguments]).Expect(0);
            output.WriteLine($"--probe {seconds}s of {Count}, of which {silent} are silent: {times.Stdout}");
            string[] lines = File.ReadAllLines(log);
            Assert.Equal((Count, silent, Count - silent), (Result.Summary(lines, "matched"), Result.Summary(lines, "idle"), Result.Summary(lines, "answered")));
        }
    }
}
