namespace TcpCloser.Tests.Diag;

/// <summary>How much memory <c>--matched-for</c> takes. It runs alone, because it measures the memory of the whole process.</summary>
[Collection(nameof(MatchMemorySizeTests))]
[CollectionDefinition(nameof(MatchMemorySizeTests), DisableParallelization = true)]
public sealed class MatchMemorySizeTests
{
    /// <summary>16 bytes each: a million take 16 MiB, and a quiet round allocates nothing.</summary>
    [Fact]
    public void Memory_OfAMillionConnections_Is16MiBAndDoesNotGrow()
    {
        const int Million = 1_000_000;
        const long MaxBytes = 17L * 1024 * 1024;
        ulong[] cookies = [.. Enumerable.Range(0, Million).Select(static i => 1 + (ulong)i * 7_919 % 15_485_863)];
        using var network = new NumberedNamespace(1);
        var memory = new MatchMemory(TimeSpan.FromSeconds(1));
        long before = GC.GetTotalMemory(forceFullCollection: true);
        SeeAll(0, cookies.AsSpan(0, Million / 2));
        SeeAll(1, cookies);
        Assert.Equal(Million, memory.Count);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, 15 * Million, MaxBytes);

        long allocated = GC.GetAllocatedBytesForCurrentThread();
        SeeAll(2, cookies);
        SeeAll(3, cookies.AsSpan(1));
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - allocated);
        Assert.Equal(Million - 1, memory.Count);

        void SeeAll(long nowMs, ReadOnlySpan<ulong> cookies)
        {
            memory.BeginRound(nowMs);
            memory.Begin(network);
            foreach (ulong cookie in cookies)
            {
                _ = memory.See(cookie);
            }

            memory.Complete();
            memory.EndRound(isWhole: true);
        }
    }
}

internal sealed class NumberedNamespace(ulong id) : NetworkNamespace
{
    public override ulong Id => id;
}
