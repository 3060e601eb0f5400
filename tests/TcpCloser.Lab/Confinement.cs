namespace TcpCloser.Lab;

internal static unsafe class Confinement
{
    private const uint Allow = 0x7fff0000; // SECCOMP_RET_ALLOW
    private const uint Fail = 0x00050000; // SECCOMP_RET_ERRNO
    private const uint Kill = 0x80000000; // SECCOMP_RET_KILL_PROCESS

    // struct seccomp_data: the call's number at 0, its arguments from 16 on, 8 bytes each.
    private const uint Number = 0;
    private const uint FirstArgument = 16;
    private static readonly int s_socketCall = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 198 : 41;

    /// <summary>Executes the program; returns only by an exception.</summary>
    internal static int Execute(string[] command, int netlinkErrno, int deadlyCall)
    {
        LabException.ThrowIf(command.Length == 0, "confine: the program after -- is missing");
        byte** arguments = (byte**)NativeMemory.AllocZeroed((nuint)(command.Length + 1), (nuint)sizeof(byte*));
        for (int i = 0; i < command.Length; i++)
        {
            arguments[i] = (byte*)Marshal.StringToCoTaskMemUTF8(command[i]);
        }

        Install(
        [
            Load(Number),
            JumpIf((uint)deadlyCall, matches: 0, otherwise: 1),
            Return(deadlyCall < 0 ? Allow : Kill),
            JumpIf((uint)s_socketCall, matches: 0, otherwise: 3),
            Load(FirstArgument),
            JumpIf(Posix.AF_NETLINK, matches: 0, otherwise: 1),
            Return(netlinkErrno == 0 ? Allow : Fail | (uint)netlinkErrno),
            Return(Allow),
        ]);
        // The filter applies to this thread and to the program: execve(2) ends the other threads.
        _ = Libc.Execute(arguments[0], arguments, arguments + command.Length);
        throw new LabException($"{command[0]} cannot be executed");
    }

    /// <summary>Without privilege the filter requires that the program cannot gain any (PR_SET_NO_NEW_PRIVS).</summary>
    private static void Install(ReadOnlySpan<ulong> filter)
    {
        fixed (ulong* instructions = filter)
        {
            nuint* program = stackalloc nuint[2]; // struct sock_fprog { unsigned short len; struct sock_filter *filter; }
            program[0] = (nuint)filter.Length;
            program[1] = (nuint)instructions;
            if (Libc.Prctl(Posix.PR_SET_SECCOMP, Posix.SECCOMP_MODE_FILTER, (nuint)program, 0, 0) < 0)
            {
                Errno.Check(Libc.Prctl(Posix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl PR_SET_NO_NEW_PRIVS");
                Errno.Check(Libc.Prctl(Posix.PR_SET_SECCOMP, Posix.SECCOMP_MODE_FILTER, (nuint)program, 0, 0), "prctl PR_SET_SECCOMP");
            }
        }
    }

    // struct sock_filter: code 2 bytes, jt 1, jf 1, k 4 (linux/filter.h).

    private static ulong Load(uint offset) => 0x20 | ((ulong)offset << 32); // BPF_LD | BPF_W | BPF_ABS

    private static ulong JumpIf(uint value, byte matches, byte otherwise) // BPF_JMP | BPF_JEQ | BPF_K
        => 0x15 | ((ulong)matches << 16) | ((ulong)otherwise << 24) | ((ulong)value << 32);

    private static ulong Return(uint action) => 0x06 | ((ulong)action << 32); // BPF_RET | BPF_K
}
