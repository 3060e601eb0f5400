namespace TcpCloser.KernelTests.Harness;

/// <summary>
/// strace(1) in front of the program, tracing what it sends to the kernel, and injecting faults there: a call held back or failing.
/// </summary>
internal sealed class Strace(string file)
{
    /// <summary>The wrapper for a run that is only traced.</summary>
    internal string[] Wrapper => ["strace", "-f", "-o", file, "-e", "trace=sendto,sendmsg"];

    /// <summary>The wrapper for a run with an injection, such as <c>delay_enter=3s:when=2</c>.</summary>
    internal string[] Injecting(string fault) => [.. Wrapper, "-e", "inject=sendto,sendmsg:" + fault];

    /// <summary>
    /// The wrapper for a run that is stopped in a call: with all that the call did, and before anything else. A path, or a
    /// descriptor's, leaves out the calls on others.
    /// </summary>
    internal string[] StoppingIn(string call, int when, string? path = null)
        => ["strace", "-f", "-o", file, .. path is null ? (string[])[] : ["-P", path], "-e", $"trace={call}", "-e", $"inject={call}:signal=SIGSTOP:when={when}"];

    /// <summary>Waits until the run is stopped; <see cref="Signal"/> lets it go on.</summary>
    internal void AwaitStop()
        => Until.True(() => File.Exists(file) && File.ReadAllText(file).Contains("stopped by SIGSTOP", StringComparison.Ordinal), "the stopped tool");

    /// <summary>The wrapper for a run that may start no thread but the runtime's own, which is the first.</summary>
    internal string[] RefusingThreads =>
        ["strace", "-f", "-o", file, "-e", "trace=clone,clone3", "-e", "inject=clone,clone3:error=EAGAIN:when=2+"];

    /// <summary>Whether another thread was wanted, and refused.</summary>
    internal bool RefusedThread => File.ReadLines(file).Any(static line => line.Contains("INJECTED", StringComparison.Ordinal));

    /// <summary>How many messages were sent so far; one that is held back counts already.</summary>
    internal int Sends => File.Exists(file) ? File.ReadLines(file).Count(line => line.Contains(" send", StringComparison.Ordinal)) : 0;

    /// <summary>Whether a destroy (message type 21, for which older versions have no name) was sent or held back.</summary>
    internal bool SawDestroy => File.ReadLines(file).Any(line =>
        line.Contains("nlmsg_type=0x15", StringComparison.Ordinal) || line.Contains("SOCK_DESTROY", StringComparison.Ordinal));

    /// <summary>How many messages ask for dumps: all that a dry run sends.</summary>
    internal int CountDumps(LabProcess lab, params string[] arguments)
    {
        new ToolRun(lab) { Wrapper = Wrapper, Arguments = ["-n", .. arguments] }.Run().Expect(0);
        int dumps = Sends;
        File.Delete(file);
        return dumps > 0 ? dumps : throw new InvalidDataException("a dry run that asks the kernel nothing");
    }

    /// <summary>Signals the program behind a running strace.</summary>
    internal static void Signal(Command strace, string signal)
        => Command.Run("kill", "-s", signal, File.ReadAllText($"/proc/{strace.Id}/task/{strace.Id}/children").Trim()).Expect(0);
}
