using System.Globalization;

namespace TcpCloser.KernelTests.Harness.Reach;

/// <summary>Many runs of one program in sequence, from a single shell in the Lab's namespaces: hundreds take a few seconds.</summary>
internal static class ToolBatch
{
    internal static Result[] Run(LabProcess lab, string program, IReadOnlyList<string[]> runs)
    {
        if (runs.Count == 0)
        {
            return [];
        }

        using TemporaryDirectory directory = new();
        StringBuilder script = new();
        for (int i = 0; i < runs.Count; i++)
        {
            script.Append(CultureInfo.InvariantCulture, $"{Quote(program)} {string.Join(' ', runs[i].Select(Quote))}")
                .Append(CultureInfo.InvariantCulture, $" >{Quote(directory.File($"{i}.out"))} 2>{Quote(directory.File($"{i}.err"))} </dev/null; echo $?\n");
        }
        File.WriteAllText(directory.File("script"), script.ToString());
        string[] statuses = Command.Run([.. lab.Inside(), "sh", directory.File("script")]).Stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return
        [
            .. statuses.Select((status, i) => new Result(
                int.Parse(status, CultureInfo.InvariantCulture),
                File.ReadAllText(directory.File($"{i}.out")),
                File.ReadAllText(directory.File($"{i}.err")))),
        ];
    }

    private static string Quote(string word) => $"'{word.Replace("'", "'\\''")}'";
}
