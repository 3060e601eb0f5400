namespace TcpCloser.Interop;

/// <summary>struct timeval (sys/time.h), 16 bytes.</summary>
internal struct TimeVal
{
    public long Seconds;
    public long Microseconds;
}
