namespace TcpCloser.Report;

/// <summary>How much a line matters; the values are the severities of syslog(3).</summary>
internal enum Level
{
    Error = 3,
    Warning = 4,
    Info = 6,
    Debug = 7,
}
