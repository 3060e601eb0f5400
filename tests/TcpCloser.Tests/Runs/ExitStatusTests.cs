namespace TcpCloser.Tests.Runs;

/// <summary>The exit status, on which scripts rely, and its name, on which queries rely.</summary>
public sealed class ExitStatusTests
{
    [Fact]
    public void EveryStatusHasItsNumberAndItsName() => Assert.Equal(
        [(0, "done"), (1, "incomplete"), (2, "usage"), (3, "not_possible"), (4, "refused")],
        Enum.GetValues<ExitStatus>().Select(static status => ((int)status, ExitStatusName.Of(status))));
}
