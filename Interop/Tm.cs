namespace TcpCloser.Interop;

/// <summary>struct tm (time.h) of glibc and musl, 56 bytes. The month counts from 0.</summary>
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
