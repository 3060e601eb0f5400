using System.Globalization;
using System.Text.RegularExpressions;
using TcpCloser.KernelTests.Harness;
using TcpCloser.KernelTests.Harness.Paths;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>
/// --probe of ten thousand connections over veth: none that lives is called silent, also where packets are lost. TCP_CLOSER_FIGURES
/// is how often each is asked; what it takes is printed, and asserted by nothing.
/// </summary>
public sealed partial class ProbeScaleTests(ITestOutputHelper output) : IDisposable
{
    private const int Count = 10_000;

    private static readonly int s_runs = int.Parse(Environment.GetEnvironmentVariable("TCP_CLOSER_FIGURES") ?? "1", CultureInfo.InvariantCulture);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void NoneThatLivesIsCalledSilent()
    {
        using var path = NetworkPath.AtOnce();
        ConnectAll(path, 2);
        Ask(path, 3, answered: Count);
    }

    [Fact]
    public void NorWhereEveryTwentiethPacketIsLost()
    {
        using var path = NetworkPath.AtOnce();
        ConnectAll(path, 2);
        string rules = "table inet loss { chain in { type filter hook input priority 0; numgen random mod 100 < 5 drop; }; }";
        Assert.SkipUnless(Command.Run([.. path.Tool().Inside, "nft", rules]).ExitCode == 0, "nftables cannot drop packets here");
        Ask(path, 10, answered: Count);
    }

    [Fact]
    public void ThoseThatVanishedAreAllSilent()
    {
        using var path = NetworkPath.AtOnce();
        ConnectAll(path, 3);
        path.Vanish(3);
        Ask(path, 3, answered: 0);
    }

    /// <summary>As many at a time as the listener's queue takes.</summary>
    private static void ConnectAll(NetworkPath path, int far)
    {
        const int AtOnce = 500;
        for (int made = 0; made < Count; made += AtOnce)
        {
            _ = path.Connect(AtOnce, NetworkPath.Far4(far));
        }
    }

    /// <summary>A dry run asks, and closes nothing. Whoever was heard from within TIME is not asked, so that is waited for each time.</summary>
    private void Ask(NetworkPath path, int seconds, int answered)
    {
        string[] arguments = ["-n", "-d", $"{NetworkPath.Port}", "--probe", $"{seconds}s"];
        for (int run = 0; run < s_runs; run++)
        {
            Until.True(() => LastHeardMs(path) > seconds * 1_000, $"{Count} that were not heard from for {seconds} s");
            string log = Path.Combine(_folder.Path, "log");
            Result times = Command.Run([.. path.Tool().Inside, Binaries.Lab, "time", "--output", log, "--", Binaries.Tool, .. arguments, "--disable-syslog"]);
            output.WriteLine($"--probe {seconds}s of {Count}, of which {answered} live: {times.Expect(0).Stdout}");
            string[] told = File.ReadAllLines(log);
            Assert.Equal(Count, Result.Summary(told, "matched"));
            Assert.Equal(Count - answered, Result.Summary(told, "idle"));
        }
    }

    /// <summary>How long ago the youngest of them heard anything, acknowledgements too.</summary>
    private static int LastHeardMs(NetworkPath path)
    {
        string records = path.Tool("-n", "--json", "-t", "0s", "-d", $"{NetworkPath.Port}").Run().Expect(0).Stdout;
        return LastAck().Matches(records).Min(static match => int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture));
    }

    [GeneratedRegex(@"""last_ack_ms"":(\d+)")]
    private static partial Regex LastAck();
}
