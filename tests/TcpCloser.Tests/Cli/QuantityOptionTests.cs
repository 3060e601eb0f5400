namespace TcpCloser.Tests.Cli;

/// <summary>The options that limit how many connections are closed, and for how long they must have matched.</summary>
public sealed class QuantityOptionTests
{
    [Fact]
    public void Limit_GivenOrNot_IsTheLastValueOrNull()
    {
        Assert.Null(Words.Rule("-s22").Limit);
        Assert.Equal(0, Words.Rule("-s22", "--limit", "0").Limit);
        Assert.Equal(100, Words.Rule("-s22", "--limit=5", "--limit=100").Limit);
    }

    [Theory]
    [Rows("2/peer | 2 | Peer", "1/process | 1 | Process", "2147483647/netns | 2147483647 | Netns")]
    public void Keep_NumberAndKey_AreParsed(string value, int count, string key)
    {
        KeepQuota quota = Words.Rule("-s22", "--keep", value).Keep!.Value;
        Assert.Equal((count, key), (quota.Count, quota.Key.ToString()));
    }

    [Theory]
    [Rows("--limit: cannot be combined with --group-by | --group-by port --limit 5",
        "--keep: cannot be combined with --group-by | --group-by port --keep 5/port",
        "--limit: cannot be combined with --method keepalive | -s22 --limit 5 --method keepalive")]
    public void Quantity_NothingIsClosed_IsRefused(string message, params string[] words) =>
        Assert.StartsWith(message, Words.Refused(words), StringComparison.Ordinal);

    [Fact]
    public void MatchedFor_WithoutInterval_IsRefused()
    {
        Assert.StartsWith("--matched-for: requires -i/--interval", Words.Refused("-s22", "--matched-for", "1m"), StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromMinutes(1), Words.Rule("-s22", "--matched-for", "1m", "-i", "5s").MatchedFor);
        Assert.Equal(TimeSpan.Zero, Words.Rule("-s22", "--matched-for", "0").MatchedFor);
    }
}
