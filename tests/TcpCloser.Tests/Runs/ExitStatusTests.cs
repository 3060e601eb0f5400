using System.Reflection;

namespace TcpCloser.Tests.Runs;

/// <summary>The exit status and its name.</summary>
public sealed class ExitStatusTests
{
    /// <summary>"unknown" is for no status of ours, and no two have the same name.</summary>
    [Fact]
    public void EveryStatusHasANameOfItsOwn()
    {
        int[] statuses = [.. typeof(ExitStatus).GetFields(BindingFlags.Public | BindingFlags.Static).Select(static field => (int)field.GetRawConstantValue()!)];
        string[] names = [.. statuses.Select(ExitStatus.NameOf)];
        Assert.Equal([0, 1, 2, 3, 4], statuses.Order());
        Assert.Equal(names.Length, names.Distinct().Count());
        Assert.DoesNotContain("unknown", names);
    }
}
