using System.Globalization;
using TcpCloser.Interop;

namespace TcpCloser.Report;

/// <summary>Whether stderr is the journal: JOURNAL_STREAM then names its device and inode (systemd.exec(5)). It may be inherited, and mean another.</summary>
internal static class JournalStream
{
    public static bool IsStderr()
    {
        string? stream = Environment.GetEnvironmentVariable("JOURNAL_STREAM");
        if (stream is null)
        {
            return false;
        }

        (ulong device, ulong inode) = Stat.Identity(Unistd.STDERR_FILENO);
        return inode != 0 && stream == string.Create(CultureInfo.InvariantCulture, $"{device}:{inode}");
    }
}
