using TcpCloser.Diag;
using TcpCloser.Report;

namespace TcpCloser;

/// <summary>Says that some of those to be closed have sent data lately: who receives nothing may still be sending, as a download does.</summary>
/// <param name="isService">Whether rounds follow each other: then it is said once.</param>
/// <param name="message">Is told.</param>
internal sealed class SendingWarning(bool isService, Action<Level, string> message)
{
    private bool _isTold;

    public void Tell(ConnectionList candidates)
    {
        int sending = 0;
        for (int i = 0; i < candidates.Count; i++)
        {
            sending += candidates[i].IsSending ? 1 : 0;
        }

        if (sending > 0 && !_isTold)
        {
            _isTold = isService;
            message(Level.Warning, (sending == 1 ? "1 connection has" : $"{sending} connections have") +
                $" sent data within the idle time: --idle-by both leaves {(sending == 1 ? "it" : "them")} alone");
        }
    }
}
