using System.Globalization;
using TcpCloser.Diag;
using TcpCloser.Interop;

namespace TcpCloser.Kill;

/// <summary>
/// Recognises the connection that the operator sits on: held by an ancestor of this process, or named by SSH_CONNECTION. Over
/// loopback both of its ends are here, and closing either would end the session.
/// </summary>
internal static class OwnSession
{
    /// <summary>Marks as <see cref="Outcome.Spared"/> what carries the own session.</summary>
    public static void Spare(ConnectionList doomed)
    {
        var inodes = new HashSet<uint>();
        var ends = new List<SessionEnds>();
        AddAncestors(inodes, ends);
        AddSshConnection(ends);
        for (int i = 0; i < doomed.Count; i++)
        {
            ref Connection connection = ref doomed[i];
            bool own = connection.Inode != 0 && inodes.Contains(connection.Inode);
            for (int j = 0; j < ends.Count && !own; j++)
            {
                own = ends[j].Are(in connection);
            }

            connection.Outcome = own ? Outcome.Spared : connection.Outcome;
        }
    }

    /// <summary>The sockets of this process's ancestors and, where they may be fetched, between what they are.</summary>
    private static void AddAncestors(HashSet<uint> inodes, List<SessionEnds> ends)
    {
        try
        {
            using var proc = new ProcDirectory();
            foreach (int pid in ProcessGuard.OwnProcesses(proc.Descriptor, out _))
            {
                int directory = ProcFile.OpenDirectory(proc.Descriptor, ProcPath.Of(pid, "fd"u8));
                if (directory < 0)
                {
                    continue;
                }

                int pidfd = Pidfd.Open(pid);
                foreach (int fd in ProcFile.Numbers(directory))
                {
                    uint inode = ProcFile.SocketInode(directory, fd);
                    if (inode != 0 && inodes.Add(inode) && pidfd >= 0 && SessionEnds.Of(pidfd, fd) is { } known)
                    {
                        ends.Add(known);
                    }
                }

                _ = pidfd >= 0 ? Unistd.close(pidfd) : 0;
                _ = Unistd.close(directory);
            }
        }
        catch (SystemCallException)
        {
            // Without /proc SSH_CONNECTION is all there is to go by.
        }
    }

    /// <summary>SSH_CONNECTION (ssh(1)): client address and port, server address and port.</summary>
    private static void AddSshConnection(List<SessionEnds> ends)
    {
        string[] words = (Environment.GetEnvironmentVariable("SSH_CONNECTION") ?? "").Split(' ');
        if (words.Length == 4
            && ushort.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out ushort clientPort)
            && ushort.TryParse(words[3], NumberStyles.None, CultureInfo.InvariantCulture, out ushort serverPort))
        {
            ends.Add(new SessionEnds(WithoutZone(words[0]), clientPort, WithoutZone(words[2]), serverPort));
        }
    }

    private static string WithoutZone(string address)
    {
        int zone = address.IndexOf('%');
        return zone < 0 ? address : address[..zone];
    }
}
