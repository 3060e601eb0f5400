namespace TcpCloser.Lab;

/// <summary>
/// Answers the commands on stdin, one per line; every answer ends with the line <c>.</c>, an error is the line <c>error:
/// …</c>.
/// </summary>
internal sealed class CommandLoop(LabSession session)
{
    private static readonly string[] s_views = ["alive", "eof", "reset", "aborted", "notconn", "pipe", "closed"];

    internal void Run()
    {
        LineReader input = new(0);
        while (input.ReadLine() is { } line)
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words is ["quit"])
            {
                return;
            }

            try
            {
                LineWriter.Write(words.Length == 0 ? ["."] : [.. Answer(words), "."]);
            }
            catch (LabException failure)
            {
                LineWriter.Write([$"error: {failure.Message}", "."]);
            }
        }
    }

    private IEnumerable<string> Answer(string[] words) => words switch
    {
        ["state"] => State(),
        ["list"] => List(),
        ["processes"] => Processes(),
        ["send"] => Merge("send").Select(count => $"{count.Role} {count.Item}={count.Number}"),
        ["close-clients"] => SendAll("close client"),
        ["close-servers"] => SendAll("close server"),
        ["reuse", var from, var to] => AskHolder($"reuse {session.Connections.ServerRole} {from} {to}"),
        ["give" or "leave-in-bus", var index, var path] => AskHolder($"{words[0]} {session.Connections.ServerRole} {index} {path}"),
        ["busy-off"] => SendAll("busy-off"),
        ["accept"] => Accept(0),
        ["accept", var listener] => Accept(int.Parse(listener, CultureInfo.InvariantCulture)),
        ["wait-ended", var number, var milliseconds] => WaitEnded(
            int.Parse(number, CultureInfo.InvariantCulture),
            int.Parse(milliseconds, CultureInfo.InvariantCulture)),
        ["run" or "run-inheriting", ..] => AskHolder($"run {(words[0] == "run-inheriting" ? "inherit" : "plain")} {string.Join(' ', words.Skip(1))}"),
        _ => throw new LabException($"unknown command '{string.Join(' ', words)}'"),
    };

    private IEnumerable<string> State()
    {
        Dictionary<(string Role, string View), int> counts = [];
        foreach (var (role, view, number) in Merge("state"))
        {
            string group = role.StartsWith("decoy-", StringComparison.Ordinal) ? "decoy" : role;
            CollectionsMarshal.GetValueRefOrAddDefault(counts, (group, Array.IndexOf(s_views, view) < 0 ? "other" : view), out _) += number;
        }
        foreach (string role in new[] { "server", "client", "decoy" })
        {
            int seen = counts.Where(count => count.Key.Role == role).Sum(count => count.Value);
            yield return role + string.Concat(s_views.Append("other").Select(view => $" {view}={counts.GetValueOrDefault((role, view))}"))
                + $" gone={session.HandedOver(role) - seen}";
        }
        int listening = session.Connections.ListenerFds.Count(fd => Tcp.State(fd) == Tcp.Listen) + counts.GetValueOrDefault(("listener", "alive"));
        int dead = session.Connections.ListenerFds.Length - session.Connections.ListenerFds.Count(fd => Tcp.State(fd) == Tcp.Listen)
            + counts.Where(count => count.Key is { Role: "listener", View: not "alive" }).Sum(count => count.Value);
        yield return $"listener alive={listening} dead={dead}";
        int alive = session.Processes.Count(process => process.IsAlive());
        yield return $"processes alive={alive} dead={session.Processes.Count() - alive}";
    }

    /// <summary>
    /// One line per connection: <c>0 server=A:P client=A:P server-end=aborted server-tcp=closed … client-end=reset
    /// …</c>.
    /// </summary>
    private IEnumerable<string> List()
    {
        Dictionary<(string Role, string Index), string> ends = [];
        foreach (string line in AskAll("list"))
        {
            // "server 0 aborted closed saw=ECONNABORTED,eof sent=EPIPE"
            string[] words = line.Split(' ', 5);
            string rest = words.Length > 4 ? " " + string.Join(' ', words[4].Split(' ').Select(word => $"{words[0]}-{word}")) : "";
            ends[(words[0], words[1])] = $" {words[0]}-end={words[2]} {words[0]}-tcp={words[3]}{rest}";
        }
        for (int i = 0; i < session.Connections.Count; i++)
        {
            string index = i.ToString(CultureInfo.InvariantCulture);
            yield return $"{i} server={session.Connections.Server(i)} client={session.Connections.Client(i)}"
                + Describe("server", index) + Describe("client", index);
        }

        string Describe(string role, string index)
            => ends.GetValueOrDefault((role, index), $" {role}-end={(session.HandedOver(role) > 0 ? "gone" : "none")}");
    }

    private IEnumerable<string> Processes()
        => session.Processes.Select(process => $"pid={process.Pid} role={process.Role} state={(process.IsAlive() ? "alive" : process.Fate)}");

    private IEnumerable<string> Accept(int listener)
        => session.Connections.ListenerProcess is { } process
            ? process.Channel.Ask($"accept {listener}") ?? throw new LabException("the listener's process has ended")
            : Acceptor.Accept(session.Connections.ListenerFds[listener]);

    /// <summary>Waits until that many of the tested ends have ended; returns how many have, whether in time or not.</summary>
    private IEnumerable<string> WaitEnded(int number, int milliseconds)
    {
        string role = session.SubjectRole;
        int ended = 0;
        Wait.For(
            () =>
            {
                int held = 0;
                ended = 0;
                foreach (var process in session.Connections.Processes)
                {
                    if (process.IsAlive() && process.Channel.Ask($"ended {role}") is [var answer])
                    {
                        string[] words = answer.Split(' ');
                        held += int.Parse(words[0], CultureInfo.InvariantCulture);
                        ended += int.Parse(words[1], CultureInfo.InvariantCulture);
                    }
                }
                ended += session.HandedOver(role) - held; // the ends of dead processes
                return ended >= number;
            },
            milliseconds);
        yield return $"ended={ended}";
    }

    /// <summary>Sends a request to the first living process that holds server ends.</summary>
    private List<string> AskHolder(string request)
    {
        var holder = session.Connections.Processes.First(process => process.Role == session.Connections.ServerRole && process.IsAlive());
        return holder.Channel.Ask(request) ?? throw new LabException("the holder has ended");
    }

    private List<string> SendAll(string request)
    {
        AskAll(request);
        return [];
    }

    private List<string> AskAll(string request) => [.. session.Processes
        .Where(static process => process.Role != "decoy-files" && process.IsAlive())
        .SelectMany(process => process.Channel.Ask(request) ?? [])];

    /// <summary>Sums lines of <c>role item number</c> over the processes.</summary>
    private IEnumerable<(string Role, string Item, int Number)> Merge(string request) => AskAll(request)
        .Select(static line => line.Split(' '))
        .GroupBy(static words => (words[0], words[1]), static words => int.Parse(words[2], CultureInfo.InvariantCulture))
        .Select(static group => (group.Key.Item1, group.Key.Item2, group.Sum()));
}
