namespace TcpCloser.KernelTests.Harness.Reach;

/// <summary>
/// tmux(1) or screen(1): a server that keeps running when the client that started it is gone, and that other clients attach
/// to.
/// </summary>
internal sealed class Multiplexer
{
    /// <summary>It gets no variable of the session, as through sudo(8).</summary>
    private const string WithoutEnvironment = "env -i PATH=/usr/bin:/bin TERM=xterm SHELL=/bin/sh SCREENDIR=/mnt/screen ";
    private readonly bool _isTmux;

    internal Multiplexer(string name)
    {
        Assert.SkipWhen(ServerHome.Find(name) is null, $"{name} is not installed");
        _isTmux = name == "tmux";
    }

    /// <summary>The shell command that has to run before anything else.</summary>
    internal static string Prepare => "mkdir -m 700 /mnt/screen";

    internal string StartAttached => WithoutEnvironment + (_isTmux ? "tmux -f /dev/null -S /mnt/tmux new-session -s one" : "screen -c /dev/null -S one");

    internal string StartDetached
        => _isTmux ? "tmux -f /dev/null -S /mnt/tmux new-session -d -s one" : "SCREENDIR=/mnt/screen SHELL=/bin/sh screen -c /dev/null -dmS one";

    internal string Attach => WithoutEnvironment + (_isTmux ? "tmux -S /mnt/tmux attach -t one" : "screen -x one");

    /// <summary>The shell command that types a line into it.</summary>
    internal string Type(string line)
        => WithoutEnvironment + (_isTmux ? $"tmux -S /mnt/tmux send-keys -t one '{line}' Enter" : $"screen -S one -p 0 -X stuff '{line}'$'\\n'");
}
