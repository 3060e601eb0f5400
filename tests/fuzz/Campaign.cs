using System.Diagnostics;

namespace TcpCloser.Fuzz;

/// <summary>Gives inputs to one target until the time is over. Each follows from its own seed, so that it can be repeated alone.</summary>
/// <param name="target">The part of the program under test.</param>
/// <param name="seed">The seed of the first input; each further input has the next number.</param>
internal sealed class Campaign(ITarget target, ulong seed)
{
    /// <summary>The limit for one input, in seconds: far more than a busy machine needs.</summary>
    private const int LimitSeconds = 30;
    /// <summary>Further findings are usually repetitions.</summary>
    private const int MaxFindings = 3;
    private long _inputs;
    private long _accepted;
    private long _startedAt;

    public int Findings { get; private set; }

    public void Run(TimeSpan time)
    {
        long started = _startedAt = Stopwatch.GetTimestamp();
        using (new Timer(_ => EndIfHung(), null, 1000, 1000))
        {
            do
            {
                Volatile.Write(ref _startedAt, Stopwatch.GetTimestamp());
                TryOne(seed + (ulong)_inputs);
                _inputs++;
            }
            while (Findings < MaxFindings && Stopwatch.GetElapsedTime(started) < time);
        }

        Console.WriteLine($"{target.Name}: {_inputs} inputs, {_accepted} of them accepted, {Findings} findings");
    }

    private void TryOne(ulong input)
    {
        try
        {
            _accepted += target.Try(new Dice(input)) ? 1 : 0;
        }
#pragma warning disable CA1031 // any exception of the program is a finding
        catch (Exception e)
#pragma warning restore CA1031
        {
            Findings++;
            Console.WriteLine($"FOUND by {target.Name}; to repeat: tests/fuzz/run.sh --seconds 0 --seed {input}\n{e}");
        }
    }

    private void EndIfHung()
    {
        if (Stopwatch.GetElapsedTime(Volatile.Read(ref _startedAt)).TotalSeconds > LimitSeconds)
        {
            string repeat = $"tests/fuzz/run.sh --seconds 0 --seed {seed + (ulong)_inputs}";
            Console.WriteLine($"FOUND by {target.Name}: no end within {LimitSeconds} s; to repeat: {repeat}");
            Console.WriteLine("0 passed, 1 failed, 0 skipped");
            Environment.Exit(1);
        }
    }
}
