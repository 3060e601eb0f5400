using System.Globalization;

namespace TcpCloser.KernelTests.Harness.Paths;

/// <summary>Consecutive sockets of a <see cref="SocketProcess"/>, by their numbers there.</summary>
/// <param name="Process">The process that holds them.</param>
/// <param name="Text">The range in the syntax of the commands: <c>0-9</c>.</param>
internal sealed record SocketRange(SocketProcess Process, string Text)
{
    private int First => int.Parse(Text.Split('-')[0], CultureInfo.InvariantCulture);
    internal int Count => int.Parse(Text.Split('-')[1], CultureInfo.InvariantCulture) - First + 1;
    internal SocketRange this[int index] => this with { Text = $"{First + index}-{First + index}" };

    /// <summary>The states that their owner observes, with counts: <c>3 alive</c>.</summary>
    internal string[] Views => Process.Ask($"look {Text}");

    /// <summary>Their keepalive options, with counts.</summary>
    internal string[] Options => Process.Ask($"options {Text}");

    internal string[] AllOptions => Process.Ask($"all-options {Text}");

    internal Dictionary<string, string>[] AllInfo => [.. Process.Ask($"info {Text}")
        .Select(static line => line.Split(' ').Skip(1).Select(static word => word.Split('=')).ToDictionary(static pair => pair[0], static pair => pair[1]))];

    internal IEnumerable<SocketRange> Each => Enumerable.Range(0, Count).Select(i => this[i]);

    /// <summary>A number in the TCP_INFO of the first socket.</summary>
    internal long Info(string name) => long.Parse(InfoWord(name), CultureInfo.InvariantCulture);

    /// <summary>A word in the TCP_INFO of the first socket.</summary>
    internal string InfoWord(string name) => Process.Ask($"info {First}")[0].Split(' ').Select(static word => word.Split('='))
        .Single(pair => pair[0] == name)[1];

    internal long Port => Info("port");
    internal long[] Infos(string name) => [.. AllInfo.Select(line => Number(line, name))];
    internal long[] Ports => Infos("port");
    internal void Do(string call) => _ = Process.Ask($"{call} {Text}");

    /// <summary>Closes them without sending anything, like a machine that loses power (TCP_REPAIR, tcp(7)).</summary>
    internal void CloseSilently()
    {
        Set(6, 19, 1);
        Do("close");
    }

    internal void Set(int level, int option, int value) => _ = Process.Ask($"set {Text} {level} {option} {value}");

    /// <summary>Sends that many bytes over each socket. Returns the time right before, by the monotonic clock in milliseconds.</summary>
    internal long Send(int bytes = 1) => long.Parse(Process.Ask($"send {Text} {bytes}")[0].AsSpan(3), CultureInfo.InvariantCulture);

    /// <summary>Sends until the peer's window is closed and some data does not fit into it.</summary>
    internal void Fill() => Until.True(
        () =>
        {
            Send(1_000_000);
            return AllInfo.All(static line => line["unacked"] == "0" && line["notsent"] != "0");
        },
        "a closed window");

    /// <summary>
    /// Sends exactly as much as fits into the window of the first socket's peer, which does not read: the window is closed, and no
    /// data waits.
    /// </summary>
    internal void FillExactly()
    {
        while (Info("window") is > 0 and long window)
        {
            Send((int)Math.Min(window, 1_000));
            Until.True(() => Info("unacked") == 0, "the acknowledgement");
        }
    }

    /// <summary>Waits until neither data nor an acknowledgement was received for that long.</summary>
    internal SocketRange WaitQuiet(int milliseconds)
    {
        Until.True(() => AllInfo.All(line => Quiet(line) >= milliseconds), $"{milliseconds} ms of quiet");
        return this;
    }

    internal void WaitFor(string view) => Until.True(() => Views is [var only] && only.EndsWith(" " + view, StringComparison.Ordinal), $"{view}: {Text}");
    private static long Number(Dictionary<string, string> line, string name) => long.Parse(line[name], CultureInfo.InvariantCulture);
    private static long Quiet(Dictionary<string, string> line) => Math.Min(Number(line, "received"), Number(line, "acknowledged"));
}
