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
    public void Methods(string name, string method) => Assert.Equal(method, Words.Parse("-s", "22", "--method", name).Method.ToString());

    [Fact]
    public void TheLastMethodCounts()
    {
        Assert.Equal(Method.Disconnect, Words.Parse("-s22", "--use-proc", "--method", "disconnect").Method);
        Assert.Equal(Method.Kill, Words.Parse("-s22", "--method", "disconnect", "--use_proc").Method);
    }

    [Fact]
    public void Grace()
    {
        Options options = Words.Parse("-s22", "--method", "kill", "--grace", "5s");
        Assert.Equal(TimeSpan.FromSeconds(5), options.Grace);
        Assert.Equal(15, options.Signal);
        Assert.Equal(1, Words.Parse("-s22", "--method=kill", "--grace=5s", "--signal=HUP").Signal);
        Assert.Equal(9, Words.Parse("-s22", "--method=kill").Signal);
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
        Assert.Null(Words.Parse("-s22").Max);
        Assert.Equal(0, Words.Parse("-s22", "--max", "0").Max);
        Assert.Equal(100, Words.Parse("-s22", "--max=5", "--max=100").Max);
    }

    [Fact]
    public void Flags()
    {
        Options options = Words.Parse("-s22", "--json", "--all-netns", "--include-own-session", "--check");
        Assert.True(options.Json && options.AllNetns && options.IncludeOwnSession && options.Check);
        options = Words.Parse("-s22");
        Assert.False(options.Json || options.AllNetns || options.IncludeOwnSession || options.Check);
    }

    [Fact]
    public void CheckNeedsNothingSelected() => Assert.True(Words.Parse("--check").Check);

    [Theory]
    [InlineData("recv", "Recv")]
    [InlineData("send", "Send")]
    [InlineData("both", "Both")]
    public void IdleBy(string value, string direction) => Assert.Equal(direction, Words.Parse("-s22", "--idle-by", value).IdleBy.ToString());

    [Fact]
    public void NoAckForMakesTheClocksDecide()
    {
        Options options = Words.Parse("-s22", "--no-ack-for", "2m");
        Assert.Equal(TimeSpan.FromMinutes(2), options.NoAckFor);
        Assert.True(options.ConsultsClocks);
    }
}
