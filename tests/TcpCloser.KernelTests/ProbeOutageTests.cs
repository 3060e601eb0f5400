namespace TcpCloser.KernelTests;

/// <summary>
/// However often a peer is probed, and no matter how long it does not answer: once the path works again, its connection is as it
/// would be without any probe. TCP_CLOSER_LONG_TESTS=1 probes a thousand times, over a minute or more.
/// </summary>
public sealed class ProbeOutageTests
{
    private const string Port = "7000";
    private const int AtOnce = 50;
    private static readonly bool s_isLong = Environment.GetEnvironmentVariable("TCP_CLOSER_LONG_TESTS") == "1";
    private static readonly int s_runs = s_isLong ? 1_000 : 100;
    /// <summary>The longest back-off of the kernel, and some.</summary>
    private static readonly TimeSpan s_nextRetransmission = TimeSpan.FromSeconds(150);

    /// <summary>The kinds that survive the outage: a long one lasts minutes.</summary>
    private static readonly SocketKind[] s_patient =
        [.. SocketKind.Patient.Where(static kind => !s_isLong || kind.GivesUpAfter > TimeSpan.FromMinutes(30))];

    private static readonly SocketKind[] s_kinds = [.. s_patient, .. SocketKind.Impatient];

    [Fact]
    public void Probe_HundredRunsDuringAnOutage_ConnectionsEndUpLikeTheirTwins()
    {
        using var path = NetworkPath.Fast();
        SocketKind.Prepare(path);
        SocketRange[] pairs = [.. s_kinds.Select(kind => kind.Connect(path, NetworkPath.Far4(3), count: 2))];
        SocketRange all = pairs[0] with { Text = $"0-{(2 * s_kinds.Length) - 1}" };
        path.Vanish(3);
        for (int i = 0; i < s_kinds.Length; i++)
        {
            s_kinds[i].Vanish(pairs[i]);
        }

        all.WaitQuiet(1_100);

        string[] options = all.AllOptions;
        string probed = string.Join(',', all.Ports.Where(static (_, i) => i % 2 == 0));
        for (int run = 0; run < s_runs; run += AtOnce)
        {
            Command[] tools = [.. Enumerable.Range(0, AtOnce).Select(_ => path.Tool("-n", "-d", Port, "-s", probed, "--probe", "3s").Start())];
            foreach (Command tool in tools)
            {
                Result result = tool.WaitForEnd().Expect(0);
                tool.Dispose();
                result.ExpectSummary("closed=0 answered=0 unproved=0 unasked=0");
            }
        }

        path.Return(3);
        Assert.Equal(options, all.AllOptions);
        SocketRange patient = all with { Text = $"0-{(2 * s_patient.Length) - 1}" };
        patient.Send();
        Until.True(() => patient.AllInfo.All(static info => info["probes"] == "0" && (info["unacked"] == "0" || info["notsent"] != "0")), "the acknowledgements of what was sent", s_nextRetransmission);
        Assert.Equal([$"{patient.Count} alive"], patient.Views);
        Assert.All(pairs, static pair => Assert.Equal(pair[1].Views[0], pair[0].Views[0]));
        Assert.Equal(options, all.AllOptions);
    }

    /// <summary>A service that probes in every round, over a slow path that fails and recovers, closes no living connection.</summary>
    [Fact]
    public void Probe_ServiceOverASlowPathWithShortOutages_ClosesNothing()
    {
        using var path = NetworkPath.Slow(0);
        (SocketRange near, _) = path.Connect(20, options: "reuse");
        (SocketRange twin, _) = path.Connect(20, options: "reuse", port: NetworkPath.OtherPort);
        path.Delay(50);
        string[] options = near.AllOptions;
        using Command service = path.Tool("-d", Port, "--probe", "3s", "-i", "100ms").Start();
        for (int outage = 0; outage < 3; outage++)
        {
            Thread.Sleep(1_500);
            path.Cut();
            Thread.Sleep(1_500); // half of TIME
            path.Restore();
        }
        service.Signal("TERM");
        Result result = service.WaitForEnd().Expect(0, "closed=0");

        Assert.InRange(result.Summary("answered"), 20, int.MaxValue);
        Assert.Equal(("20 alive", "20 alive"), (near.Views[0], twin.Views[0]));
        Assert.Equal(options, near.AllOptions);
        Assert.Equal(options, twin.AllOptions);
    }
}
