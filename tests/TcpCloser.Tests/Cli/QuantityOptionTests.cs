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
    [InlineData("2/peer", 2, "Peer")]
    [InlineData("1/process", 1, "Process")]
    [InlineData("2147483647/netns", int.MaxValue, "Netns")]
    public void Keep_NumberAndKey_AreParsed(string value, int count, string key)
    {
        KeepQuota quota = Words.Rule("-s22", "--keep", value).Keep!.Value;
        Assert.Equal((count, key), (quota.Count, quota.Key.ToString()));
    }

    [Theory]
    [InlineData("--limit", "5")]
    [InlineData("--keep", "5/port")]
    public void Quantity_WithGroupBy_IsRefused(string option, string value) =>
        Assert.StartsWith($"{option}: cannot be combined with --group-by", Words.Refused("--group-by", "port", option, value), StringComparison.Ordinal);

    [Fact]
    public void Limit_WithKeepalive_IsRefused() =>
        Assert.StartsWith("--limit: cannot be combined with --method keepalive", Words.Refused("-s22", "--limit", "5", "--method", "keepalive"), StringComparison.Ordinal);

    [Fact]
    public void MatchedFor_WithoutInterval_IsRefused()
    {
        Assert.StartsWith("--matched-for: requires -i/--interval", Words.Refused("-s22", "--matched-for", "1m"), StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromMinutes(1), Words.Rule("-s22", "--matched-for", "1m", "-i", "5s").MatchedFor);
        Assert.Equal(TimeSpan.Zero, Words.Rule("-s22", "--matched-for", "0").MatchedFor);
    }
}
