namespace TcpCloser.Cli;

/// <summary>Which build this is.</summary>
internal static class BuildInfo
{
    public const string Version = "0.1.0";
}
