namespace TcpCloser.Tests.Kill;

/// <summary>A fake machine with a worker process whose connections are closed by <c>--method kill</c>.</summary>
public abstract class KillTestBase : StepTestBase
{
    private protected FakeProcess Worker { get; }

    protected KillTestBase()
    {
        Host.Add(new FakeProcess(1) { Uid = 0 });
        Host.Add(new FakeProcess(Host.Self) { Parent = 1, Uid = 0 });
        Worker = Host.Add(new FakeProcess(200));
    }

    private protected string[] Kill(ConnectionList? candidates = null, string words = "", Func<bool>? stop = null)
    {
        candidates ??= Host.Candidates();
        Rule rule = Words.Rule(["-s", "22", "--method", "kill", .. words.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        candidates.JudgedBy = new IdleRule(rule);
        string[] outcomes = Run(new ProcessKiller(rule), candidates, stop);
        Sink.AssertAllReported();
        return outcomes;
    }
}
