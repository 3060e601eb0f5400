namespace TcpCloser.KernelTests.Harness;

/// <summary>strace(1) in front of the program: traces what it sends to the kernel, and injects faults: delayed or failed calls.</summary>
internal sealed class Strace : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string TraceFile => _directory.File("trace");
    public void Dispose() => _directory.Dispose();

    /// <summary>The wrapper of a run that is only traced.</summary>
    internal string[] Wrapper => ["strace", "-f", "-o", TraceFile, "-e", "trace=sendto,sendmsg"];

    /// <summary>The wrapper of a run with an injected fault, such as <c>delay_enter=3s:when=2</c>.</summary>
    internal string[] Injecting(string fault) => [.. Wrapper, "-e", "inject=sendto,sendmsg:" + fault];

    /// <summary>
    /// The wrapper of a run that is stopped right after a call has taken effect. A path, or the path of a descriptor, restricts
    /// this to calls on it.
    /// </summary>
    internal string[] StoppingIn(string call, int when, string? path = null)
        => ["strace", "-f", "-o", TraceFile, .. path is null ? (string[])[] : ["-P", path], "-e", $"trace={call}", "-e", $"inject={call}:signal=SIGSTOP:when={when}"];

    /// <summary>Waits until the run is stopped; <see cref="Signal"/> continues it.</summary>
    internal void AwaitStop()
        => Until.True(() => File.Exists(TraceFile) && File.ReadAllText(TraceFile).Contains("stopped by SIGSTOP"), "the stopped tool");

    /// <summary>The wrapper of a run that cannot start any thread except the runtime's own, which is the first.</summary>
    internal string[] RefusingThreads =>
        ["strace", "-f", "-o", TraceFile, "-e", "trace=clone,clone3", "-e", "inject=clone,clone3:error=EAGAIN:when=2+"];

    /// <summary>Whether the program tried to start another thread.</summary>
    internal bool RefusedThread => File.ReadLines(TraceFile).Any(static line => line.Contains("INJECTED"));

    /// <summary>The number of messages so far, including one that is delayed.</summary>
    internal int Sends => File.Exists(TraceFile) ? File.ReadLines(TraceFile).Count(IsSend) : 0;

    /// <summary>Whether a destroy (message type 21, for which older versions of strace have no name) was sent or delayed.</summary>
    internal bool SawDestroy => File.ReadLines(TraceFile).Any(IsDestroy);

    /// <summary>
    /// The number of dump requests: the messages of a run that --max refuses, up to its question whether it may destroy, which it
    /// asks as a dry run does.
    /// </summary>
    internal int CountDumps(LabProcess lab, params string[] arguments)
    {
        new ToolRun(lab) { Wrapper = Wrapper, Arguments = ["--max", "0", "--disable-syslog", .. arguments] }.Run().Expect(4);
        int dumps = File.ReadLines(TraceFile).TakeWhile(static line => !IsDestroy(line)).Count(IsSend);
        File.Delete(TraceFile);
        return dumps > 0 ? dumps : throw new InvalidDataException("the run sent no message to the kernel");
    }

    /// <summary>Signals the program that a running strace traces.</summary>
    internal static void Signal(Command strace, string signal)
        => Command.Run("kill", "-s", signal, File.ReadAllText($"/proc/{strace.Id}/task/{strace.Id}/children").Trim()).Expect(0);

    private static bool IsSend(string line) => line.Contains(" send");
    private static bool IsDestroy(string line) => line.Contains("nlmsg_type=0x15") || line.Contains("SOCK_DESTROY");
}
