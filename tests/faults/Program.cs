using TcpCloser.Faults;

// modes: prints all modes. run MODE [--all] [--only CALL[:OCCURRENCE[:FAULT]]]: injects the faults of one, in the namespaces of run.sh.
string Option(string name) => Array.IndexOf(args, name) is var at and >= 0 && at + 1 < args.Length ? args[at + 1] : "";
switch (args)
{
    case ["modes"]:
        foreach (Mode mode in Modes.All)
        {
            Console.WriteLine(mode.Name);
        }

        return 0;
    case ["run", var name, ..] when Modes.Find(name) is { } mode:
        if (mode.Needs.Length > 0 && !Tool.Knows(mode.Needs))
        {
            Console.WriteLine($"{mode.Name}: this build has no {mode.Needs}");
            Console.WriteLine("0 passed, 0 failed, 1 skipped");
            return 0;
        }

        return new Campaign(mode, args.Contains("--all"), Option("--only")).Execute() ? 0 : 1;
    default:
        Console.Error.WriteLine("usage: modes | run MODE [--all] [--only CALL[:OCCURRENCE[:FAULT]]]");
        return 2;
}
