using System.Text;
using TcpCloser.Rules;

namespace TcpCloser.Cli;

/// <summary>The texts of <c>--help</c> and <c>--version</c>.</summary>
internal static class HelpText
{
    public const string Version = "tcp-closer " + BuildInfo.Version + Variant + "\n";

    private const int Width = 80;

    /// <summary>The column of the descriptions, right of the options.</summary>
    private const int TextColumn = 27;

    private const string Variant = MethodName.HasDestroy ? "" : " (NO_SOCK_DESTROY)";

    private const string ClosingTitle = MethodName.HasDestroy
        ? "Closing"
        : "Closing (this build has no SOCK_DESTROY: --use-proc is implied)";

    private const string Head =
        """
        tcp-closer finds dead TCP connections and closes them.

        Usage: tcp-closer [-n] SELECTION [options]
               tcp-closer --group-by KEY [SELECTION] [options]
               tcp-closer --check

        Without --probe, -t or --no-ack-for, every connection that matches is closed,
        busy ones too. Start with -n (with --probe, a peer may reset a forgotten one).

        """;

    private const string Tail =
        """

        Old spellings (tcp_closer): --idle_time, --last_recv_limit, --use_proc,
        --disable_syslog. Details, reasons, records, more examples: man tcp-closer.

        Exit status: 0 done; 1 incomplete; 2 usage error; 3 not possible here (missing
        privilege or kernel support); 4 more than --max.

        Examples
          tcp-closer --group-by port            count connections by port and idle time
          tcp-closer -n -s 5432 -t 2h           show what has been idle for two hours
          tcp-closer -s 5432 -t 2h --probe 10s  of these, close those whose peer is gone
          tcp-closer --dst 10.1.0.0/16 --no-ack-for 2m --max 50
                                                close those to an unreachable network
          tcp-closer -i 1m -s 8000-8999 -t 1h -f /var/log/tcp-closer.log
                                                run as a service, every minute

        """;

    private static readonly OptionGroup[] s_groups = [OptionGroup.Looking, OptionGroup.Idle, OptionGroup.Selecting, OptionGroup.Closing, OptionGroup.Output];

    public static string Help()
    {
        var text = new StringBuilder(Head);
        foreach (OptionGroup group in s_groups)
        {
            text.Append('\n').Append(Title(group)).Append('\n');
            foreach (OptionEntry entry in OptionTable.Entries)
            {
                if (entry.Group == group)
                {
                    AddEntry(text, entry);
                }
            }
        }

        return text.Append(Tail).ToString();
    }

    private static string Title(OptionGroup group) => group switch
    {
        OptionGroup.Looking => "Looking",
        OptionGroup.Idle => "Dead or quiet (TIME: a number and ms, s, m, h or d; without a unit, ms)",
        OptionGroup.Selecting =>
            """
            Selecting (values of one option are alternatives, different options must all
            match; LIST is comma-separated; options may be repeated)
            """,
        OptionGroup.Closing => ClosingTitle,
        OptionGroup.Output => "Output",
    };

    private static void AddEntry(StringBuilder text, OptionEntry entry)
    {
        // Long names are aligned, whether or not a short one precedes them. Their other spellings are in the tail.
        bool isLong = entry.Names[0].StartsWith("--", StringComparison.Ordinal);
        string names = (isLong ? "      " : "  ") + string.Join(", ", entry.Names, 0, Math.Min(entry.Names.Length, isLong ? 1 : 2));
        AddRow(text, entry.TakesValue ? names + " " + entry.Placeholder : names, entry.Help);
        foreach (OptionWord word in entry.Words)
        {
            AddRow(text, "        " + word.Word, word.Help);
        }
    }

    /// <summary>Adds the left column and, to the right of it or below if it is too long, the description, wrapped between words.</summary>
    private static void AddRow(StringBuilder text, string left, string help)
    {
        text.Append(left);
        int column = left.Length;
        if (column > TextColumn - 2)
        {
            text.Append('\n');
            column = 0;
        }

        bool begun = false;
        foreach (string word in help.Split(' '))
        {
            if (begun && column + 1 + word.Length > Width)
            {
                text.Append('\n');
                column = 0;
                begun = false;
            }

            int gap = begun ? 1 : TextColumn - column;
            text.Append(' ', gap).Append(word);
            column += gap + word.Length;
            begun = true;
        }

        text.Append('\n');
    }
}
