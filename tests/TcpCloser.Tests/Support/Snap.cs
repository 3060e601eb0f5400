using System.Runtime.CompilerServices;
using Snapshooter;
using Snapshooter.Xunit3;

namespace TcpCloser.Tests.Support;

/// <summary>
/// Compares text with the snapshot of the calling test, in <c>__snapshots__</c> beside it. A missing snapshot is a failure: a run with
/// SNAPSHOOTER_STRICT_MODE=false writes new ones, which have to be reviewed and committed.
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
    internal static void SetStrictMode()
    {
        if (Environment.GetEnvironmentVariable(StrictMode) is null)
        {
            Environment.SetEnvironmentVariable(StrictMode, "true");
        }
    }
}
