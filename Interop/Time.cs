using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>time.h.</summary>
internal static unsafe partial class Time
{
    [LibraryImport("libc")]
    public static partial Tm* localtime_r(long* timep, Tm* result);
}

/// <summary>struct tm (time.h) of glibc and musl, 56 bytes. January is month 0, and years count from 1900.</summary>
internal struct Tm
{
    public int Second;
    public int Minute;
    public int Hour;
    public int DayOfMonth;
    public int Month;
    public int Year;
    public int DayOfWeek;
    public int DayOfYear;
    public int IsDst;
    public long GmtOffset;
    public nint Zone;
}

/// <summary>struct itimerspec (time.h), 32 bytes on 64-bit Linux: the interval, then the first expiration.</summary>
internal struct ITimerSpec
{
    public long IntervalSeconds;
    public long IntervalNanoseconds;
    public long ValueSeconds;
    public long ValueNanoseconds;
}
