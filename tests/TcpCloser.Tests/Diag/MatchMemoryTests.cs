using CsCheck;

namespace TcpCloser.Tests.Diag;

/// <summary>The memory of <c>--matched-for</c>.</summary>
public sealed class MatchMemoryTests : IDisposable
{
    private const int TimeMs = 1_000;

    private readonly MatchMemory _memory = new(TimeSpan.FromMilliseconds(TimeMs));
    private readonly NumberedNamespace _network = new(1);
    private readonly NumberedNamespace _other = new(2);

    public void Dispose()
    {
        _network.Dispose();
        _other.Dispose();
    }

    [Fact]
    public void See_MatchesInEveryRound_IsLongEnoughAtTheTime()
    {
        Assert.Equal([false], Round(0, 7));
        Assert.Equal([false], Round(TimeMs - 1, 7));
        Assert.Equal([true], Round(TimeMs, 7));
        Assert.Equal([true, false], Round(TimeMs + 1, 7, 8));
    }

    /// <summary>A connection that does not match in a round, for example because of its state, begins again.</summary>
    [Fact]
    public void See_MissingInOneRound_BeginsAgain()
    {
        Round(0, 7, 8);
        Round(600, 8);
        Assert.Equal(1, _memory.Count);
        Assert.Equal([false, true], Round(1_200, 7, 8));
        Assert.Equal([true, true], Round(2_200, 7, 8));
    }

    /// <summary>A round that failed, or in which a name could not be resolved, does not start the time again.</summary>
    [Theory]
    [Values("not listed", "aborted", "names missing")]
    public void See_RoundThatIsNotWhole_KeepsTheTime(string failure)
    {
        Round(0, 7, 8);
        RoundThatIsNotWhole(600, failure, 9);
        Assert.Equal([true, true, false], Round(1_000, 7, 8, 9));
        Assert.Equal(failure == "names missing", Round(1_600, 7, 8, 9)[2]);
    }

    /// <summary>A connection that a round saw before it failed begins again if the next one does not see it.</summary>
    [Theory]
    [Values("not listed", "aborted", "names missing")]
    public void See_MissingAfterARoundThatIsNotWhole_BeginsAgain(string failure)
    {
        Round(0, 7, 8);
        RoundThatIsNotWhole(100, failure, 7);
        Round(200, 8);
        Assert.Equal(1, _memory.Count);
        Assert.Equal([false, true], Round(1_000, 7, 8));
    }

    /// <summary>A connection that only one of several rounds saw, none of which was whole, is forgotten no earlier than the others.</summary>
    [Fact]
    public void EndRound_SeenInOneOfTenRoundsThatAreNotWhole_IsKept()
    {
        Round(0, 7, 8);
        for (int i = 1; i <= 10; i++)
        {
            Round(i, isWhole: false, i == 3 ? 7ul : 8ul);
        }

        Assert.Equal([true, true], Round(1_000, 7, 8));
    }

    /// <summary>A failure that lasts must not let the memory grow.</summary>
    [Fact]
    public void EndRound_TenRoundsThatAreNotWhole_ForgetsWhatWasNotSeen()
    {
        Round(0, 7, 8);
        for (int i = 1; i <= 10; i++)
        {
            Assert.Equal(2, _memory.Count);
            Round(i, isWhole: false, 8);
        }

        Assert.Equal(1, _memory.Count);
        Assert.Equal([false, true], Round(1_000, 7, 8));
    }

    /// <summary>Before Linux 5.4, two network namespaces may have the same cookie.</summary>
    [Fact]
    public void See_SameCookieInTwoNamespaces_AreTwoConnections()
    {
        Round(0, 7);
        _memory.BeginRound(1_000);
        Assert.Equal([true], List(_network, 7));
        Assert.Equal([false], List(_other, 7));
        _memory.EndRound(isWhole: true);
        Assert.Equal(2, _memory.Count);
    }

    /// <summary>A namespace that fails keeps its connections, and one that no longer exists is forgotten.</summary>
    [Fact]
    public void EndRound_NamespaceFailsOrIsGone_IsKeptOrForgotten()
    {
        _memory.BeginRound(0);
        List(_network, 7);
        List(_other, 7, 8);
        _memory.EndRound(isWhole: true);

        _memory.BeginRound(500);
        List(_network, 7);
        _memory.Begin(_other);
        _memory.Restart();
        _memory.EndRound(isWhole: true);
        Assert.Equal(3, _memory.Count);

        Round(600, isWhole: false, 7); // the search for namespaces failed
        Assert.Equal(3, _memory.Count);

        Round(700, 7);
        Assert.Equal(1, _memory.Count);
    }

    /// <summary>The kernel lists from the start again: what it no longer lists has ended.</summary>
    [Fact]
    public void Restart_ListingBeginsAgain_CountsEachOnce()
    {
        _memory.BeginRound(0);
        _memory.Begin(_network);
        _memory.See(7);
        _memory.See(8);
        _memory.Restart();
        _memory.See(8);
        _memory.Complete();
        _memory.EndRound(isWhole: true);
        Assert.Equal(1, _memory.Count);
    }

    /// <summary>It agrees with a dictionary, in whatever order the connections come.</summary>
    [Fact]
    public void See_RandomRounds_AgreesWithADictionary() =>
        Gen.ULong[1, 60].HashSet[0, 40].Select(static set => set.ToArray()).Array[1, 12].Sample(static rounds =>
        {
            var memory = new MatchMemory(TimeSpan.FromMilliseconds(3));
            var network = new NumberedNamespace(1);
            Dictionary<ulong, int> since = [];
            for (int round = 0; round < rounds.Length; round++)
            {
                since = rounds[round].ToDictionary(static cookie => cookie, cookie => since.GetValueOrDefault(cookie, round));
                Assert.Equal(rounds[round].Select(cookie => round - since[cookie] >= 3), Round(memory, network, round, rounds[round]));
                Assert.Equal(since.Count, memory.Count);
            }
        }, iter: 2_000);

    private void RoundThatIsNotWhole(long nowMs, string failure, ulong cookie)
    {
        _memory.BeginRound(nowMs);
        _memory.Begin(_network);
        _memory.See(cookie);
        Action end = failure == "names missing" ? _memory.Complete : _memory.Restart;
        end();
        if (failure != "aborted")
        {
            _memory.EndRound(isWhole: failure == "not listed");
        }
    }

    private bool[] Round(long nowMs, params ulong[] cookies) => Round(nowMs, isWhole: true, cookies);

    private bool[] Round(long nowMs, bool isWhole, params ulong[] cookies) => Round(_memory, _network, nowMs, cookies, isWhole);

    private static bool[] Round(MatchMemory memory, NetworkNamespace network, long nowMs, ulong[] cookies, bool isWhole = true)
    {
        memory.BeginRound(nowMs);
        bool[] seen = List(memory, network, cookies);
        memory.EndRound(isWhole);
        return seen;
    }

    private bool[] List(NetworkNamespace network, params ulong[] cookies) => List(_memory, network, cookies);

    private static bool[] List(MatchMemory memory, NetworkNamespace network, ulong[] cookies)
    {
        memory.Begin(network);
        bool[] seen = [.. cookies.Select(memory.See)];
        memory.Complete();
        return seen;
    }
}
