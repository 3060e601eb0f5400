using System.Globalization;
using System.Text.RegularExpressions;
using TcpCloser.KernelTests.Harness;
using TcpCloser.KernelTests.Harness.Reach;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>Which direction's silence counts, and peers that acknowledge nothing any more.</summary>
public sealed partial class IdleDirectionTests
{
    private const int IdleMs = 500;

    [Theory]
    // who talks, by what, whether the server's ends of busy connections are idle, whether the clients' are
    [InlineData("server", "recv", true, false)]
    [InlineData("server", "send", false, true)]
    [InlineData("server", "both", false, false)]
    [InlineData("client", "recv", false, true)]
    [InlineData("client", "send", true, false)]
    [InlineData("client", "both", false, false)]
    [InlineData("both", "recv", false, false)]
    [InlineData("both", "send", false, false)]
    public void OnlyTheDirectionAskedForCounts(string talker, string by, bool serverIsIdle, bool clientIsIdle)
    {
        using var lab = LabProcess.Start("--count", "6", "--busy", "3", "--talker", talker);
        AwaitAges(lab);

        foreach (var (option, idle) in new[] { ("-s", serverIsIdle), ("-d", clientIsIdle) })
        {
            string port = LabProcess.Port.ToString(CultureInfo.InvariantCulture);
            Assert.Equal(idle ? 6 : 3, lab.Tool("-n", option, port, "-t", $"{IdleMs}", "--idle-by", by).Expect(0).Summary("idle"));
            // The other bound is by the same clock: what is not idle is what is left.
            Assert.Equal(idle ? 0 : 3, lab.Tool("-n", option, port, "--last-recv-limit", $"{IdleMs}", "--idle-by", by).Expect(0).Summary("idle"));
        }
    }

    [Fact]
    public void ThoseIdleByTheDirectionAreClosed()
    {
        using var lab = LabProcess.Start("--count", "6", "--busy", "3", "--talker", "server");
        AwaitAges(lab);

        var result = lab.Tool("--json", "-s", $"{LabProcess.Port}", "-t", $"{IdleMs}", "--idle-by", "send").Expect(0);

        Assert.Contains("sent", result.Log[0], StringComparison.Ordinal);
        Assert.Equal(3, result.Summary("closed"));
        Assert.All(ConnectionRecord.Read(result).Where(record => record.Outcome == "destroyed"), record => Assert.True(record.IdleMs >= IdleMs));
        Assert.All(lab.List(), connection => Assert.Equal(connection.Index < 3 ? "aborted" : "alive", connection.Server.View));
    }

    [Theory]
    [InlineData("v4")]
    [InlineData("v6")]
    public void APeerThatAcknowledgesNothingIsGone(string family)
    {
        using var lab = LabProcess.Start("--count", "3", "--family", family, "--deaf", "--unsent", "2000");
        using var idle = LabProcess.Start(new LabSurroundings { Within = lab }, "--count", "2", "--family", family, "--port", "5100");
        using var busy = LabProcess.Start(new LabSurroundings { Within = lab }, "--count", "2", "--family", family, "--port", "5200", "--busy", "2");
        string[] selection = [family == "v6" ? "-6" : "-4", "-s", "5000-5999", "--no-ack-for", $"{IdleMs}ms"];
        Until.True(() => Ages(lab, "lastack").Count(age => age >= IdleMs) >= 5, "connections without an acknowledgement for long");
        Until.True(() => lab.Tool(["-n", .. selection]).Expect(0).Summary("idle") >= 3, "the proof that nobody acknowledges");

        var result = lab.Tool(["-v", .. selection]).Expect(0);

        // Nothing is in flight where nobody sends, however long that is; retransmissions refresh the clock of sending.
        Assert.Equal(7, result.Summary("matched"));
        Assert.Equal(3, result.Summary("closed"));
        Assert.Equal(3, lab.State()["server", "aborted"]);
        Assert.Equal(2, idle.State()["server", "alive"]);
        Assert.Equal(2, busy.State()["server", "alive"]);
        Assert.Equal(4, result.Log.Count(line => line.Contains("left alone: not proved dead", StringComparison.Ordinal)));
    }

    [Fact]
    public void APeerBehindADeadLinkIsGone()
    {
        Assert.SkipUnless(Command.Run("sh", "-c", "perl -MIO::Socket::INET -e 1").ExitCode == 0, "no perl to listen with");
        // Two namespaces and a cable between them, which is then pulled.
        LabSurroundings near = new()
        {
            OwnProcesses = true,
            Preparation = "ip link add near type veth peer name far\nip addr add 10.9.0.1/24 dev near\nip link set near up",
        };
        using var lab = LabProcess.Start(near, "--count", "0", "--port", "4999");
        using var peers = LabProcess.Start(new LabSurroundings { OwnProcesses = true }, "--count", "0", "--port", "4999");
        Assert.SkipWhen(Namespaces.NeedUserNamespace, "a device cannot be moved between the networks of two user namespaces");
        Run($"nsenter -t {lab.Id} -n ip link set far netns {peers.Id}");
        Run($"nsenter -t {peers.Id} -n sh -ec 'ip addr add 10.9.0.2/24 dev far; ip link set far up'");
        using var server = Command.Start([.. peers.Inside(), "perl", "-MIO::Socket::INET", "-e", Listen]);
        Until.True(() => peers.Sockets().Exists(socket => socket is { LocalPort: 7000, State: "listening" }), "the listener beyond the cable");
        using var client = Command.Start([.. lab.Inside(), "bash", "-c", "exec 3<>/dev/tcp/10.9.0.2/7000; echo connected; read -r line; echo data >&3; read -r line"]);
        Until.True(() => client.Stdout.Contains("connected", StringComparison.Ordinal), "the connection over the cable");

        Run($"nsenter -t {peers.Id} -n ip link set far down");
        client.WriteLine("send");
        Until.True(() => lab.Tool("-n", "-d", "7000", "--no-ack-for", "300ms").Summary("idle") == 1, "data that nobody acknowledges");
        Assert.Equal(1, lab.Tool("-d", "7000", "--no-ack-for", "300ms").Expect(0).Summary("closed"));
    }

    private const string Listen = "$l=IO::Socket::INET->new(LocalPort=>7000,Listen=>1,ReuseAddr=>1); $c=$l->accept; sleep 1000";

    private static void Run(string shell) => Command.Run("sh", "-ec", shell).Expect(0);

    /// <summary>Waits until the three quiet connections are quiet in both directions at both ends, and each busy one where it does not talk.</summary>
    private static void AwaitAges(LabProcess lab)
        => Until.True(
            () => Ages(lab, "lastsnd").Count(age => age >= 2 * IdleMs) >= 6 && Ages(lab, "lastrcv").Count(age => age >= 2 * IdleMs) >= 6, "quiet connections");

    private static int[] Ages(LabProcess lab, string clock) =>
    [
        .. Clock().Matches(Command.Run([.. lab.Inside(), "ss", "-tinOH", "state", "established"]).Stdout)
            .Where(match => match.Groups[1].Value == clock)
            .Select(match => int.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture)),
    ];

    [GeneratedRegex(@"(last[a-z]+):(\d+)")]
    private static partial Regex Clock();
}
