using System.Text;
using TcpCloser.Cli;

namespace TcpCloser.Fuzz;

/// <summary>Command lines of options and values, some of them damaged.</summary>
internal sealed class CommandLines : ITarget
{
    private const int MaxWords = 10;

    private static readonly string[] s_values =
    [
        "22", "22,80,8000-8999", "1-65535", "90-80", "0", "65536", "http", "ssh,", "10.0.0.0/8", "2001:db8::1", "[fe80::1%eth0]", "::ffff:1.2.3.4/100", "0/0",
        "established", "ESTAB,time-wait", "all", "bucket", "listen", "root", "0,1000", "4294967295", "1", "1234", "nginx", "a,b", "lo", "eth0", "0x1/0xff", "7",
        "/", "/system.slice", "pid:1", "blue", "5s", "60", "1.5h", "49d", "50d", "-1", "recv", "both", "destroy", "kill", "keepalive", "auto", "disconnect",
        "TERM", "SIGKILL", "9", "60s,10s,6", "1s", "1", "18446744073709551615", "/tmp/log", "-", "--", "", " ", "=", ":", "@x", "[x]", "tcp-closer",
        "\u001b[31m", "\u202e", "\ud800", "\ufffd", "\0", "\n", "\u2028", "%s", "1e9", "٣",
    ];

    private static readonly byte[] s_letters = Encoding.UTF8.GetBytes("-=:,@[]/%46sdtifvhn0123456789. \t\n\"'\\\u001b\u202e");

    public string Name => "command lines";

    public bool Try(Dice dice)
    {
        string[] words = new string[dice.Below(MaxWords)];
        for (int i = 0; i < words.Length; i++)
        {
            words[i] = Word(dice);
        }

        // Most lines select something, so that more than the first error is reached.
        words = dice.OneIn(4) ? words : ["-s", "22", .. words];
        (Rule Rule, RunOptions Run)? parsed;
        try
        {
            parsed = CommandLine.Parse(words, out string? text);
            Check.That(parsed is null != text is null, "neither a run nor a text, or both");
        }
        catch (UsageException e)
        {
            Check.That(e.Message.Length is > 0 and < 1000 && e.Message.All(IsPrintable), $"not one printable line: {e.Message}");
            return false;
        }

        if (parsed is { } run)
        {
            Check.That(run.Rule.Selects || run.Run.Check, "nothing is selected");
            var query = new DumpQuery(Selection.Of(run.Rule), RuleContext.Empty, marksAndCgroups: true);
            string? refusal = query.Bytecode.Length == 0 ? null : BytecodeAudit.Refusal(query.Bytecode);
            Check.That(refusal is null, $"a filter that no kernel accepts: {refusal}");
        }

        return true;
    }

    private static string Word(Dice dice)
    {
        string word = dice.OneIn(3) ? dice.Pick(s_values) : dice.Pick(dice.Pick(OptionTable.Entries).Names);
        if (dice.OneIn(6))
        {
            word += (dice.OneIn(2) ? "=" : "") + dice.Pick(s_values);
        }

        // An argument arrives as text with arbitrary characters: a damaged word may no longer be UTF-8.
        return dice.OneIn(6) ? Encoding.UTF8.GetString(new Mutator(dice).Damage(Encoding.UTF8.GetBytes(word), s_letters)) : word;
    }

    private static bool IsPrintable(char c) => !char.IsControl(c) && c is not ('\u2028' or '\u2029' or '\u202e');
}
