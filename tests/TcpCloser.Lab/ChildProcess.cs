namespace TcpCloser.Lab;

/// <summary>A child process of the Lab: a copy of this program, started by posix_spawn(3) with a control channel as descriptor 3.</summary>
internal sealed unsafe class ChildProcess
{
    internal const int ControlDescriptor = 3;
    private bool _reaped;

    private ChildProcess(int pid, string role, ControlChannel channel)
    {
        Pid = pid;
        Role = role;
        Channel = channel;
    }

    internal int Pid { get; }

    /// <summary>
    /// The role of the process: <c>server</c>, <c>client</c>, <c>sharer</c>, <c>decoy</c>, <c>decoy-files</c>,
    /// <c>listener</c>.
    /// </summary>
    internal string Role { get; }

    internal ControlChannel Channel { get; }
    /// <summary>How the process ended, <c>exit:0</c> or <c>signal:9</c>; <c>alive</c> until then.</summary>
    internal string Fate { get; private set; } = "alive";

    /// <summary>
    /// Starts a child, which writes only answers. All descriptors here are close-on-exec, so it inherits only its
    /// channel.
    /// </summary>
    internal static ChildProcess Start(string role, params string[] arguments)
    {
        var (parentEnd, childEnd) = ControlChannel.Create();
        string program = Environment.ProcessPath ?? throw new LabException("the path of this program is unknown");
        // SIGTERM is blocked from the child's first instruction, so that every thread of its runtime inherits the mask and only the
        // thread that reads the signal from a signalfd ever sees it. A child that is to die of SIGTERM unblocks it.
        int devNull = Errno.Check(Libc.Open("/dev/null", Posix.O_RDWR | Posix.O_CLOEXEC, 0), "open /dev/null");
        ulong terminate = 1UL << (Posix.SIGTERM - 1), before;
        Errno.Check(Libc.SigProcMask(Posix.SIG_BLOCK, &terminate, &before), "sigprocmask");
        int pid = Spawn(program, ["tcp-closer-lab", .. arguments], [(devNull, 0), (devNull, 1), (childEnd, ControlDescriptor)]);
        Errno.Check(Libc.SigProcMask(Posix.SIG_SETMASK, &before, null), "sigprocmask");
        _ = Libc.Close(devNull);
        _ = Libc.Close(childEnd);
        return new ChildProcess(pid, role, parentEnd);
    }

    /// <summary>Starts a program with the given descriptors and an empty environment.</summary>
    internal static int Spawn(string program, string[] arguments, ReadOnlySpan<(int From, int To)> descriptors)
    {
        const int OpaqueSize = 512; // posix_spawn_file_actions_t: 80 bytes in glibc and musl
        byte* actions = stackalloc byte[OpaqueSize];
        _ = Libc.FileActionsInit(actions);
        foreach (var (from, to) in descriptors)
        {
            _ = Libc.FileActionsAddDup2(actions, from, to);
        }

        byte** argv = (byte**)NativeMemory.AllocZeroed((nuint)(arguments.Length + 2), (nuint)sizeof(byte*));
        for (int i = 0; i < arguments.Length; i++)
        {
            argv[i] = (byte*)Marshal.StringToCoTaskMemUTF8(arguments[i]);
        }

        int pid;
        int error = Libc.PosixSpawn(&pid, program, actions, null, argv, argv + arguments.Length);
        for (int i = 0; i < arguments.Length; i++)
        {
            Marshal.FreeCoTaskMem((nint)argv[i]);
        }

        NativeMemory.Free(argv);
        _ = Libc.FileActionsDestroy(actions);
        return error == 0 ? pid : throw new LabException($"posix_spawn {program}: {Errno.Name(error)}");
    }

    internal static string WaitFor(int pid)
    {
        int status;
        while (Libc.WaitPid(pid, &status, 0) < 0 && Errno.Last == Errno.EINTR)
        {
        }
        return Describe(status);
    }

    /// <summary>Checks without waiting whether the process has ended, and reaps it.</summary>
    internal bool IsAlive()
    {
        int status;
        if (!_reaped && Libc.WaitPid(Pid, &status, Posix.WNOHANG) == Pid)
        {
            _reaped = true;
            Fate = Describe(status);
        }
        return !_reaped;
    }

    internal void End()
    {
        if (!IsAlive())
        {
            return;
        }

        _ = Libc.Kill(Pid, Posix.SIGKILL);
        _reaped = true;
        Fate = WaitFor(Pid);
    }

    /// <summary>Describes a status of wait(2): <c>exit:0</c> or <c>signal:9</c>.</summary>
    internal static string Describe(int status) => (status & 0x7f) == 0 ? $"exit:{(status >> 8) & 0xff}" : $"signal:{status & 0x7f}";
}
