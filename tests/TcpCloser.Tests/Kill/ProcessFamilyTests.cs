namespace TcpCloser.Tests.Kill;

/// <summary>Processes whose parent runs the same program: a SIGKILL of one may end all of them.</summary>
public sealed class ProcessFamilyTests : KillTestBase
{
    private const string Postgres = "/usr/lib/postgresql/17/bin/postgres";

    [Theory]
    [InlineData(Postgres, Postgres, 90)]
    [InlineData(Postgres, "/usr/bin/postgres", null)]
    [InlineData(Postgres, Postgres + "-old", null)]
    [InlineData(null, Postgres, null)]
    public void FamilyParent_ParentRunsTheSameExecutable_IsThatParent(string? parents, string own, int? expected)
    {
        if (parents is not null)
        {
            Host.Add(new FakeProcess(90) { Executable = parents });
        }

        Host.Add(new FakeProcess(300) { Parent = parents is null ? 0 : 90, Executable = own });
        Assert.Equal(expected, FamilyParentOf(300));
    }

    [Theory]
    [Values("read stat", "read exe")]
    public void FamilyParent_FilesCannotBeRead_IsNone(string call)
    {
        Host.Add(new FakeProcess(90) { Executable = Postgres });
        Host.Add(new FakeProcess(300) { Parent = 90, Executable = Postgres });
        Host.Faults.Fail(call, Errno.EACCES);
        Assert.Null(FamilyParentOf(300));
    }

    /// <summary>The warning comes before the first signal, and counts only processes that are signalled.</summary>
    [Theory]
    [InlineData("", "--signal TERM")]
    [InlineData("--grace 1ms", "SIGTERM alone, without --grace,")]
    [InlineData("--signal KILL", "--signal TERM")]
    [InlineData("--signal TERM", null)]
    public void Kill_FamilyOfProcesses_WarnsUnlessNoSigkillIsSent(string words, string? advice)
    {
        Host.Add(new FakeProcess(90) { Executable = Postgres });
        Add(Host.Add(new FakeProcess(300) { Parent = 90, Executable = Postgres }));
        Add(Host.Add(new FakeProcess(301) { Parent = 90, Executable = Postgres }));
        Add(Host.Add(new FakeProcess(302) { Parent = 90, Executable = Postgres, Uid = 5 })); // received, so never signalled
        Kill(words: words);
        Assert.Equal(
            advice is not null
                ? ["process 300 and 1 other run the same program as their parents: a SIGKILL may end the whole family of processes, " +
                    $"as it does with PostgreSQL; {advice} ends only these"]
                : [],
            Sink.Notices);
    }

    [Fact]
    public void Kill_ParentRunsAnotherProgram_DoesNotWarn()
    {
        Add(Worker);
        Kill();
        Assert.Empty(Sink.Notices);
    }

    private int? FamilyParentOf(int pid)
    {
        using IProcessTable table = Host.OpenProcesses();
        var holder = new SocketHolder(pid);
        _ = ProcessFamily.Find(table, [holder], hasGrace: false);
        return holder.FamilyParent;
    }
}
