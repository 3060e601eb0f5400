namespace TcpCloser.Tests.Run;

/// <summary>A round with an injected fault, and what it reported. The predicate matches the sockets that the options select.</summary>
internal sealed class Trial(ServerScene scene, RecordingObserver observer, Predicate<FakeTcp> isSelected)
{
    public ServerScene Scene { get; } = scene;
    public RecordingObserver Observer { get; } = observer;

    /// <summary>Whether processes exclude sockets.</summary>
    public bool ExcludesByProcess { get; init; }
    public ExitStatus Status { get; set; }
    public IReadOnlyList<string> Calls => Scene.Host.Faults.Calls;

    public void Audit(bool wasLiedTo, string what = "", bool leavesOpen = false)
    {
        try
        {
            new RoundAudit(Scene.Host, Observer, Status) { IsSelected = isSelected, HadFalseAbsence = wasLiedTo, ExcludesByProcess = ExcludesByProcess, MayLeaveOpen = leavesOpen }.Run();
        }
        catch (Xunit.Sdk.XunitException e)
        {
            Assert.Fail($"{what} {e.Message} status {Status}\n{string.Join('\n', Observer.Messages)}");
        }
    }
}
