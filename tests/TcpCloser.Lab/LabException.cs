using System.Diagnostics.CodeAnalysis;

namespace TcpCloser.Lab;

/// <summary>The Lab cannot do what it was asked to; the message is one line for the caller.</summary>
internal sealed class LabException(string message) : Exception(message)
{
    internal static void ThrowIf([DoesNotReturnIf(true)] bool fails, string message)
    {
        if (fails)
        {
            throw new LabException(message);
        }
    }
}
