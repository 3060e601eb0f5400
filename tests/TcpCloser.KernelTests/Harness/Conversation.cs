namespace TcpCloser.KernelTests.Harness;

/// <summary>Lines to a program and its answers, each of which ends with a line that is a mark.</summary>
/// <param name="command">The program.</param>
internal sealed class Conversation(Command command)
{
    private int _read;

    /// <summary>Gives a line and returns those of the answer.</summary>
    internal string[] Ask(string line)
    {
        command.WriteLine(line);
        string[] answer = ReadUntil(".");
        return answer is [var only] && only.StartsWith("error: ", StringComparison.Ordinal)
            ? throw new InvalidOperationException($"the Lab on '{line}': {only}")
            : answer;
    }

    /// <summary>The lines up to a mark.</summary>
    internal string[] ReadUntil(string mark)
    {
        string[] lines = [];
        Until.True(
            () =>
            {
                string text = command.Stdout[_read..];
                int end = text.StartsWith(mark + "\n", StringComparison.Ordinal) ? 0 : text.IndexOf("\n" + mark + "\n", StringComparison.Ordinal) + 1;
                if (end == 0 && !text.StartsWith(mark + "\n", StringComparison.Ordinal))
                {
                    return command.HasExited ? throw new InvalidOperationException("the Lab ended: " + command.WaitForEnd().Stderr) : false;
                }

                lines = text[..end].Split('\n', StringSplitOptions.RemoveEmptyEntries);
                _read += end + mark.Length + 1;
                return true;
            },
            $"the Lab's '{mark}'");
        return lines;
    }
}
