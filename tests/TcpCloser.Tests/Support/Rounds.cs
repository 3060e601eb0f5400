using TcpCloser.Run;

namespace TcpCloser.Tests.Support;

internal static class Rounds
{
    public static Round Make(Machine machine, List<IObserver> observers, FakeStop? stop, params string[] words)
    {
        (Rule rule, RunOptions run) = Words.Parse(words);
        return new Round(rule, run, machine, observers, () => stop ?? new FakeStop());
    }

    /// <summary>The log lines of a round on a machine with this kernel and without processes.</summary>
    public static string Log(FakeKernel kernel, out ExitStatus status, params string[] words)
    {
        ExitStatus result = default;
        string lines = LogText.Of(log =>
        {
            var observer = new LogObserver(log, isService: false);
            result = Make(new Machine(new FakeNamespace(kernel), new FakeHost().OpenProcesses, FakeHost.NoRoot), [observer], stop: null, words).Run();
        }, Words.Run(words).Verbose ? Level.Debug : Level.Info);
        status = result;
        Assert.Equal(0, kernel.LeftOpen);
        return lines;
    }
}
