using System.Text;

namespace TcpCloser.Cli;

/// <summary>What <c>--help</c> and <c>--version</c> print.</summary>
internal static class HelpText
{
    public const string Version = "tcp-closer " + BuildInfo.Version + Variant + "\n";

    private const int Width = 80;

    /// <summary>Where the texts begin, right of the options.</summary>
    private const int TextColumn = 27;

#if NO_SOCK_DESTROY
    private const string Variant = " (NO_SOCK_DESTROY)";
    private const string ClosingTitle = "Closing (this build has no SOCK_DESTROY and kills: --use-proc is implied)";
#else
    private const string Variant = "";
    private const string ClosingTitle = "Closing";
#endif

    private const string Head =
        """
        tcp-closer finds dead TCP connections and closes them.

        Usage: tcp-closer [-4] [-6] SELECTION [options]

        """;

    private const string Tail =
        """

        Exit status: 0 done, 1 something could not be closed, looked at or written,
        2 usage error, 3 not possible here (no privilege, or the kernel lacks it),
        4 more than --max.

        Examples
          tcp-closer -n -s 22 -t 2h         what idled two hours on port 22?
          tcp-closer -s 22 -t 2h            close it
          tcp-closer --dst 10.1.0.0/16 --no-ack-for 2m
                                            close what talks to a network that is gone
          tcp-closer -4 -6 -d 5432 -t 30m --max 50
                                            connections to a database, but not too many
          tcp-closer -s 8000-8999 -t 1h -i 60 -f /var/log/tcp-closer.log
                                            as a service, every minute

        """;

    private static readonly OptionGroup[] s_groups = [OptionGroup.Selecting, OptionGroup.Idle, OptionGroup.Closing, OptionGroup.Telling];

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
        OptionGroup.Selecting =>
            """
            Selecting (values of one option are alternatives; different options all hold;
            LIST has commas; every option may be repeated)
            """,
        OptionGroup.Idle => "How long idle (TIME: a number of ms, or with a unit ms, s, m, h, d)",
        OptionGroup.Closing => ClosingTitle,
        OptionGroup.Telling => "Telling",
    };

    private static void AddEntry(StringBuilder text, OptionEntry entry)
    {
        // Long names stand below each other, whether there is a short one before or not.
        string names = (entry.Names[0].StartsWith("--", StringComparison.Ordinal) ? "      " : "  ") + string.Join(", ", entry.Names);
        AddRow(text, entry.TakesValue ? names + " " + entry.Placeholder : names, entry.Help);
        foreach (OptionWord word in entry.Words)
        {
            AddRow(text, "        " + word.Word, word.Help);
        }
    }

    /// <summary>Adds what stands left and, right of it or below where it is too long, the text, cut between words.</summary>
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
