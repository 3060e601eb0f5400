using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace TcpCloser.Tests.Support;

/// <summary>
/// Runs the whole program in this process, on a thread of its own, which blocks signals: tests send signals to that thread only.
/// </summary>
internal static partial class InProcess
{
    private static readonly int[] s_sent = [Signal.SIGHUP, Signal.SIGINT, Signal.SIGQUIT, Signal.SIGUSR1, Signal.SIGTERM];

    /// <summary>Runs it without syslog. Returns the exit status, stdout and stderr.</summary>
    public static (ExitStatus Status, string Out, string Error) Run(Machine machine, params string[] words)
    {
        ExitStatus status = (ExitStatus)(-1);
        string error = "";
        string output = Written.ToStdout(() => error = Written.ToStderr(() => status = OnThread(machine, words)));
        return (status, output, error);
    }

    /// <summary>The words, the output without times, and the exit status of a run, for a snapshot.</summary>
    public static string Transcript(Machine machine, params string[] words)
    {
        (ExitStatus status, string output, string error) = Run(machine, words);
        return $"{string.Join(' ', words)}\n{WithoutTimes(output)}{WithoutTimes(error)}exit status {(int)status}\n";
    }

    /// <summary>Runs the action with these environment variables, which the whole process shares.</summary>
    public static void WithEnvironment(Action action, params (string Name, string Value)[] variables)
    {
        lock (Written.ProcessLock)
        {
            try
            {
                foreach ((string name, string value) in variables)
                {
                    Environment.SetEnvironmentVariable(name, value);
                }

                action();
            }
            finally
            {
                foreach ((string name, _) in variables)
                {
                    Environment.SetEnvironmentVariable(name, null);
                }
            }
        }
    }

    /// <summary>Removes the parts that differ from run to run: times, and the user who runs the tests.</summary>
    public static string WithoutTimes(string text) => User().Replace(Duration().Replace(Time().Replace(text, "TIME"), "${name}N"), "");

    /// <summary>Sends a signal to the calling thread, which blocks it; possible even before the program starts.</summary>
    public static void Send(int signal) => Assert.Equal(0, Tgkill(Environment.ProcessId, Gettid(), signal));

    /// <summary>The same, without capturing the output.</summary>
    public static ExitStatus OnThread(Machine machine, params string[] words)
    {
        ExitStatus status = (ExitStatus)(-1);
        OnThread(() =>
        {
            Block();
            status = Program.Run(["--disable-syslog", .. words], machine);
        });
        return status;
    }

    /// <summary>Runs the action on a thread of its own, which takes its signal mask and pending signals with it.</summary>
    public static void OnThread(Action action)
    {
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                action();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        if (failure is not null)
        {
            ExceptionDispatchInfo.Throw(failure);
        }
    }

    /// <summary>Sets the action of the whole process for a signal that no thread blocks: ignore, or the default of signal(7).</summary>
    public static void SetHandler(int signal, bool isIgnored) => Assert.NotEqual(-1, SetHandler(signal, isIgnored ? 1 : 0)); // SIG_IGN, SIG_DFL

    /// <summary>
    /// Without this, a signal that arrives before the program watches for it would end all tests, and one that a shell ignores for a
    /// background command would not arrive at all.
    /// </summary>
    private static unsafe void Block()
    {
        ulong* set = stackalloc ulong[Signal.SigsetWords];
        new Span<ulong>(set, Signal.SigsetWords).Clear();
        foreach (int signal in s_sent)
        {
            set[0] |= 1UL << (signal - 1);
        }

        Assert.Equal(0, Signal.pthread_sigmask(Signal.SIG_BLOCK, set, null));
        foreach (int signal in s_sent.Where(Signal.IsIgnored))
        {
            SetHandler(signal, isIgnored: false);
        }
    }

    [GeneratedRegex(@"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")]
    private static partial Regex Time();

    [GeneratedRegex(@"(?<name>\btime=|""time_ms"":)\d+")]
    private static partial Regex Duration();

    [GeneratedRegex(@" user=\S+( (sudo|login)_user=\S+)?")]
    private static partial Regex User();

    [LibraryImport("libc", EntryPoint = "tgkill")]
    private static partial int Tgkill(int tgid, int tid, int signal);

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint SetHandler(int signal, nint handler);

    [LibraryImport("libc", EntryPoint = "gettid")]
    private static partial int Gettid();
}
