using TcpCloser.Diag;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Diag;

/// <summary>Which connections are meant, held against every socket once more after the kernel's filter.</summary>
public sealed class SelectionTests
{
    [Theory]
    [InlineData("-4", "10.0.0.1:22 10.0.0.2:5", true)]
    [InlineData("-4", "::ffff:10.0.0.1:22 ::ffff:10.0.0.2:5", true)]
    [InlineData("-4", "fd00::1:22 fd00::2:5", false)]
    [InlineData("-6", "10.0.0.1:22 10.0.0.2:5", false)]
    [InlineData("-6", "::ffff:10.0.0.1:22 ::ffff:10.0.0.2:5", true)]
    [InlineData("-6", "fd00::1:22 fd00::2:5", true)]
    [InlineData("-46", "10.0.0.1:22 10.0.0.2:5", true)]
    [InlineData("-46", "::ffff:10.0.0.1:22 ::ffff:10.0.0.2:5", true)]
    [InlineData("-46", "fd00::1:22 fd00::2:5", true)]
    public void Family(string families, string ends, bool matches) => Assert.Equal(matches, Matches(ends, 1, families, "-s", "22"));

    [Theory]
    [InlineData(true, "-s", "22")]
    [InlineData(true, "-d", "80")]
    [InlineData(true, "-s", "22", "-d", "80")]
    [InlineData(true, "-s", "1,20-30")]
    [InlineData(false, "-s", "80")]
    [InlineData(false, "-d", "22")]
    [InlineData(false, "-s", "22", "-d", "81")]
    [InlineData(false, "-s", "23", "-d", "80")]
    [InlineData(false, "-s", "5632")]
    public void Ports(bool matches, params string[] words) => Assert.Equal(matches, Matches("10.0.0.1:22 10.0.0.2:80", 1, words));

    [Theory]
    [InlineData(1, true, "-s", "22")]
    [InlineData(10, false, "-s", "22")]
    [InlineData(10, false, "-s", "22", "--state", "all")]
    [InlineData(10, true, "-s", "22", "--state", "listen")]
    [InlineData(8, true, "-s", "22", "--state", "all")]
    [InlineData(1, false, "-s", "22", "--state", "close-wait")]
    public void States(byte state, bool matches, params string[] words) =>
        Assert.Equal(matches, Matches("10.0.0.1:22 10.0.0.2:80", state, words));

    /// <summary>A socket that no process has open shows uid 0, which does not make it root's.</summary>
    [Theory]
    [InlineData("33", 33u, 7u, true)]
    [InlineData("33", 0u, 7u, false)]
    [InlineData("33,34", 34u, 7u, true)]
    [InlineData("33", 33u, 0u, false)]
    [InlineData("0", 0u, 7u, true)]
    [InlineData("0", 0u, 0u, false)]
    public void Owner(string uids, uint uid, uint inode, bool matches)
    {
        Connection connection = Connections.Of("10.0.0.1:22 10.0.0.2:80");
        (connection.Uid, connection.Inode) = (uid, inode);
        Assert.Equal(matches, Words.Matches(Words.Select("--uid", uids), in connection));
    }

    private static bool Matches(string ends, byte state, params string[] words)
    {
        Connection connection = Connections.Of(ends, state);
        return Words.Matches(Words.Select(words), in connection);
    }
}
