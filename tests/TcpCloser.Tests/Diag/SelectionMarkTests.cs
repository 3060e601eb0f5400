using TcpCloser.Diag;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Diag;

/// <summary>The mark and the cgroup that a socket tells, held against what is selected.</summary>
public sealed class SelectionMarkTests
{
    private const string Yes = nameof(Match.Yes);
    private const string No = nameof(Match.No);
    private const string Undecided = nameof(Match.Undecided);

    [Theory]
    [InlineData("5", 5, true)]
    [InlineData("5", 7, false)]
    [InlineData("5/0xf", 0x35, true)]
    [InlineData("5/0xf", 0x36, false)]
    [InlineData("0/0x1", 2, true)]
    public void TheMark(string mark, uint told, bool matches) => AssertMatches(matches, Words.Select("--mark", mark), told, RuleContext.Empty);

    /// <summary>One of several marks is enough.</summary>
    [Theory]
    [InlineData(3, true)]
    [InlineData(4, true)]
    [InlineData(5, false)]
    public void OneOfTwoMarks(uint told, bool matches) =>
        AssertMatches(matches, Words.Select("--mark", "3", "--mark", "4"), told, RuleContext.Empty);

    [Theory]
    [InlineData(77, true)]
    [InlineData(88, true)]
    [InlineData(99, false)]
    public void TheCgroup(ulong told, bool matches)
    {
        Selection selection = Words.Select("-s", "22");
        var context = new RuleContext { CgroupIds = [77, 88] };
        Connection connection = Connections.Of("10.0.0.1:22 10.0.0.2:5");
        var attributes = new SocketAttributes(Netlink.Attribute(21, BitConverter.GetBytes(told)));
        Assert.Equal(matches ? Match.Yes : Match.No, selection.Match(in connection, in attributes, context, kernelDecides: false));
    }

    /// <summary>Both have to hold; and what is not told is decided by the kernel's filter, or by nothing.</summary>
    [Theory]
    [InlineData(5u, 77ul, true, Yes)]
    [InlineData(5u, 99ul, true, No)]
    [InlineData(6u, 77ul, true, No)]
    [InlineData(5u, null, true, Yes)]
    [InlineData(5u, null, false, Undecided)]
    [InlineData(6u, null, true, No)]
    [InlineData(null, 77ul, true, Yes)]
    [InlineData(null, 77ul, false, Undecided)]
    [InlineData(null, 99ul, true, No)]
    [InlineData(null, null, false, Undecided)]
    public void BothOfThem(uint? mark, ulong? cgroup, bool kernelDecides, string expected)
    {
        var context = new RuleContext { CgroupIds = [77] };
        Connection connection = Connections.Of("10.0.0.1:22 10.0.0.2:5");
        var bytes = new Bytes();
        bytes.Add(mark is { } m ? Netlink.Attribute(15, BitConverter.GetBytes(m)) : []).Add(cgroup is { } c ? Netlink.Attribute(21, BitConverter.GetBytes(c)) : []);
        var attributes = new SocketAttributes(bytes.ToArray());
        Assert.Equal(expected, $"{Words.Select("--mark", "5").Match(in connection, in attributes, context, kernelDecides)}");
    }

    private static void AssertMatches(bool matches, Selection selection, uint told, RuleContext context)
    {
        Connection connection = Connections.Of("10.0.0.1:22 10.0.0.2:5");
        var attributes = new SocketAttributes(Netlink.Attribute(15, BitConverter.GetBytes(told)));
        Assert.Equal(matches ? Match.Yes : Match.No, selection.Match(in connection, in attributes, context, kernelDecides: false));
    }
}
