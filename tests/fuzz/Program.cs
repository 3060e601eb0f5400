using System.Globalization;
using TcpCloser.Fuzz;

// The same inputs each time, unless a seed is given: a new failure is then due to a change, not to chance.
const ulong FirstSeed = 1;

// --seconds N: total time for all targets; 0: one input each. --seed N: the seed of the first input of each target.
string? Option(string name) => Array.IndexOf(args, name) is var at and >= 0 && at + 1 < args.Length ? args[at + 1] : null;
double seconds = double.Parse(Option("--seconds") ?? "25", CultureInfo.InvariantCulture);
ulong seed = Option("--seed") is { } given ? ulong.Parse(given, CultureInfo.InvariantCulture) : FirstSeed;
ITarget[] targets =
[
    new Dumps(), new LookUps(), new DestroyAnswers(), new RouteDumps(), new ProcTexts(), new SystemFiles(), new ConnectionLists(), new DamagedRounds(), new CommandLines(),
];

Console.WriteLine($"seed {seed}");
int failed = 0;
foreach (ITarget target in targets)
{
    var campaign = new Campaign(target, seed);
    campaign.Run(TimeSpan.FromSeconds(seconds / targets.Length));
    failed += campaign.Findings > 0 ? 1 : 0;
}

Console.WriteLine($"{targets.Length - failed} passed, {failed} failed, 0 skipped");
return failed > 0 ? 1 : 0;
