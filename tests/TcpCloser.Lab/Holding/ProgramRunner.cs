namespace TcpCloser.Lab.Holding;

/// <summary>Runs a program as a child of the holder, so that a holder of connections is that program's ancestor.</summary>
internal static unsafe class ProgramRunner
{
    private const int InheritedDescriptor = 9;

    /// <summary>
    /// Runs a program until it exits. Returns lines of <c>out TEXT</c> (stdout and stderr together), then <c>exit:N</c> or
    /// <c>signal:N</c>. An inherited end makes the program itself a holder of the connection.
    /// </summary>
    internal static List<string> Run(string[] command, int inherited)
    {
        LabException.ThrowIf(command.Length == 0, "run: the program is missing");
        int* pipe = stackalloc int[2];
        Errno.Check(Libc.Pipe2(pipe, Posix.O_CLOEXEC), "pipe2");
        int devNull = Errno.Check(Libc.Open("/dev/null", Posix.O_RDONLY | Posix.O_CLOEXEC, 0), "open /dev/null");
        List<(int, int)> descriptors = [(devNull, 0), (pipe[1], 1), (pipe[1], 2)];
        if (inherited >= 0)
        {
            descriptors.Add((inherited, InheritedDescriptor));
        }

        int pid = ChildProcess.Spawn(command[0], command, [.. descriptors]);
        _ = Libc.Close(devNull);
        _ = Libc.Close(pipe[1]);
        var output = ReadAll(pipe[0]);
        _ = Libc.Close(pipe[0]);
        string fate = ChildProcess.WaitFor(pid);
        List<string> lines = [];
        foreach (string line in Encoding.UTF8.GetString([.. output]).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            lines.Add("out " + line);
        }

        lines.Add(fate);
        return lines;
    }

    private static List<byte> ReadAll(int fd)
    {
        const int ChunkSize = 4096;
        byte* chunk = stackalloc byte[ChunkSize];
        List<byte> all = [];
        nint count;
        while ((count = Libc.Read(fd, chunk, ChunkSize)) != 0)
        {
            if (count > 0)
            {
                all.AddRange(new ReadOnlySpan<byte>(chunk, (int)count));
            }
            else if (Errno.Last != Errno.EINTR)
            {
                break;
            }
        }
        return all;
    }
}
