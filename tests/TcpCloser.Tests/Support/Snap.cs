using System.Runtime.CompilerServices;
using Snapshooter;
using Snapshooter.Xunit3;

namespace TcpCloser.Tests.Support;

/// <summary>
/// Compares text with the snapshot beside the calling test, in <c>__snapshots__</c>. A missing snapshot is a failure:
/// new ones are written by a run with SNAPSHOOTER_STRICT_MODE=false, then looked at, then committed.
/// </summary>
internal static class Snap
{
    private const string StrictMode = "SNAPSHOOTER_STRICT_MODE";

    public static void Match(string text, string? name = null)
    {
        if (name is null)
        {
            Snapshot.Match(text);
        }
        else
        {
            Snapshot.Match(text, SnapshotNameExtension.Create(name));
        }
    }

    [ModuleInitializer]
    internal static void BeStrict()
    {
        if (Environment.GetEnvironmentVariable(StrictMode) is null)
        {
            Environment.SetEnvironmentVariable(StrictMode, "true");
        }
    }
}
