using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Runs;

/// <summary>A round in which something happened, and what it told.</summary>
/// <param name="scene">The machine.</param>
/// <param name="observer">What was told.</param>
/// <param name="isMeant">The sockets that the words mean.</param>
internal sealed class Trial(ServerScene scene, RecordingObserver observer, Predicate<FakeTcp> isMeant)
{
    public ServerScene Scene { get; } = scene;

    public RecordingObserver Observer { get; } = observer;

    public ExitStatus Status { get; set; }

    public IReadOnlyList<string> Calls => Scene.Host.Faults.Calls;

    public void Audit(bool wasLiedTo, string what = "", bool leavesOpen = false)
    {
        try
        {
            new RoundAudit(Scene.Host, Observer, Status) { IsMeant = isMeant, WasLiedTo = wasLiedTo, LeavesOpen = leavesOpen }.Run();
        }
        catch (Xunit.Sdk.XunitException e)
        {
            Assert.Fail($"{what} {e.Message} status {Status}\n{string.Join('\n', Observer.Messages)}");
        }
    }
}
