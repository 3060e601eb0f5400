using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.Versioning;
using TcpCloser.Matrix;

[assembly: SupportedOSPlatform("linux")]

// list | run, each with --all (triples), --seed N; run also with --row N, --row 'FACTOR=LEVEL ...', --jobs N. run.sh sets the binaries.
const int DefaultSeed = 21;
const int DefaultJobs = 16;

string? Option(string name) => Array.IndexOf(args, name) is var at and >= 0 && at + 1 < args.Length ? args[at + 1] : null;
int Number(string name, int defaultValue) => Option(name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : defaultValue;

if (args is not ["list" or "run", ..])
{
    Console.Error.WriteLine("usage: list|run [--all] [--seed N] [--row N|'FACTOR=LEVEL ...'] [--jobs N]");
    return 2;
}

string? wanted = Option("--row");
List<Row> rows = wanted?.Contains('=') == true
    ? Row.Parse(wanted) is { } row ? [row] : []
    : CoveringArray.Generate(args.Contains("--all") ? 3 : 2, Number("--seed", DefaultSeed));
if (wanted is not null && int.TryParse(wanted, CultureInfo.InvariantCulture, out int number))
{
    rows = rows.FindAll(row => row.Number == number);
}

if (rows.Count == 0)
{
    Console.Error.WriteLine($"--row {wanted}: there is no such row");
    return 2;
}

if (args[0] == "list")
{
    rows.ForEach(static row => Console.WriteLine($"{row.Number} {row}"));
    return 0;
}

string directory = Path.Combine("artifacts", "matrix");
Directory.CreateDirectory(directory);
using CopiedBinaries binaries = new();
// The slow rows first, so that none is left at the end.
ConcurrentQueue<Row> queue = new(rows.OrderByDescending(static row => row.ProbeTime * (row.IsService ? Scene.MaxWaves : 1)));
ConcurrentDictionary<string, int> skipped = [];
int passed = 0;
int failed = 0;
Stopwatch time = Stopwatch.StartNew();
Thread[] workers = [.. Enumerable.Range(0, Math.Min(Number("--jobs", DefaultJobs), rows.Count)).Select(_ => new Thread(Work))];
Array.ForEach(workers, static worker => worker.Start());
Array.ForEach(workers, static worker => worker.Join());
foreach ((string reason, int count) in skipped)
{
    Console.WriteLine($"skipped {count} rows: {reason}");
}

Console.WriteLine($"{rows.Count} rows in {time.Elapsed.TotalSeconds:0} s");
Console.WriteLine($"{passed} passed, {failed} failed, {skipped.Values.Sum()} skipped");
return failed > 0 || passed == 0 ? 1 : 0;

void Work()
{
    while (queue.TryDequeue(out Row? row))
    {
        Trial trial = new(row, binaries);
        trial.Execute();
        File.WriteAllText(Path.Combine(directory, $"row-{row.Number}.log"), $"{row}\n{trial.Record}\n{string.Join('\n', trial.Findings)}\n");
        if (trial.Skipped is { } reason)
        {
            skipped.AddOrUpdate(reason, 1, static (_, count) => count + 1);
        }
        else if (trial.Findings.Count == 0)
        {
            Interlocked.Increment(ref passed);
        }
        else
        {
            Interlocked.Increment(ref failed);
            Console.WriteLine($"FAILED --row '{row}' (row {row.Number}): {string.Join("; ", trial.Findings)}");
        }

        if (wanted is not null)
        {
            Console.WriteLine(trial.Record);
        }
    }
}
