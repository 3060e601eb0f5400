namespace TcpCloser.Cli;

/// <summary>A command line that cannot be meant: one line naming the option, the value and what would be right. Exit status 2.</summary>
internal sealed class UsageException : Exception
{
    public UsageException(string message) : base(message)
    {
    }

    /// <summary>Option and value came from outside: they are escaped here, so that they cannot forge a line or drive a terminal.</summary>
    public UsageException(string option, string value, string wanted) : base($"{Escape.Text(option)} '{Escape.Text(value)}': {wanted}")
    {
    }
}
