namespace TcpCloser.KernelTests.Harness;

/// <summary>Sends lines to a program and reads its answers, each of which ends with a marker line.</summary>
internal sealed class Conversation(Command command)
{
    private int _read;

    internal string[] Ask(string line)
    {
        command.WriteLine(line);
        string[] answer = ReadUntil(".");
        return answer is [var only] && only.StartsWith("error: ", StringComparison.Ordinal)
            ? throw new InvalidOperationException($"the Lab answered '{line}' with '{only}'")
            : answer;
    }

    internal string[] ReadUntil(string marker)
    {
        string[] lines = [];
        Until.True(
            () =>
            {
                string text = command.Stdout[_read..];
                int end = text.StartsWith(marker + "\n", StringComparison.Ordinal) ? 0 : text.IndexOf("\n" + marker + "\n", StringComparison.Ordinal) + 1;
                if (end == 0 && !text.StartsWith(marker + "\n", StringComparison.Ordinal))
                {
                    return command.HasExited ? throw new InvalidOperationException("the Lab exited: " + command.WaitForEnd().Stderr) : false;
                }

                lines = text[..end].Split('\n', StringSplitOptions.RemoveEmptyEntries);
                _read += end + marker.Length + 1;
                return true;
            },
            $"the Lab's '{marker}'");
        return lines;
    }
}
