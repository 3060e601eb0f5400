namespace TcpCloser.Cli;

/// <summary>A command line that cannot be meant: one line naming the option, the value and what would be right. Exit status 2.</summary>
internal sealed class UsageException : Exception
{
    public UsageException(string message) : base(message)
    {
    }

    /// <summary>The value came from outside: it is escaped here, so that it cannot forge a line or drive a terminal.</summary>
    public UsageException(string option, string value, string wanted) : base($"{option} '{Escape.Text(value)}': {wanted}")
    {
    }
}
