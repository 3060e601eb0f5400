using TcpCloser.Cli;

namespace TcpCloser.Tests.Cli;

/// <summary>Names of ports in /etc/services and of users in /etc/passwd.</summary>
public sealed class SystemFileTests
{
    private const string Passwd =
        "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/:\nbig:x:4294967294:1\nnone:x:4294967295:1\nshort:x\ntoor:x:0:0:::\n\n+::::\n";

    private const string Services =
        """
        # Network services
        tcpmux		1/tcp				# TCP port service multiplexer
        domain          53/udp
        domain	53/tcp

        http		80/tcp		www www-http	# WorldWideWeb HTTP
        	 indented 81/tcp
        hidden		82/udp		www
        postgresql	5432/tcp	postgres
        no-port
        odd		x/tcp
        big		65536/tcp
        zero		0/tcp
        last		65535/tcp
        """;

    [Theory]
    [Rows("tcpmux | 1", "domain | 53", "http | 80", "www | 80", "www-http | 80", "indented | 81", "postgres | 5432", "last | 65535",
        "HTTP | 0", "hidden | 0", "# | 0", "TCP | 0", "WorldWideWeb | 0", "80/tcp | 0", "no-port | 0", "odd | 0", "big | 0", "zero | 0",
        "ht | 0", " | 0", "  | 0")]
    public void PortOf_ServiceName_IsItsTcpPortOr0(string name, int port)
    {
        Assert.Equal(port, new ServicesFile(Services, 0).PortOf(name));
        Assert.Equal(port, new ServicesFile(Services.ReplaceLineEndings("\r\n"), 0).PortOf(name));
    }

    [Fact]
    public void Read_UnreadableFile_ReportsTheErrno()
    {
        Assert.Null(new ServicesFile("", 0).Problem);
        Assert.Equal("reading /etc/services: EACCES (permission denied)", new ServicesFile("", Errno.EACCES).Problem);
        Assert.Equal((Errno.ENOENT, ""), (ProcFile.ReadText("/proc/no such file\0"u8, out string text), text));
        Assert.Equal((Errno.EISDIR, ""), (ProcFile.ReadText("/proc\0"u8, out text), text));
    }

    [Fact]
    public void Read_LongFile_ReturnsAllOfIt()
    {
        using var directory = new TemporaryDirectory();
        string content = string.Concat(Enumerable.Range(0, 20_000).Select(static i => $"line {i} é\n"));
        File.WriteAllText(Path.Combine(directory.Path, "file"), content);
        Assert.Equal((0, content), (ProcFile.ReadText(directory.BytesOf("file"), out string text), text));
    }

    /// <summary>The option accepts every name in this machine's file; the first line counts, as for getservbyname(3).</summary>
    [Fact]
    public void SourcePort_EachServiceOfThisMachine_IsItsFirstPort()
    {
        string[] lines = File.Exists("/etc/services") ? File.ReadAllLines("/etc/services") : [];
        var seen = new HashSet<string>();
        foreach (string[] fields in lines.Select(static line => line.Split('#')[0].Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)))
        {
            if (fields.Length > 1 && fields[1].EndsWith("/tcp", StringComparison.Ordinal) && !seen.Contains(fields[0]))
            {
                seen.UnionWith(fields);
                Assert.Equal($"22,{fields[1][..^4]},80-90", Words.Text(Words.Rule("-s", $"22,{fields[0]},80-90").SourcePorts));
            }
        }
    }

    [Theory]
    [Rows("root | 0", "www-data | 33", "big | 4294967294", "stranger | null", "none | null", "short | null", " | null", "root:x | null")]
    public void UidOf_UserName_IsTheUidOrNull(string user, uint? uid) => Assert.Equal(uid, PasswdFile.UidOf(Passwd, user));

    [Theory]
    [Rows("0 | root", "33 | www-data", "4294967294 | big", "4294967295 | null", "1 | null")]
    public void NameOf_Uid_IsTheFirstUserWithIt(uint uid, string? user) => Assert.Equal(user, PasswdFile.NameOf(Passwd, uid));
}
