namespace TcpCloser.Lab;

internal sealed unsafe class TimedProgram : IDisposable
{
    private const int PROT_READ_WRITE = 3;
    private const int MAP_SHARED_ANONYMOUS = 0x21;
    private const nuint PageSize = 4096;
    private const int CannotExecute = 127;
    private readonly byte** _arguments;
    private readonly int _argumentCount;
    private readonly int _devNull;
    private readonly int _output;
    private readonly int _termAfterMs;
    private readonly LatencyPair? _pair;
    /// <summary>The time right before the child's exec, written by the child.</summary>
    private readonly long* _started;

    internal TimedProgram(string[] command, string output, int termAfterMs, bool withPair)
    {
        _pair = withPair ? new LatencyPair() : null;
        _argumentCount = command.Length;
        _arguments = (byte**)NativeMemory.AllocZeroed((nuint)(command.Length + 1), (nuint)sizeof(byte*));
        for (int i = 0; i < command.Length; i++)
        {
            _arguments[i] = (byte*)Marshal.StringToCoTaskMemUTF8(command[i]);
        }

        _devNull = Errno.Check(Libc.Open("/dev/null", Posix.O_RDWR | Posix.O_CLOEXEC, 0), "open /dev/null");
        _output = Errno.Check(Libc.Open(output, Posix.O_RDWR | Posix.O_CREAT | Posix.O_CLOEXEC, 0x1a4), $"open {output}");
        _termAfterMs = termAfterMs;
        _started = (long*)Libc.Map(null, PageSize, PROT_READ_WRITE, MAP_SHARED_ANONYMOUS, -1, 0);
    }

    /// <summary>
    /// Runs the program once. By fork, because posix_spawn runs the child in the Lab's own memory until the exec, and the kernel
    /// counts that towards the peak of the program.
    /// </summary>
    internal string Run()
    {
        _ = Libc.Truncate(_output, 0); // fails for anything but a file, which needs no truncation
        _ = Libc.Seek(_output, 0, 0);
        _pair?.Begin();
        int pid = Libc.Fork();
        if (pid == 0)
        {
            Execute();
        }
        LabException.ThrowIf(pid < 0, "fork failed");
        if (_termAfterMs > 0)
        {
            _ = Libc.Poll(null, 0, _termAfterMs);
            _ = Libc.Kill(pid, Posix.SIGTERM);
        }
        int status;
        ResourceUsage usage;
        while (Libc.Wait4(pid, &status, 0, &usage) < 0 && Errno.Last == Errno.EINTR)
        {
        }
        long* ended = stackalloc long[2];
        _ = Libc.ClockGetTime(Posix.CLOCK_MONOTONIC, ended);
        string neighbour = _pair is null ? "" : " " + _pair.Describe();
        if (status == CannotExecute << 8)
        {
            throw new LabException($"{Marshal.PtrToStringUTF8((nint)_arguments[0])} cannot be executed");
        }

        long wall = ((ended[0] - _started[0]) * 1_000_000) + ((ended[1] - _started[1]) / 1000);
        return $"wall-us={wall} user-us={(usage.UserSeconds * 1_000_000) + usage.UserMicroseconds} "
            + $"sys-us={(usage.SystemSeconds * 1_000_000) + usage.SystemMicroseconds} maxrss-kb={usage.MaxRss} status={ChildProcess.Describe(status)}{neighbour}";
    }

    public void Dispose()
    {
        for (int i = 0; i < _argumentCount; i++)
        {
            Marshal.FreeCoTaskMem((nint)_arguments[i]);
        }

        NativeMemory.Free(_arguments);
        _pair?.Dispose();
        _ = Libc.Unmap(_started, PageSize);
        _ = Libc.Close(_devNull);
        _ = Libc.Close(_output);
    }

    private void Execute()
    {
        _ = Libc.Duplicate(_devNull, 0);
        _ = Libc.Duplicate(_output, 1);
        _ = Libc.Duplicate(_output, 2);
        _ = Libc.ClockGetTime(Posix.CLOCK_MONOTONIC, _started);
        _ = Libc.Execute(_arguments[0], _arguments, _arguments + _argumentCount);
        Libc.ExitAtOnce(CannotExecute);
    }
}
