using System.Text.RegularExpressions;

namespace TcpCloser.Tests.Support;

/// <summary>The text of a log, without times.</summary>
internal static partial class LogText
{
    /// <summary>The lines that the action logs. Checks that each begins with a UTC time with milliseconds.</summary>
    public static string Of(Action<Log> action, Level threshold = Level.Info)
    {
        string path = Path.Combine(Path.GetTempPath(), $"tcp-closer-test-{Guid.NewGuid():n}.log");
        try
        {
            using (var log = new Log(new LogFile(path, new StallPolicy(null)), syslog: null, threshold, rule: null))
            {
                action(log);
            }

            string text = File.ReadAllText(path);
            foreach (string line in text.Split('\n')[..^1])
            {
                Assert.Matches(Time(), line);
            }

            return Duration().Replace(Time().Replace(text, "TIME"), "time=Nms");
        }
        finally
        {
            File.Delete(path);
        }
    }

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z(?= (error|warning|info|debug) )", RegexOptions.Multiline)]
    private static partial Regex Time();

    [GeneratedRegex(@"\btime=\d+ms$", RegexOptions.Multiline)]
    private static partial Regex Duration();
}
