using TcpCloser.Diag;
using TcpCloser.Report;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Runs;

/// <summary>Who receives nothing may still be sending, which is said before it is closed.</summary>
public sealed class SendingWarningTests
{
    private readonly List<(Level Level, string Text)> _told = [];

    [Theory]
    [InlineData(0, null)]
    [InlineData(1, "1 connection has sent data within the idle time: --idle-by both leaves it alone")]
    [InlineData(2, "2 connections have sent data within the idle time: --idle-by both leaves them alone")]
    public void SoManyOfThree(int sending, string? expected)
    {
        Warning(isService: false).Tell(Candidates(sending));
        Assert.Equal(expected is null ? [] : [(Level.Warning, expected)], _told);
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 2)]
    public void AServiceSaysItOnce(bool isService, int times)
    {
        SendingWarning warning = Warning(isService);
        warning.Tell(Candidates(0));
        Assert.Empty(_told);
        warning.Tell(Candidates(1));
        warning.Tell(Candidates(2));
        Assert.Equal(times, _told.Count);
    }

    private SendingWarning Warning(bool isService) => new(isService, (level, text) => _told.Add((level, text)));

    private static ConnectionList Candidates(int sending)
    {
        ConnectionList candidates = Connections.Many(3);
        for (int i = 0; i < sending; i++)
        {
            candidates[i].IsSending = true;
        }

        return candidates;
    }
}
