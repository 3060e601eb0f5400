using TcpCloser.Cli;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Cli;

/// <summary>How connections are closed, and how many.</summary>
public sealed class ActingOptionTests
{
    [Theory]
    [InlineData("auto", "Auto")]
    [InlineData("destroy", "Destroy")]
    [InlineData("disconnect", "Disconnect")]
    [InlineData("kill", "Kill")]
    public void Methods(string name, string method)
    {
        Method parsed = Words.Rule("-s", "22", "--method", name).Method;
        Assert.Equal(method, parsed.ToString());
        Assert.Equal(name, MethodName.Of(parsed));
    }

    [Fact]
    public void TheLastMethodCounts()
    {
        Assert.Equal(Method.Disconnect, Words.Rule("-s22", "--use-proc", "--method", "disconnect").Method);
        Assert.Equal(Method.Kill, Words.Rule("-s22", "--method", "disconnect", "--use_proc").Method);
    }

    [Fact]
    public void Grace()
    {
        Rule rule = Words.Rule("-s22", "--method", "kill", "--grace", "5s");
        Assert.Equal(TimeSpan.FromSeconds(5), rule.Grace);
        Assert.Equal(15, rule.Signal);
        Assert.Equal(1, Words.Rule("-s22", "--method=kill", "--grace=5s", "--signal=HUP").Signal);
        Assert.Equal(9, Words.Rule("-s22", "--method=kill").Signal);
    }

    [Theory]
    [InlineData("--grace", "5s")]
    [InlineData("--grace", "5s", "--method", "destroy")]
    [InlineData("--signal", "TERM", "--method", "disconnect")]
    [InlineData("--use-proc", "--grace", "5s", "--method", "auto")]
    public void WhatBelongsToKill(params string[] words) => Assert.Contains("--method kill", Words.Refused(["-s", "22", .. words]), StringComparison.Ordinal);

    [Fact]
    public void Max()
    {
        Assert.Null(Words.Rule("-s22").Max);
        Assert.Equal(0, Words.Rule("-s22", "--max", "0").Max);
        Assert.Equal(100, Words.Rule("-s22", "--max=5", "--max=100").Max);
    }

    [Fact]
    public void Flags()
    {
        (Rule rule, RunOptions run) = Words.Parse("-s22", "--json", "--all-netns", "--include-own-session", "--check");
        Assert.True(run.Json && rule.AllNetns && rule.IncludeOwnSession && run.Check);
        (rule, run) = Words.Parse("-s22");
        Assert.False(run.Json || rule.AllNetns || rule.IncludeOwnSession || run.Check);
    }

    [Fact]
    public void CheckNeedsNothingSelected() => Assert.True(Words.Run("--check").Check);

    [Theory]
    [InlineData("recv", "Recv")]
    [InlineData("send", "Send")]
    [InlineData("both", "Both")]
    public void IdleBy(string value, string direction) => Assert.Equal(direction, Words.Rule("-s22", "--idle-by", value).IdleBy.ToString());

    [Fact]
    public void NoAckForMakesTheClocksDecide()
    {
        Rule rule = Words.Rule("-s22", "--no-ack-for", "2m");
        Assert.Equal(TimeSpan.FromMinutes(2), rule.NoAckFor);
        Assert.True(rule.ConsultsClocks);
    }
}
