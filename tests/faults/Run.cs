namespace TcpCloser.Faults;

/// <summary>How one run of the program ended, and everything that it wrote.</summary>
/// <param name="ExitStatus">As a shell has it: 128 and the signal, where one ended it.</param>
/// <param name="Hung">It did not end in time and was killed.</param>
/// <param name="Stdout">The records, the table or what else it printed.</param>
/// <param name="Stderr">The log, where no file was named, and what the file could not take.</param>
/// <param name="LogFile">The log file.</param>
/// <param name="Trace">What strace saw.</param>
internal sealed record Run(int ExitStatus, bool Hung, string Stdout, string Stderr, string LogFile, Trace Trace)
{
    internal const int FirstSignal = 128;

    /// <summary>Whether it was ended by a signal.</summary>
    internal bool Died => ExitStatus >= FirstSignal;

    /// <summary>The log, wherever it went.</summary>
    internal string Log => LogFile + Stderr;
}
