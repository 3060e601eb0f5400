using CsCheck;

namespace TcpCloser.Tests.Diag;

/// <summary>The cookies that a dump has listed recently.</summary>
public sealed class RecentCookiesTests
{
    /// <summary>Any number of cookies, of which any number up to the window's length is listed again.</summary>
    [Fact]
    public void Cookie_ListedAgainWithinTheWindow_IsNotNew() =>
        Gen.Select(Gen.ULong[1, 1 << 20], Gen.Int[1, 3], Gen.Int[1, 3 * RecentCookies.Length], Gen.Int[1, RecentCookies.Length])
            .Sample((first, step, listed, again) =>
            {
                var recent = new RecentCookies();
                for (int i = 0; i < listed; i++)
                {
                    Assert.True(recent.Add(first + (ulong)(i * step)));
                }

                for (int i = Math.Max(listed - again, 0); i < listed; i++)
                {
                    Assert.False(recent.Add(first + (ulong)(i * step)));
                }

                Assert.True(recent.Add(first + (ulong)(listed * step)));
            }, iter: 300);

    /// <summary>Before Linux 4.3 a cookie is the address of the socket: cookies are far apart, and equal in their low bits.</summary>
    [Fact]
    public void Cookie_IsAnAddress_IsNotNewTheSecondTime()
    {
        var recent = new RecentCookies();
        ulong[] addresses = [.. Enumerable.Range(0, RecentCookies.Length).Select(static i => 0xffff_8880_0000_0000 + ((ulong)i << 11))];
        Assert.All(addresses, address => Assert.True(recent.Add(address)));
        Assert.All(addresses, address => Assert.False(recent.Add(address)));
    }

    [Fact]
    public void Cookie_ListedByThePreviousDump_IsNew()
    {
        var recent = new RecentCookies();
        Assert.True(recent.Add(7));
        Assert.False(recent.Add(7));
        recent.Clear();
        Assert.True(recent.Add(7));
    }
}
