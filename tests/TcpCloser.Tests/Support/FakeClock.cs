namespace TcpCloser.Tests.Support;

/// <summary>A clock that advances only during waits, and by a given amount at each reading.</summary>
internal sealed class FakeClock : IClock
{
    private long _now = 1_000_000;

    /// <summary>The advance at each reading, in milliseconds: a process can lose the processor between two lines.</summary>
    public int MsPerReading { get; set; }
    public long NowMs => _now += MsPerReading;

    public void Sleep(int ms)
    {
        Assert.InRange(ms, 0, 1_000);
        _now += ms;
    }

    public void Pass(long ms) => _now += ms;
}
