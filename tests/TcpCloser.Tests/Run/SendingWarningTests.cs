using TcpCloser.Run;

namespace TcpCloser.Tests.Run;

/// <summary>A connection that receives nothing may still be sending, which is reported before it is closed.</summary>
public sealed class SendingWarningTests
{
    private readonly List<(Level Level, string Text)> _messages = [];

    [Theory]
    [Rows("0 | null", "1 | 1 connection has sent data within the idle time: --idle-by both skips it",
        "2 | 2 connections have sent data within the idle time: --idle-by both skips them")]
    public void Warning_SomeConnectionsAreSending_CountsThem(int sending, string? expected)
    {
        Warning(isService: false).ReportIfAny(Candidates(sending));
        Assert.Equal(expected is null ? [] : [(Level.Warning, expected)], _messages);
    }

    [Theory]
    [Rows("true | 1", "false | 2")]
    public void Warning_SeveralRounds_IsGivenOnceByAService(bool isService, int times)
    {
        SendingWarning warning = Warning(isService);
        warning.ReportIfAny(Candidates(0));
        Assert.Empty(_messages);
        warning.ReportIfAny(Candidates(1));
        warning.ReportIfAny(Candidates(2));
        Assert.Equal(times, _messages.Count);
    }

    private SendingWarning Warning(bool isService) => new(isService, (level, text) => _messages.Add((level, text)));

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
