using System.Diagnostics;

namespace TcpCloser.Fuzz;

/// <summary>Gives one target inputs until the time is over. Each follows from a seed of its own, so that it can be tried again alone.</summary>
/// <param name="target">What is tried.</param>
/// <param name="seed">That of the first input; each further one has the next.</param>
internal sealed class Campaign(ITarget target, ulong seed)
{
    /// <summary>No input takes as long as this on a busy machine, in seconds.</summary>
    private const int Patience = 30;

    /// <summary>More findings are most often the same.</summary>
    private const int MostFindings = 3;

    private long _inputs;
    private long _taken;
    private long _begunAt;

    public int Findings { get; private set; }

    /// <summary>Runs at least one input.</summary>
    public void Run(TimeSpan time)
    {
        long started = _begunAt = Stopwatch.GetTimestamp();
        using (new Timer(_ => EndIfHung(), null, 1000, 1000))
        {
            do
            {
                Volatile.Write(ref _begunAt, Stopwatch.GetTimestamp());
                TryOne(seed + (ulong)_inputs);
                _inputs++;
            }
            while (Findings < MostFindings && Stopwatch.GetElapsedTime(started) < time);
        }

        Console.WriteLine($"{target.Name}: {_inputs} inputs, {_taken} of them taken, {Findings} findings");
    }

    private void TryOne(ulong input)
    {
        try
        {
            _taken += target.Try(new Dice(input)) ? 1 : 0;
        }
#pragma warning disable CA1031 // whatever the program throws is what is looked for
        catch (Exception e)
#pragma warning restore CA1031
        {
            Findings++;
            Console.WriteLine($"FOUND by {target.Name}; again: tests/fuzz/run.sh --seconds 0 --seed {input}\n{e}");
        }
    }

    private void EndIfHung()
    {
        if (Stopwatch.GetElapsedTime(Volatile.Read(ref _begunAt)).TotalSeconds > Patience)
        {
            Console.WriteLine($"FOUND by {target.Name}, which does not come back; again: --seconds 0 --seed {seed + (ulong)_inputs}");
            Console.WriteLine("0 passed, 1 failed, 0 skipped");
            Environment.Exit(1);
        }
    }
}
