using System.Globalization;
using TcpCloser.KernelTests.Harness;
using TcpCloser.KernelTests.Harness.Paths;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>
/// --probe of ten thousand connections over veth: none that lives is called silent, also where packets are lost. TCP_CLOSER_FIGURES
/// is how often each is asked; what it takes is printed, and asserted by nothing.
/// </summary>
public sealed class ProbeScaleTests(ITestOutputHelper output)
{
    private const int Count = 10_000;
    private const string HeardFrom = "10s";

    private static readonly int s_runs = int.Parse(Environment.GetEnvironmentVariable("TCP_CLOSER_FIGURES") ?? "1", CultureInfo.InvariantCulture);

    [Fact]
    public void NoneThatLivesIsCalledSilent()
    {
        using var path = NetworkPath.AtOnce();
        ConnectAll(path, 2);
        Ask(path, "3s", answered: Count);
    }

    [Fact]
    public void NorWhereEveryTwentiethPacketIsLost()
    {
        using var path = NetworkPath.AtOnce();
        ConnectAll(path, 2);
        string rules = "table inet loss { chain in { type filter hook input priority 0; numgen random mod 100 < 5 drop; }; }";
        Assert.SkipUnless(Command.Run([.. path.Tool().Inside, "nft", rules]).ExitCode == 0, "nftables cannot drop packets here");
        Ask(path, "10s", answered: Count);
    }

    [Fact]
    public void ThoseThatVanishedAreAllSilent()
    {
        using var path = NetworkPath.AtOnce();
        ConnectAll(path, 3);
        path.Vanish(3);
        Ask(path, "3s", answered: 0);
    }

    /// <summary>As many at a time as the listener's queue takes.</summary>
    private static void ConnectAll(NetworkPath path, int far)
    {
        const int AtOnce = 500;
        for (int made = 0; made < Count; made += AtOnce)
        {
            _ = path.Connect(AtOnce, NetworkPath.Far4(far));
        }

        // Whoever was heard from within TIME is not asked.
        string[] idle = ["-n", "-d", $"{NetworkPath.Port}", "-t", HeardFrom];
        Until.True(() => path.Tool(idle).Run().Expect(0).Summary("idle") == Count, $"{Count} that were not heard from for {HeardFrom}");
    }

    /// <summary>A dry run asks, and closes nothing.</summary>
    private void Ask(NetworkPath path, string time, int answered)
    {
        string[] arguments = ["-n", "-q", "-d", $"{NetworkPath.Port}", "--probe", time, "--disable-syslog"];
        Result times = Command.Run([.. path.Tool().Inside, Binaries.Lab, "time", "--runs", $"{s_runs}", "--", Binaries.Tool, .. arguments]);
        output.WriteLine($"--probe {time} of {Count}, of which {answered} live:\n{times.Stdout}");

        Result told = path.Tool("-n", "-d", $"{NetworkPath.Port}", "--probe", time).Run().Expect(0);
        Assert.Equal(Count, told.Summary("matched"));
        Assert.Equal(Count - answered, told.Summary("idle"));
    }
}
