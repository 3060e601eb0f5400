using TcpCloser.Cli;
using TcpCloser.Interop;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Cli;

/// <summary>Names of ports and users, as the files of the system have them.</summary>
public sealed class SystemFileTests
{
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
    [InlineData("tcpmux", 1)]
    [InlineData("domain", 53)]
    [InlineData("http", 80)]
    [InlineData("www", 80)]
    [InlineData("www-http", 80)]
    [InlineData("indented", 81)]
    [InlineData("postgres", 5432)]
    [InlineData("last", 65535)]
    [InlineData("HTTP", 0)]
    [InlineData("hidden", 0)]
    [InlineData("#", 0)]
    [InlineData("TCP", 0)]
    [InlineData("WorldWideWeb", 0)]
    [InlineData("80/tcp", 0)]
    [InlineData("no-port", 0)]
    [InlineData("odd", 0)]
    [InlineData("big", 0)]
    [InlineData("zero", 0)]
    [InlineData("ht", 0)]
    [InlineData("", 0)]
    [InlineData(" ", 0)]
    public void Ports(string name, int port)
    {
        Assert.Equal(port, new ServicesFile(Services, 0).PortOf(name));
        Assert.Equal(port, new ServicesFile(Services.ReplaceLineEndings("\r\n"), 0).PortOf(name));
    }

    [Fact]
    public void AFileThatCannotBeReadIsSaid()
    {
        Assert.Null(new ServicesFile("", 0).Problem);
        Assert.Equal("reading /etc/services: EACCES (permission denied)", new ServicesFile("", Errno.EACCES).Problem);
        Assert.Equal(Errno.ENOENT, SystemFile.Read("/proc/no such file\0"u8, out string text));
        Assert.Empty(text);
        Assert.Equal(Errno.EISDIR, SystemFile.Read("/proc\0"u8, out text));
        Assert.Empty(text);
    }

    [Fact]
    public void ALongFileIsReadWhole()
    {
        string path = Path.GetTempFileName();
        try
        {
            string content = string.Concat(Enumerable.Range(0, 20_000).Select(static i => $"line {i} é\n"));
            File.WriteAllText(path, content);
            Assert.Equal(0, SystemFile.Read(System.Text.Encoding.UTF8.GetBytes(path + '\0'), out string text));
            Assert.Equal(content, text);
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>Whatever this machine's own file names, the option takes; the first line counts, as for getservbyname(3).</summary>
    [Fact]
    public void EveryServiceOfThisMachine()
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
    [InlineData("root", 0u)]
    [InlineData("www-data", 33u)]
    [InlineData("big", 4294967294u)]
    [InlineData("stranger", null)]
    [InlineData("none", null)]
    [InlineData("short", null)]
    [InlineData("", null)]
    [InlineData("root:x", null)]
    public void Users(string user, uint? uid) => Assert.Equal(uid, PasswdFile.UidOf(
        "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/:\nbig:x:4294967294:1\nnone:x:4294967295:1\nshort:x\n\n+::::\n", user));
}
