using System.Globalization;
using System.Runtime.CompilerServices;

namespace TcpCloser.KernelTests;

/// <summary><c>--only</c> with what this program and ss(8) really print.</summary>
public sealed class OnlyTests
{
    private static readonly string s_port = LabProcess.Port.ToString(CultureInfo.InvariantCulture);

    /// <summary>The README's pipelines: through jq(1), which prints a record over several lines, and from ss(8).</summary>
    [Theory]
    [InlineData("tcp-closer -n -s 5432 --json ")]
    [InlineData("ss -tneH ")]
    public void ReadmePipeline_SelectsTheUnread_ClosesExactlyThese(string start)
    {
        using var lab = LabProcess.Start("--port", "5432", "--count", "3", "--unread", "8192");
        using var other = LabProcess.Start(new LabEnvironment { Enter = lab.Inside() }, "--port", "5432", "--address", "127.0.0.2", "--count", "2");
        Shell(lab, ReadmeLine(start)).Expect(0, "closed=3 not_found=0");
        lab.ExpectState("server aborted=3");
        other.ExpectState("server alive=2");
    }

    /// <summary>Each form of ss's output, with its header and without, and for each family.</summary>
    [Theory]
    [InlineData("v4", "ss -tn")]
    [InlineData("v4", "ss -tnH state established")]
    [InlineData("v4", "ss -tnpeo")]
    [InlineData("v4", "ss -tniOe")]
    [InlineData("v4", "ss -n -A tcp,raw")]
    [InlineData("v6", "ss -tn")]
    [InlineData("v6", "ss -tne state established")]
    [InlineData("dual", "ss -tn")]
    [InlineData("mapped", "ss -tneH")]
    public void LinesOfSs_EachForm_NameTheirConnections(string family, string command)
    {
        using var lab = LabProcess.Start("--family", family, "--count", "4", "--decoys", "2");
        var result = Shell(lab, $"{command} | grep -vE '[]1]:{LabProcess.DecoyPort}( |$)' | tcp-closer --only - --disable-syslog").Expect(0, "matched=8 not_found=0");
        Assert.Equal(8, result.Summary("closed") + result.Summary("vanished"));
        lab.ExpectState("server alive=0, decoy alive=4");
    }

    /// <summary>The connection ended, and a new one has the same endpoints.</summary>
    [Theory]
    [InlineData("ss -tneH sport = :5000")]
    [InlineData("tcp-closer -n --json -q -s 5000")]
    public void Cookie_ConnectionWasReplaced_IsNotClosed(string command)
    {
        using TemporaryDirectory directory = new();
        LabEnvironment surroundings = new() { Preparation = "echo 40000 40000 >/proc/sys/net/ipv4/ip_local_port_range" };
        using var home = LabProcess.Start(surroundings, "--count", "0", "--port", "4999");
        string list = directory.File("list");
        using (var first = LabProcess.Start(new LabEnvironment { Enter = home.Inside() }, "--count", "1"))
        {
            Shell(first, $"{command} >{list}").Expect(0);
            first.Tool("-s", s_port).Expect(0, "closed=1");
        }

        using var second = LabProcess.Start(new LabEnvironment { Enter = home.Inside() }, "--count", "1");
        Assert.Equal("127.0.0.1:40000", Assert.Single(second.List()).ClientAddress);

        var result = second.Tool("--only", list, "-v").Expect(0, "matched=0 not_found=1");
        Assert.Single(result.Log, static line => line.Contains(" debug skipped 127.0.0.1:5000 -> 127.0.0.1:40000 reason=not_found cookie="));
        second.ExpectState("server alive=1");

        // Without the cookie, the new one has the endpoints.
        File.WriteAllText(list, "127.0.0.1:5000 127.0.0.1:40000");
        second.Tool("--only", list).Expect(0, "closed=1");
    }

    [Theory]
    [InlineData("destroy")]
    [InlineData("disconnect")]
    [InlineData("kill")]
    [InlineData("keepalive")]
    public void Method_Each_ReachesExactlyTheListed(string method)
    {
        using var lab = LabProcess.Start(new LabEnvironment { OwnProcesses = true }, "--count", "4", "--processes", "4", "--client-process");
        string line = $"{lab.List()[2].ServerAddress} {lab.List()[2].ClientAddress}";
        var result = Shell(lab, $"echo '{line}' | tcp-closer --only - --method {method} --disable-syslog").Expect(0, "matched=1");
        Assert.Equal(1, method == "keepalive" ? result.Summary("cured") : result.Summary("closed"));
        Assert.Equal(method == "keepalive" ? 4 : 3, lab.State()["client", "alive"]);
    }

    [Fact]
    public void OtherOptions_Each_StillHold()
    {
        using var lab = LabProcess.Start("--count", "4", "--busy", "1", "--every", "50");
        string list = string.Join("; ", lab.List().Select(static connection => $"echo '{connection.ServerAddress} {connection.ClientAddress}'"));
        lab.WaitIdle(3, 1000);

        Shell(lab, $"({list}) | tcp-closer --only - --max 3 --disable-syslog").Expect(4, "idle=4");
        Shell(lab, $"({list}) | tcp-closer --only - --probe 3s --disable-syslog").Expect(0, "answered=4");
        Shell(lab, $"({list}) | tcp-closer --only - -6 --disable-syslog").Expect(0, "not_found=4");
        Shell(lab, $"({list}) | tcp-closer --only - --state close-wait --disable-syslog").Expect(0, "not_found=4");
        lab.ExpectState("server alive=4");
        Shell(lab, $"({list}) | tcp-closer --only - -t 1s --disable-syslog").Expect(0, "closed=3");
        lab.ExpectState("server alive=1");
    }

    /// <summary>A line that cannot be read: nothing is closed, although others can.</summary>
    [Theory]
    [InlineData(@"GOOD\n\nbad\n", "line 3 'bad': expected ")]
    [InlineData(@"GOOD\r\nGOOD\0\n", @"\x00': the port is not a number")]
    [InlineData(@"GOOD\n127.0.0.1:ssh 127.0.0.1:1", "line 2 '127.0.0.1:ssh 127.0.0.1:1': the port is not a number")]
    [InlineData(@"GOOD\n{\042local_port\042:1}", "line 2: this record lacks ")]
    [InlineData(@"\033[31m\nGOOD\n", @"line 1 '\x1B[31m': expected ")]
    public void InvalidLine_AmongValidOnes_ClosesNothing(string content, string error)
    {
        using var lab = LabProcess.Start("--count", "1");
        string good = $"{lab.List()[0].ServerAddress} {lab.List()[0].ClientAddress}";
        var result = Shell(lab, $"printf '{content.Replace("GOOD", good)}' | tcp-closer --only - --disable-syslog").Expect(2);
        Assert.Contains(error, result.Stderr, StringComparison.Ordinal);
        Assert.Equal(2, result.Log.Length); // the error, and where the help is
        lab.ExpectState("server alive=1");
    }

    [Theory]
    [InlineData(@"GOOD")]
    [InlineData(@"GOOD\r\n")]
    [InlineData(@"\n\nState Recv-Q Send-Q Local Address:Port Peer Address:Port\n 0 0 GOOD \r\nGOOD")]
    public void Lines_OtherLineBreaks_AreRead(string content)
    {
        using var lab = LabProcess.Start("--count", "1");
        string good = $"{lab.List()[0].ServerAddress} {lab.List()[0].ClientAddress}";
        Shell(lab, $"printf '{content.Replace("GOOD", good)}' | tcp-closer --only - --disable-syslog").Expect(0, "closed=1");
    }

    [Fact]
    public void Stdin_EmptyOrClosed_MatchesNothing()
    {
        using var lab = LabProcess.Start("--count", "1");
        foreach (string redirection in new[] { "</dev/null", "<&-" })
        {
            var result = new ToolRun(lab) { Arguments = ["--only", "-", "--disable-syslog"], Redirections = redirection }.Run().Expect(0, "matched=0");
            Assert.Single(result.Log, static line => line.EndsWith(" info --only - names no connection, so nothing matches", StringComparison.Ordinal));
        }
        lab.ExpectState("server alive=1");
    }

    /// <summary>A service reads the file again, and a round that cannot read it closes nothing.</summary>
    [Fact]
    public void Service_FileChanges_FollowsIt()
    {
        using TemporaryDirectory directory = new();
        using var lab = LabProcess.Start("--count", "3");
        string[] lines = [.. lab.List().Select(static connection => $"{connection.ServerAddress} {connection.ClientAddress}\n")];
        string list = directory.File("list");
        File.WriteAllText(list, lines[0]);
        using var service = new ToolRun(lab) { Arguments = ["--only", list, "-i", "50ms", "--disable-syslog"] }.Start();
        lab.WaitEnded(1);

        Replace(list, lines[1] + "oops\n");
        Until.True(() => service.Stderr.Contains($"error reading the connections of --only from '{list}', line 2: EINVAL"), "the error");
        File.Delete(list);
        Until.True(() => service.Stderr.Contains($"'{list}': ENOENT"), "the error about the missing file");
        Command.Run("mkfifo", list).Expect(0);
        Until.True(() => service.Stderr.Contains($"'{list}': EINVAL"), "the error about the FIFO");
        lab.ExpectState("server alive=2");

        Replace(list, lines[1]);
        lab.WaitEnded(2);
        service.Signal("TERM");
        service.WaitForEnd().Expect(0, "closed=2");
        lab.ExpectState("server alive=1");
    }

    /// <summary>A record selects only in the namespace that it names.</summary>
    [Fact]
    public void Only_RecordsThatNameANamespace_SelectOnlyInThatNamespace()
    {
        using TemporaryDirectory directory = new();
        using var farm = NamespaceFarm.Start(3, "--count", "2");
        string list = directory.File("list");
        string[] records = ConnectionRecord.Objects(farm.Home.Tool("-n", "--json", "--all-netns", "-s", s_port).Expect(0), "connection");
        Assert.Equal(6, records.Length);
        string[] ofOne = [.. records.Where(static record => record.Contains("\"netns\":\"ns1\""))];

        // The same sockets, said to be in another namespace.
        File.WriteAllLines(list, ofOne.Select(static record => record.Replace("ns1", "ns2")));
        farm.Home.Tool("--only", list, "--all-netns").Expect(0, "not_found=2");

        File.WriteAllLines(list, ofOne);
        farm.Home.Tool("--only", list).Expect(0, "not_found=2");
        farm.Home.Tool("--only", list, "--all-netns").Expect(0, "closed=2");
        Assert.Equal([2, 0, 2], farm.Labs.Select(static lab => lab.State()["server", "alive"]));
    }

    private static void Replace(string path, string content)
    {
        File.WriteAllText(path + ".new", content);
        File.Move(path + ".new", path, overwrite: true);
    }

    /// <summary>Runs a line of shell in the Lab's namespaces, with the program under its name in PATH.</summary>
    private static Result Shell(LabProcess lab, string line)
    {
        using TemporaryDirectory directory = new();
        File.CreateSymbolicLink(directory.File("tcp-closer"), Path.GetFullPath(Binaries.Tool));
        return Command.Run([.. lab.Inside(), "sh", "-ec", $"PATH={Path.GetDirectoryName(directory.File("tcp-closer"))}:$PATH; {line}"]);
    }

    /// <summary>The pipeline of the README that begins with this text and ends in <c>--only -</c>.</summary>
    private static string ReadmeLine(string start, [CallerFilePath] string path = "") => Assert.Single(
        File.ReadLines(Path.Combine(Path.GetDirectoryName(path)!, "../../README.md")),
        line => line.StartsWith(start, StringComparison.Ordinal) && line.EndsWith("| tcp-closer --only -", StringComparison.Ordinal));
}
