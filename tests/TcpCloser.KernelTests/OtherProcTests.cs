namespace TcpCloser.KernelTests;

/// <summary>
/// A /proc of a different pid namespace than the program's numbers processes differently: no process is signalled by such a
/// number.
/// </summary>
public sealed class OtherProcTests
{
    [Theory]
    [InlineData("--use-proc", 3)]
    [InlineData("--method disconnect", 3)]
    [InlineData("--pid 1", 3)]
    [InlineData("--method destroy", 0)] // needs no process
    public void Run_ProcOfAnotherPidNamespace_IsNotUsed(string arguments, int exit)
    {
        using var lab = LabProcess.StartIsolated("--count", "2", "--client-process");
        var result = new ToolRun(lab) { Wrapper = ["unshare", "-p", "-f", "--kill-child", "--"] }
            .Run([.. arguments.Split(' '), "-s", LabProcess.PortText]).Expect(exit);
        result.ExpectSummary($"closed={(exit == 0 ? 2 : 0)}");
        lab.ExpectState($"server alive={(exit == 0 ? 0 : 2)}, processes dead=0");
        Assert.Contains(result.Log, line => line.Contains("pid namespace"));
    }

    /// <summary>
    /// Even if the program happens to have the same pid in both namespaces, so that /proc/self seems right: a holder's pid may
    /// then be that of any other process. Here it is that of a process that holds nothing.
    /// </summary>
    [Fact]
    public void Run_ProcOfAnotherPidNamespaceWithSamePid_SignalsNoProcess()
    {
        using var lab = LabProcess.StartIsolated("--count", "1", "--client-process");
        int holder = lab.Processes("server").Single();
        const int Number = 20_000;
        // Both shells use only builtins where the next pid matters.
        string inner = $"""
            echo {holder - 1} >/proc/sys/kernel/ns_last_pid
            sleep 1000 &
            stranger=$!
            echo "stranger $stranger"
            read -r line
            echo {Number - 1} >/proc/sys/kernel/ns_last_pid
            echo go
            read -r line
            {Binaries.Tool} --use-proc -s {LabProcess.PortText} --disable-syslog &
            echo "tool $!"
            wait $!
            echo "exit $?"
            kill -0 $stranger && echo lives
            kill -KILL $stranger
            """;
        string outer = """
            exec 5>/proc/sys/kernel/ns_last_pid
            coproc unshare -p -f --kill-child -- bash -c "$0" 2>&1
            exec 6<&"${COPROC[0]}" 7>&"${COPROC[1]}" # bash closes its own as soon as the other one has ended
            forward() { while read -r line <&6; do echo "$line"; test "$line" != "$1" || return 0; done; }
            read -r line <&6; echo "$line"
            echo >&7
            forward go
            echo 19999 >&5
            echo >&7
            forward end
            """;

        var result = Command.Run([.. lab.Inside(), "bash", "-c", outer, inner]);

        string[] lines = result.Stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains($"stranger {holder}", lines);
        Assert.Contains($"tool {Number}", lines);
        Assert.Contains("exit 3", lines);
        Assert.Contains("lives", lines);
        Assert.DoesNotContain(lines, line => line.Contains(" to pid="));
        lab.ExpectState("processes dead=0");
    }
}
