namespace TcpCloser.Interop;

/// <summary>struct itimerspec (time.h), 32 bytes on 64-bit Linux: the interval, then the first expiry.</summary>
internal struct ITimerSpec
{
    public long IntervalSeconds;
    public long IntervalNanoseconds;
    public long ValueSeconds;
    public long ValueNanoseconds;
}
