namespace TcpCloser.Tests.Kill;

/// <summary>What <c>--method keepalive</c> sets, and on which sockets.</summary>
public sealed class KeepaliveMethodTests : StepTestBase
{
    private static readonly (int Level, int Name)[] s_options =
    [
        (Socket.SOL_SOCKET, Socket.SO_KEEPALIVE), (Tcp.IPPROTO_TCP, Tcp.TCP_KEEPIDLE), (Tcp.IPPROTO_TCP, Tcp.TCP_KEEPINTVL),
        (Tcp.IPPROTO_TCP, Tcp.TCP_KEEPCNT), (Tcp.IPPROTO_TCP, Tcp.TCP_USER_TIMEOUT),
    ];

    /// <summary>Before and after are: on, idle, interval, count, user timeout.</summary>
    [Theory]
    [InlineData("", "0 7200 75 9 0", "Cured", "1 60 10 6 0")]
    [InlineData("", "0 7200 75 9 5000", "HasUserTimeout", "0 7200 75 9 5000")]
    [InlineData("", "0 7200 75 9 120000", "Cured", "1 60 10 6 120000")]
    [InlineData("", "0 60 10 6 0", "Cured", "1 60 10 6 0")]
    [InlineData("", "1 7200 75 9 0", "HasKeepalive", "1 7200 75 9 0")]
    [InlineData("--user-timeout 3m", "1 7200 75 9 0", "HasKeepalive", "1 7200 75 9 0")]
    [InlineData("--user-timeout 3m", "0 7200 75 9 5000", "Cured", "1 60 10 6 180000")]
    [InlineData("--keepalive 30s,5s,4", "1 7200 75 9 0", "Cured", "1 30 5 4 0")]
    [InlineData("--keepalive 30s,5s,4", "1 30 5 4 0", "HasKeepalive", "1 30 5 4 0")]
    [InlineData("--keepalive 30s,5s,4", "1 30 5 4 49999", "HasKeepalive", "1 30 5 4 49999")]
    [InlineData("--keepalive 30s,5s,4", "0 30 5 4 49999", "HasUserTimeout", "0 30 5 4 49999")]
    [InlineData("--keepalive 30s,5s,4 --user-timeout 50s", "1 30 5 4 0", "Cured", "1 30 5 4 50000")]
    [InlineData("--keepalive 30s", "0 7200 75 9 0", "Cured", "1 30 10 6 0")]
    [InlineData("--keepalive 30s,5s,1", "0 7200 75 9 0", "Cured", "1 30 5 1 0")]
    [InlineData("--keepalive 30s,5s,127", "0 7200 75 9 0", "Cured", "1 30 5 127 0")]
    public void Keepalive_OptionsOfTheSocket_DecideWhatIsSet(string words, string before, string outcome, string after)
    {
        FakeTcp socket = Add(before);
        Assert.Equal(outcome, Apply(words).ToString());
        Assert.Equal(after, OptionsOf(socket));
    }

    /// <summary>Keepalive is enabled after its values are set. The idle time comes last, because setting it starts the timer.</summary>
    [Fact]
    public void Keepalive_OneSocket_SetsTheIdleTimeLast()
    {
        FakeTcp socket = Add("0 7200 75 9 0");
        Apply("--user-timeout 3m");
        Assert.Equal(
            [(Tcp.TCP_KEEPINTVL, 10), (Tcp.TCP_KEEPCNT, 6), (Tcp.TCP_USER_TIMEOUT, 180_000), (Socket.SO_KEEPALIVE, 1), (Tcp.TCP_KEEPIDLE, 60)],
            socket.OptionsSet);
    }

    /// <summary>Whichever call fails, a socket has all of the options set, or none.</summary>
    [Fact]
    public void Keepalive_AnyCallFails_SetsAllOptionsOrNone()
    {
        int calls = 0;
        for (int failing = -1; failing < calls; failing++)
        {
            var tests = new KeepaliveMethodTests();
            FakeTcp socket = tests.Add("0 7200 75 9 0");
            tests.Host.Faults.Errno = (_, number) => number == failing ? Errno.ENOMEM : 0;
            Outcome? outcome = null;
            if (Record.Exception(() => outcome = tests.Apply("--user-timeout 3m")) is { } thrown)
            {
                Assert.IsType<SystemCallException>(thrown); // the processes could not be listed
            }

            Assert.Equal(outcome == Outcome.Cured ? "1 60 10 6 180000" : "0 7200 75 9 0", OptionsOf(socket));
            Assert.Equal(0, tests.Host.AllLeftOpen);
            calls = Math.Max(calls, tests.Host.Faults.Calls.Count);
        }

        Assert.InRange(calls, 15, int.MaxValue);
    }

    /// <summary>Some kernels have no TCP_USER_TIMEOUT on MPTCP sockets.</summary>
    [Fact]
    public void Keepalive_SocketWithoutUserTimeoutOption_IsEnabled()
    {
        FakeTcp socket = Add("0 7200 75 9 0");
        socket.Options.Remove((Tcp.IPPROTO_TCP, Tcp.TCP_USER_TIMEOUT));
        Host.Faults.FailOnce("read option", Errno.EOPNOTSUPP, which: 4);
        Assert.Equal(Outcome.Cured, Apply(""));
        Assert.Equal(1, socket.Options[(Socket.SOL_SOCKET, Socket.SO_KEEPALIVE)]);
    }

    private static string OptionsOf(FakeTcp socket) => string.Join(' ', s_options.Select(option => socket.Options[option]));

    private FakeTcp Add(string options)
    {
        FakeTcp socket = Add(Host.Add(new FakeProcess(1_000)));
        foreach (((int, int) option, string value) in s_options.Zip(options.Split(' ')))
        {
            socket.Options[option] = int.Parse(value, System.Globalization.CultureInfo.InvariantCulture);
        }

        return socket;
    }

    private Outcome Apply(string words) => Enum.Parse<Outcome>(Assert.Single(Run(
        new KeepaliveMethod(Words.Rule(["-s", "22", "--method", "keepalive", .. words.Split(' ', StringSplitOptions.RemoveEmptyEntries)])))));
}
