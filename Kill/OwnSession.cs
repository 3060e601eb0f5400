using System.Globalization;
using TcpCloser.Diag;
using TcpCloser.Interop;

namespace TcpCloser.Kill;

/// <summary>Recognises the connection that the operator sits on: held by an ancestor of this process, or named by SSH_CONNECTION.</summary>
internal static class OwnSession
{
    /// <summary>Marks as <see cref="Outcome.Spared"/> what carries the own session.</summary>
    public static void Spare(ConnectionList doomed)
    {
        HashSet<uint> inodes = AncestorInodes();
        (string Client, ushort ClientPort, string Server, ushort ServerPort)? ssh = SshConnection();
        for (int i = 0; i < doomed.Count; i++)
        {
            ref Connection connection = ref doomed[i];
            if ((connection.Inode != 0 && inodes.Contains(connection.Inode)) || (ssh is { } s && IsBetween(in connection, s)))
            {
                connection.Outcome = Outcome.Spared;
            }
        }
    }

    private static HashSet<uint> AncestorInodes()
    {
        try
        {
            using var proc = new ProcDirectory();
            HashSet<int> own = ProcessGuard.OwnProcesses(proc.Descriptor);
            return ProcessInodes.OfPids(proc, own).Inodes;
        }
        catch (SystemCallException)
        {
            // Without /proc SSH_CONNECTION is all there is to go by.
            return [];
        }
    }

    /// <summary>SSH_CONNECTION (ssh(1)): client address and port, server address and port.</summary>
    private static (string, ushort, string, ushort)? SshConnection()
    {
        string[] words = (Environment.GetEnvironmentVariable("SSH_CONNECTION") ?? "").Split(' ');
        return words.Length == 4
            && ushort.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out ushort clientPort)
            && ushort.TryParse(words[3], NumberStyles.None, CultureInfo.InvariantCulture, out ushort serverPort)
            ? (words[0], clientPort, words[2], serverPort)
            : null;
    }

    /// <summary>Whether it is that connection, seen from either end: over loopback the client's end is here too.</summary>
    private static bool IsBetween(
        ref readonly Connection connection, (string Client, ushort ClientPort, string Server, ushort ServerPort) ssh)
    {
        if ((connection.SourcePort, connection.DestinationPort) != (ssh.ServerPort, ssh.ClientPort)
            && (connection.SourcePort, connection.DestinationPort) != (ssh.ClientPort, ssh.ServerPort))
        {
            return false;
        }

        string source = AddressText.Format(in connection.Source, connection.Family);
        string destination = AddressText.Format(in connection.Destination, connection.Family);
        (string Local, string Remote) ends = connection.SourcePort == ssh.ServerPort ? (ssh.Server, ssh.Client) : (ssh.Client, ssh.Server);
        return source == WithoutZone(ends.Local) && destination == WithoutZone(ends.Remote);
    }

    private static string WithoutZone(string address)
    {
        int zone = address.IndexOf('%');
        return zone < 0 ? address : address[..zone];
    }
}
