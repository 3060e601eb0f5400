namespace TcpCloser.Tests.Diag;

/// <summary>The filter as text.</summary>
public sealed class DisassemblerTests
{
    [Theory]
    [Rows("list | -4 -s 22,80,443,8000-8999", "tree | -6 -s 1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31,40-50 -d 80-90")]
    public void Lines_ListOrTreeFilter_MatchTheSnapshot(string name, params string[] words) =>
        Snap.Match(string.Join('\n', Disassembler.Lines(Words.Compile(Words.Select(words)))), name);

    [Fact]
    public void Lines_NoFilter_AreNone() => Assert.Empty(Disassembler.Lines([]));

    [Fact]
    public void Lines_LongFilter_AreOneForEachOp()
    {
        byte[] program = Words.Compile(Words.Select("-4", "-s", string.Join(',', Enumerable.Range(1, 1_000).Select(static i => 7 * i))));
        int ops = 0;
        for (int at = 0; at < program.Length; at += program[at + 1])
        {
            ops++;
        }

        string[] lines = [.. Disassembler.Lines(program)];
        Assert.Equal(ops, lines.Length);
        Assert.DoesNotContain(lines, static line => line.Contains(" op ", StringComparison.Ordinal));
    }
}
