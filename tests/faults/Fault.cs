namespace TcpCloser.Faults;

/// <summary>What happens to a call, in strace's words: <c>error=EPERM</c>, or a signal that arrives with it: <c>signal=SIGTERM</c>.</summary>
internal readonly record struct Fault(string Text)
{
    internal bool IsSignal => Text.StartsWith("signal=", StringComparison.Ordinal);

    internal string Name => Text[(Text.IndexOf('=', StringComparison.Ordinal) + 1)..];

    public override string ToString() => Name;
}
