namespace TcpCloser.Fuzz;

/// <summary>Pseudorandom numbers from a seed (SplitMix64), the same on every runtime.</summary>
internal sealed class Dice(ulong seed)
{
    private ulong _state = seed;

    public ulong Next()
    {
        ulong z = _state += 0x9e3779b97f4a7c15;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
        z = (z ^ z >> 27) * 0x94d049bb133111eb;
        return z ^ z >> 31;
    }

    /// <summary>A number from 0 to below <paramref name="count"/>.</summary>
    public int Below(int count) => (int)(Next() % (uint)count);

    public bool OneIn(int count) => Below(count) == 0;
    public T Pick<T>(IReadOnlyList<T> values) => values[Below(values.Count)];
}
