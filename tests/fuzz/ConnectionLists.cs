using System.Text;
using TcpCloser.Cli;

namespace TcpCloser.Fuzz;

/// <summary>The files of <c>--only</c>: records, lines of ss, and pairs of endpoints.</summary>
internal sealed class ConnectionLists : ITarget
{
    private static readonly byte[] s_records = Encoding.UTF8.GetBytes(
        """
        {"time":"2026-11-30T09:06:02.532Z","type":"connection","netns":"a\\x5Cb\u00e9\"","family":"ipv4","local_address":"127.0.0.1","local_port":5000,"remote_address":"127.0.0.1","remote_port":33718,"cookie":"972","owners":[{"pid":1,"comm":"}"}]}
        {
          "local_address": "fe80::1%eth0",
          "local_port": 22,
          "remote_address": "fe80::2%eth0",
          "remote_port": 0
        }
        {"type":"summary","matched":2}

        """);

    private static readonly byte[] s_lines = Encoding.UTF8.GetBytes(
        "State Recv-Q Send-Q Local Address:Port Peer Address:Port\nESTAB 0 0 10.0.0.1%eth0:22 10.0.0.2:5000 users:((\"x y\",pid=1,fd=3)) ino:1 sk:1a cgroup:/ <->\r\n"
        + "\n0 0 [fe80::1]%eth0:22 [fe80::2]:5000\ntcp CLOSE-WAIT 1 0 [::ffff:10.0.0.1]:22 [::1]:65535\n10.0.0.1:22 -> 10.0.0.2:5000 sk:ffffffffffffffff");

    private readonly string _path = Path.Combine(Path.GetTempPath(), $"tcp-closer-fuzz-{Environment.ProcessId}");

    public string Name => "lists of connections";

    public bool Try(Dice dice)
    {
        bool isText = dice.OneIn(2);
        byte[] content = new Mutator(dice).Damage(isText ? s_lines : s_records, isText ? s_records : s_lines);
        var named = new NamedConnections();
        File.WriteAllBytes(_path, content);
        try
        {
            if (ConnectionFile.Read(_path, isReadAgain: true, named) is { } error)
            {
                Check.IsErrno(error.Errno);
                Check.That(error.Line <= content.Count(static b => b == '\n') + 1, $"line {error.Line} is not in the file");
                Check.That(error.Description.Length is > 0 and < 1000 && !error.Description.Any(char.IsControl), $"not one printable line: {error.Description}");
                return false;
            }
        }
        finally
        {
            File.Delete(_path);
        }

        for (int i = 0; i < named.Count; i++)
        {
            Check.That(named.Find(in named[i]) == i, "a connection that is not found, or is there twice");
            Check.That(!ConnectionText.DescribeNotFound(named, i).Any(char.IsControl), "a log line with a control character");
        }

        return named.Count > 0;
    }
}
