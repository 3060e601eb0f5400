using System.Globalization;

namespace TcpCloser.KernelTests.Harness.Paths;

/// <summary>Sockets of a <see cref="SocketProcess"/>, by their numbers there.</summary>
/// <param name="Process">Who has them.</param>
/// <param name="Text">As a command names them: <c>0-9</c>.</param>
internal sealed record SocketRange(SocketProcess Process, string Text)
{
    private int First => int.Parse(Text.Split('-')[0], CultureInfo.InvariantCulture);

    internal int Count => int.Parse(Text.Split('-')[1], CultureInfo.InvariantCulture) - First + 1;

    /// <summary>One of them.</summary>
    internal SocketRange this[int index] => this with { Text = $"{First + index}-{First + index}" };

    /// <summary>How they are for their owner, and how many are so: <c>3 alive</c>.</summary>
    internal string[] Looks => Process.Ask($"look {Text}");

    /// <summary>Their keepalive options, and how many have these.</summary>
    internal string[] Options => Process.Ask($"options {Text}");

    /// <summary>A number that TCP_INFO tells of the first of them.</summary>
    internal long Info(string name) => long.Parse(InfoWord(name), CultureInfo.InvariantCulture);

    /// <summary>The same as a word.</summary>
    internal string InfoWord(string name) => Process.Ask($"info {First}")[0].Split(' ').Select(static word => word.Split('='))
        .Single(pair => pair[0] == name)[1];

    /// <summary>The local port of the first.</summary>
    internal long Port => Info("port");

    internal void Do(string call) => _ = Process.Ask($"{call} {Text}");

    /// <summary>Closes them without a word to the other side, as a machine does that loses power (TCP_REPAIR, tcp(7)).</summary>
    internal void Forget()
    {
        Set(6, 19, 1);
        Do("close");
    }

    internal void Set(int level, int option, int value) => _ = Process.Ask($"set {Text} {level} {option} {value}");

    /// <summary>Sends that many bytes over each. Returns right before that, by the monotonic clock in milliseconds.</summary>
    internal long Send(int bytes = 1) => long.Parse(Process.Ask($"send {Text} {bytes}")[0].AsSpan(3), CultureInfo.InvariantCulture);

    /// <summary>Sends until the other side's window is shut, and something is left that does not fit into it.</summary>
    internal void Fill() => Until.True(
        () =>
        {
            Send(1_000_000);
            return Info("unacked") == 0 && Info("notsent") > 0;
        },
        "a shut window");

    /// <summary>Waits until nothing was received for that long, data or acknowledgement.</summary>
    internal SocketRange WaitQuiet(int milliseconds)
    {
        Until.True(() => Process.Ask($"info {Text}").All(line => Quiet(line) >= milliseconds), $"{milliseconds} ms of quiet");
        return this;
    }

    /// <summary>Waits until they are all so for their owner.</summary>
    internal void WaitFor(string look) => Until.True(() => Looks is [var only] && only.EndsWith(" " + look, StringComparison.Ordinal), $"{look}: {Text}");

    private static long Quiet(string line)
    {
        Dictionary<string, string> values = line.Split(' ').Skip(1).Select(static word => word.Split('=')).ToDictionary(static pair => pair[0], static pair => pair[1]);
        return Math.Min(long.Parse(values["received"], CultureInfo.InvariantCulture), long.Parse(values["acknowledged"], CultureInfo.InvariantCulture));
    }
}
