namespace TcpCloser.KernelTests;

/// <summary>Syslog over /dev/log: present, absent at first, or not wanted.</summary>
public sealed partial class SyslogTests
{
    [Fact]
    public void Syslog_DaemonListens_EveryLogLineIsADatagram()
    {
        using var lab = LabProcess.Start(SyslogDaemon.Environment, "--count", "3");
        using SyslogDaemon daemon = new(lab);
        var result = Run(lab, "-s", LabProcess.PortText).Expect(0);

        var datagrams = daemon.Receive();
        Assert.All(datagrams, datagram => Assert.Matches(Datagram(), datagram));
        // The line without its time and level is the datagram without its header.
        Assert.Equal(result.Log.Select(line => line.Split(' ', 3)[2]), datagrams.Select(datagram => datagram[(datagram.IndexOf("]: ", StringComparison.Ordinal) + 3)..]));
        result.ExpectSummary("closed=3");
    }

    [Theory]
    [Values("--disable-syslog", "--disable_syslog", "--dry-run")]
    public void Syslog_DisabledOrDryRun_NothingIsSent(string option)
    {
        using var lab = LabProcess.Start(SyslogDaemon.Environment, "--count", "1");
        using SyslogDaemon daemon = new(lab);
        Run(lab, "-s", LabProcess.PortText, option).Expect(0);
        Assert.Empty(daemon.Receive());
    }

    /// <summary>Between the end of one daemon and the start of the next there is none: a service has to survive that.</summary>
    [Fact]
    public void Syslog_DaemonStartsLater_ServiceConnects()
    {
        using var lab = LabProcess.Start(SyslogDaemon.Environment, "--count", "2", "--busy", "1");
        using var service = new ToolRun(lab) { Arguments = ["-s", LabProcess.PortText, "-t", "1500", "-i", "50ms"] }.Start();
        lab.WaitEnded(1); // logged while no daemon listens

        using SyslogDaemon daemon = new(lab);
        lab.Ask("busy-off");

        Until.True(() => daemon.Receive().Exists(datagram => datagram.Contains("destroyed")), "a datagram to the late daemon");
        service.Signal("TERM");
        Assert.DoesNotContain("syslog", service.WaitForEnd().Expect(0).Stderr, StringComparison.Ordinal); // a missing daemon is not an error
    }

    private static Result Run(LabProcess lab, params string[] arguments) => new ToolRun(lab) { Arguments = arguments }.Run();

    [GeneratedRegex(@"^<30>[A-Z][a-z]{2} [ 1-3]\d \d\d:\d\d:\d\d tcp-closer\[\d+\]: \S")]
    private static partial Regex Datagram();
}
