namespace TcpCloser.KernelTests;

/// <summary>
/// <c>--probe</c> as a service: it is ready before it probes, pings the watchdog while it does, and ends within a
/// second.
/// </summary>
public sealed class ProbeServiceTests : IDisposable
{
    private const string Port = "7000";
    private readonly ServiceManager _manager = new();
    private readonly NetworkPath _path = NetworkPath.Fast();

    public void Dispose()
    {
        _path.Dispose();
        _manager.Dispose();
    }

    [Fact]
    public void Service_LongProbe_IsReadyBeforehandAndEndsAtOnce()
    {
        SocketRange silent = _path.ConnectSilent(3);
        long segments = silent.Info("segs-out");
        using Command service = Start("30s", "WATCHDOG_USEC=400000");
        string ready = _manager.Await("READY=1");
        Until.True(() => silent.Info("segs-out") >= segments + 2, "probes");

        Assert.Equal("READY=1", ready); // without the status of a round
        Assert.DoesNotContain(_manager.Messages, static text => text.Contains("STATUS="));
        int pings = Pings;
        Until.True(() => Pings >= pings + 3, "pings of the watchdog");

        long start = Stopwatch.GetTimestamp();
        service.Signal("TERM");
        service.WaitForEnd().Expect(0);
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0, 5); // the probe takes 30
        Assert.Equal(["3 alive"], silent.Views);
        Assert.Contains("STOPPING=1", _manager.Messages);
    }

    [Fact]
    public void Service_RoundDone_StatusHasTheVerdicts()
    {
        (SocketRange silent, _) = _path.Connect(3, NetworkPath.Far4(3));
        (SocketRange living, _) = _path.Connect(2);
        (SocketRange posted, _) = _path.Connect();
        posted.Do("post");
        silent.WaitQuiet(1_100);
        _path.Vanish(3);
        using Command service = Start("3s");

        string status = _manager.Await("READY=1\nSTATUS=round 1 ");
        Assert.Contains("matched=6 idle=3 closed=3 vanished=0 spared=0 failed=0 answered=2 unproved=0 unasked=1", status, StringComparison.Ordinal);
        service.Signal("TERM");
        service.WaitForEnd().Expect(0, "closed=3 answered=2 unasked=1");
        Assert.Equal(["2 alive"], living.Views);
    }

    private int Pings => _manager.Messages.Count(static text => text == "WATCHDOG=1");

    private Command Start(string time, params string[] variables) =>
        (_path.Tool("-d", Port, "--probe", time, "-i", "1h") with { Wrapper = _manager.Wrapper(variables) }).Start();
}
