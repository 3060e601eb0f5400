namespace TcpCloser.Generate;

/// <summary>Writes the files that are generated from the option table: <c>dotnet run --project packaging/generate packaging</c>.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        if (args.Length != 1 || !Directory.Exists(args[0]))
        {
            Console.Error.WriteLine("Usage: dotnet run --project packaging/generate packaging");
            return 2;
        }

        foreach ((string path, string text) in GeneratedFiles.In(args[0]))
        {
            File.WriteAllText(path, text);
        }

        return 0;
    }
}
