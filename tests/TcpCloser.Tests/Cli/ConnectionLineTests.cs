using TcpCloser.Cli;

namespace TcpCloser.Tests.Cli;

/// <summary>Lines of ss(8) and pairs of endpoints that name connections.</summary>
public sealed class ConnectionLineTests
{
    private const string Ends = "10.0.0.1:22 -> 10.0.0.2:5000";
    private const string PrintNumbers = "print it with ss -n";

    [Theory]
    // pairs
    [InlineData("10.0.0.1:22 10.0.0.2:5000", Ends)]
    [InlineData("  10.0.0.1:22\t10.0.0.2:5000 \r", Ends)]
    [InlineData("10.0.0.1:22 -> 10.0.0.2:5000", Ends)]
    [InlineData("10.0.0.1:22 10.0.0.2:5000 sk:1A", Ends + " cookie=1a")]
    [InlineData("[2001:DB8:0::1]:22 [::1]:65535", "[2001:db8::1]:22 -> [::1]:65535")]
    [InlineData("[::ffff:10.0.0.1]:22 [::ffff:a00:2]:5000", Ends)]
    [InlineData("[fe80::1]%eth0:22 [fe80::2]:5000", "[fe80::1%eth0]:22 -> [fe80::2]:5000")]
    [InlineData("[fe80::1%eth0]:22 [fe80::2%eth0]:5000", "[fe80::1%eth0]:22 -> [fe80::2]:5000")]
    [InlineData("10.0.0.1%eth0:22 10.0.0.2:5000", "10.0.0.1%eth0:22 -> 10.0.0.2:5000")]
    // ss -tn, with and without the columns State and Netid, and netstat -tn
    [InlineData("ESTAB 0 0 10.0.0.1:22 10.0.0.2:5000", Ends)]
    [InlineData("0      0             10.0.0.1:22             10.0.0.2:5000      ", Ends)]
    [InlineData("CLOSE-WAIT 1 0 10.0.0.1:22 10.0.0.2:5000", Ends)]
    [InlineData("tcp   ESTAB  0      36     10.0.0.1:22 10.0.0.2:5000", Ends)]
    [InlineData("tcp        0      0 10.0.0.1:22 10.0.0.2:5000 ESTABLISHED 1/sshd", Ends)]
    // ss -tne, -tnp, -tno, -tniO
    [InlineData("ESTAB 0 0 10.0.0.1:22 10.0.0.2:5000 uid:1000 ino:12 sk:ffffffffffffffff cgroup:/a b <->", Ends + " cookie=ffffffffffffffff")]
    [InlineData("ESTAB 0 0 10.0.0.1:22 10.0.0.2:5000 users:((\"a b\",pid=1,fd=3)) timer:(keepalive,1min,0) ino:12 sk:7", Ends + " cookie=7")]
    [InlineData("ESTAB 0 0 10.0.0.1%lo:22 10.0.0.2:5000 ino:12 sk:7", Ends + " cookie=7")]
    [InlineData("ESTAB 0 0 10.0.0.1:22 10.0.0.2:5000 ts sack cubic wscale:7,7 rto:204", Ends)]
    // nothing in them
    [InlineData("", null)]
    [InlineData(" \t\r", null)]
    [InlineData("State Recv-Q Send-Q Local Address:Port  Peer Address:PortProcess", null)]
    [InlineData("Netid State  Recv-Q Send-Q Local Address:Port Peer Address:Port", null)]
    [InlineData("Recv-Q Send-Q Local Address:Port Peer Address:Port", null)]
    public void TryParse_LineOfAConnection_IsRead(string line, string? connection) => Assert.Equal(connection, Named.OfLine(line));

    [Theory]
    [Values("foo", "10.0.0.1:22", "10.0.0.1 10.0.0.2", "10.0.0.1: 10.0.0.2:5000", ":22 10.0.0.2:5000", "[::1:22 [::1]:5000", "[::1]x:22 [::1]:5000",
        "[10.0.0.1]:22 10.0.0.2:5000", "udp ESTAB 0 0 10.0.0.1:22 10.0.0.2:5000", "mptcp ESTAB 0 0 10.0.0.1:22 10.0.0.2:5000",
        "ESTAB 0 10.0.0.1:22 10.0.0.2:5000", "ESTAB 0 0 10.0.0.1:22", "ESTAB x 0 10.0.0.1:22 10.0.0.2:5000",
        "10.0.0.1%averyverylongdevicename:22 10.0.0.2:5000", "[{\"local_address\":\"10.0.0.1\"}]")]
    public void TryParse_SomethingElse_ShowsTheForms(string line) => Assert.Equal(ConnectionLine.Wanted, Named.OfLine(line));

    [Theory]
    [Rows($"127.0.0.1:ssh 127.0.0.1:5000 | {PrintNumbers}", $"127.0.0.1:22 127.0.0.1:0 | {PrintNumbers}",
        $"127.0.0.1:22 127.0.0.1:65536 | {PrintNumbers}", $"127.0.0.1:22 127.0.0.1:000022 | {PrintNumbers}",
        $"localhost:22 127.0.0.1:5000 | {PrintNumbers}", $"127.1:22 127.0.0.1:5000 | {PrintNumbers}", $"[::g]:22 [::1]:5000 | {PrintNumbers}",
        "ESTAB 0 0 ::1:22 ::1:5000 | an IPv6 address needs brackets", "LISTEN 0 128 0.0.0.0:22 0.0.0.0:* | a listening socket has no peer",
        "LISTEN 0 128 *:22 *:* | a listening socket has no peer", "\t cubic wscale:7,7 rto:204 rtt:0.02/0.01 | omit -i",
        "10.0.0.1:22 10.0.0.2:5000 10.0.0.3:1 | sk:COOKIE only", "10.0.0.1:22 10.0.0.2:5000 sk:0 | the cookie (sk:)",
        "10.0.0.1:22 10.0.0.2:5000 sk: | the cookie (sk:)", "10.0.0.1:22 10.0.0.2:5000 sk:12345678901234567 | the cookie (sk:)",
        "[fe80::1%eth0]:22 [fe80::2%eth1]:5000 | different devices")]
    public void TryParse_InvalidPart_ReportsWhatIsWrong(string line, string advice) => Assert.Contains(advice, Named.OfLine(line), StringComparison.Ordinal);

    /// <summary>ss -p prints the name of a process in front of the cookie, and a process may be called anything.</summary>
    [Fact]
    public void TryParse_ProcessNamedLikeACookie_IsRefused() => Assert.Equal(
        "two cookies (sk:) in one line; omit -p of ss", Named.OfLine("ESTAB 0 0 10.0.0.1:22 10.0.0.2:5000 users:((\"a sk:5 b\",pid=1,fd=3)) ino:12 sk:7"));
}
