namespace TcpCloser.Tests.Support;

/// <summary>INET_DIAG_BC_*, in the order of the enum in linux/inet_diag.h.</summary>
internal static class Op
{
    public const byte Nop = 0;
    public const byte Jump = 1;
    public const byte SourceAtLeast = 2;
    public const byte SourceAtMost = 3;
    public const byte DestinationAtLeast = 4;
    public const byte DestinationAtMost = 5;
    public const byte Auto = 6;
    public const byte SourceCondition = 7;
    public const byte DestinationCondition = 8;
    public const byte DeviceCondition = 9;
    public const byte MarkCondition = 10;
    public const byte SourceEqual = 11;
    public const byte DestinationEqual = 12;
    public const byte CgroupCondition = 13;
}
