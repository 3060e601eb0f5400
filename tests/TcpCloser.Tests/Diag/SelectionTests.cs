namespace TcpCloser.Tests.Diag;

/// <summary>Which connections are selected: every socket is checked again after the kernel's filter.</summary>
public sealed class SelectionTests
{
    private const string Yes = nameof(Match.Yes);
    private const string No = nameof(Match.No);
    private const string Undecided = nameof(Match.Undecided);

    [Theory]
    [Rows("-4 | 10.0.0.1:22 10.0.0.2:5 | true", "-4 | ::ffff:10.0.0.1:22 ::ffff:10.0.0.2:5 | true", "-4 | fd00::1:22 fd00::2:5 | false",
        "-6 | 10.0.0.1:22 10.0.0.2:5 | false", "-6 | ::ffff:10.0.0.1:22 ::ffff:10.0.0.2:5 | true", "-6 | fd00::1:22 fd00::2:5 | true",
        "-46 | 10.0.0.1:22 10.0.0.2:5 | true", "-46 | ::ffff:10.0.0.1:22 ::ffff:10.0.0.2:5 | true", "-46 | fd00::1:22 fd00::2:5 | true")]
    public void Match_Family_IncludesDualStackSockets(string families, string ends, bool matches) =>
        Assert.Equal(matches, Matches(ends, 1, families, "-s", "22"));

    [Theory]
    [Rows("true | -s 22", "true | -d 80", "true | -s 22 -d 80", "true | -s 1,20-30", "false | -s 80", "false | -d 22",
        "false | -s 22 -d 81", "false | -s 23 -d 80", "false | -s 5632")]
    public void Match_Ports_BothEndsHaveToBeSelected(bool matches, params string[] words) =>
        Assert.Equal(matches, Matches("10.0.0.1:22 10.0.0.2:80", 1, words));

    [Theory]
    [Rows("1 | true | -s 22", "10 | false | -s 22", "10 | false | -s 22 --state all", "10 | true | -s 22 --state listen",
        "8 | true | -s 22 --state all", "1 | false | -s 22 --state close-wait")]
    public void Match_State_ListenersOnlyIfNamed(byte state, bool matches, params string[] words) =>
        Assert.Equal(matches, Matches("10.0.0.1:22 10.0.0.2:80", state, words));

    /// <summary>A socket that no process has open shows uid 0, but does not belong to root.</summary>
    [Theory]
    [Rows("33 | 33 | 7 | true", "33 | 0 | 7 | false", "33,34 | 34 | 7 | true", "33 | 33 | 0 | false", "0 | 0 | 7 | true",
        "0 | 0 | 0 | false")]
    public void Match_Uid_RequiresAHolder(string uids, uint uid, uint inode, bool matches)
    {
        Connection connection = Connections.Of("10.0.0.1:22 10.0.0.2:80");
        (connection.Uid, connection.Inode) = (uid, inode);
        Assert.Equal(matches, Words.Matches(Words.Select("--uid", uids), in connection));
    }

    /// <summary>
    /// An exclusion protects users. An orphaned socket belongs to none, and shows uid 0; a connection that no process has accepted yet shows
    /// the user of its listener.
    /// </summary>
    [Theory]
    [InlineData("33", 33u, 7u, "established", false)]
    [InlineData("33", 0u, 7u, "established", true)]
    [InlineData("33,34", 34u, 7u, "established", false)]
    [InlineData("0", 0u, 7u, "established", false)]
    [InlineData("33", 33u, 0u, "established", false)]
    [InlineData("33", 33u, 0u, "close-wait", false)]
    [InlineData("33", 34u, 0u, "established", true)]
    [InlineData("0", 0u, 0u, "fin-wait-1", true)]
    public void Match_NotUid_ExcludesSocketsOfTheUser(string uids, uint uid, uint inode, string state, bool matches)
    {
        Connection connection = Connections.Of("10.0.0.1:22 10.0.0.2:80");
        (connection.Uid, connection.Inode) = (uid, inode);
        connection.State = state switch { "close-wait" => TcpState.CloseWait, "fin-wait-1" => TcpState.FinWait1, _ => TcpState.Established };
        Assert.Equal(matches, Words.Matches(Words.Select("-s", "22", "--state", "all", "--not-uid", uids), in connection));
    }

    [Theory]
    [InlineData(7u, false, false, false)]
    [InlineData(8u, false, false, true)]
    [InlineData(0u, false, false, true)]
    [InlineData(8u, true, false, false)]
    [InlineData(8u, false, true, true)]
    [InlineData(0u, false, true, false)]
    public void Match_ExcludedInodes_ExcludeSocketsWithAHolder(uint inode, bool isAnyHeld, bool areQueuedExcluded, bool matches)
    {
        Connection connection = Connections.Of("10.0.0.1:22 10.0.0.2:80");
        connection.Inode = inode;
        var context = new RuleContext { ExcludedInodes = [7], ExcludesEveryHeld = isAnyHeld, ExcludesQueued = areQueuedExcluded };
        Match match = Words.Select("-s", "22").Match(in connection, new SocketAttributes(), context, kernelDecides: true);
        Assert.Equal(matches ? Match.Yes : Match.No, match);
    }

    /// <summary>A cgroup that is not known may be below an excluded one.</summary>
    [Theory]
    [InlineData(77ul, Yes)]
    [InlineData(88ul, No)]
    [InlineData(99ul, nameof(Match.UnknownCgroup))]
    [InlineData(null, nameof(Match.UnknownCgroup))]
    public void Match_ExcludedCgroup_UnknownIsNotSelected(ulong? cgroup, string expected)
    {
        var context = new RuleContext { CgroupExclusions = new() { [77] = false, [88] = true } };
        Connection connection = Connections.Of("10.0.0.1:22 10.0.0.2:5");
        var attributes = new SocketAttributes(cgroup is { } id ? Netlink.Attribute(21, BitConverter.GetBytes(id)) : []);
        Assert.Equal(expected, $"{Words.Select("-s", "22").Match(in connection, in attributes, context, kernelDecides: true)}");
        Assert.Equal(No, $"{Words.Select("-s", "23").Match(in connection, in attributes, context, kernelDecides: true)}");
    }

    /// <summary>Both have to hold, and what the mark has already excluded needs no cgroup.</summary>
    [Theory]
    [InlineData(5u, 77ul, Yes)]
    [InlineData(5u, 88ul, No)]
    [InlineData(5u, 99ul, No)]
    [InlineData(6u, null, No)]
    [InlineData(null, 77ul, Undecided)]
    [InlineData(null, 88ul, No)]
    public void Match_MarkCgroupAndExclusion_AllHaveToMatch(uint? mark, ulong? cgroup, string expected)
    {
        var context = new RuleContext { CgroupIds = [77, 88], CgroupExclusions = new() { [77] = false, [88] = true, [99] = false } };
        Connection connection = Connections.Of("10.0.0.1:22 10.0.0.2:5");
        var bytes = new Bytes();
        bytes.Add(mark is { } m ? Netlink.Attribute(15, BitConverter.GetBytes(m)) : []).Add(cgroup is { } c ? Netlink.Attribute(21, BitConverter.GetBytes(c)) : []);
        var attributes = new SocketAttributes(bytes.ToArray());
        Assert.Equal(expected, $"{Words.Select("--mark", "5").Match(in connection, in attributes, context, kernelDecides: false)}");
    }

    /// <summary>One of several marks is enough.</summary>
    [Theory]
    [Rows("5 | 5 | true", "5 | 7 | false", "0/0x1 | 2 | true", "5/0xf | 53 | true", "5/0xf | 54 | false", "3,4 | 3 | true", "3,4 | 4 | true", "3,4 | 5 | false")]
    public void Match_Marks_AreComparedUnderTheirMasks(string marks, uint reported, bool matches)
    {
        Selection selection = Words.Select([.. marks.Split(',').SelectMany(static mark => (string[])["--mark", mark])]);
        Connection connection = Connections.Of("10.0.0.1:22 10.0.0.2:5");
        var attributes = new SocketAttributes(Netlink.Attribute(15, BitConverter.GetBytes(reported)));
        Assert.Equal(matches ? Match.Yes : Match.No, selection.Match(in connection, in attributes, RuleContext.Empty, kernelDecides: false));
    }

    [Theory]
    [Rows("77 | true", "88 | true", "99 | false")]
    public void Match_SeveralCgroups_OneIsEnough(ulong reported, bool matches)
    {
        Selection selection = Words.Select("-s", "22");
        var context = new RuleContext { CgroupIds = [77, 88] };
        Connection connection = Connections.Of("10.0.0.1:22 10.0.0.2:5");
        var attributes = new SocketAttributes(Netlink.Attribute(21, BitConverter.GetBytes(reported)));
        Assert.Equal(matches ? Match.Yes : Match.No, selection.Match(in connection, in attributes, context, kernelDecides: false));
    }

    /// <summary>Both have to match; what is not reported is decided by the kernel's filter, or not at all.</summary>
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
    public void Match_MarkAndCgroup_BothHaveToMatch(uint? mark, ulong? cgroup, bool kernelDecides, string expected)
    {
        var context = new RuleContext { CgroupIds = [77] };
        Connection connection = Connections.Of("10.0.0.1:22 10.0.0.2:5");
        var bytes = new Bytes();
        bytes.Add(mark is { } m ? Netlink.Attribute(15, BitConverter.GetBytes(m)) : []).Add(cgroup is { } c ? Netlink.Attribute(21, BitConverter.GetBytes(c)) : []);
        var attributes = new SocketAttributes(bytes.ToArray());
        Assert.Equal(expected, $"{Words.Select("--mark", "5").Match(in connection, in attributes, context, kernelDecides)}");
    }

    private static bool Matches(string ends, byte state, params string[] words)
    {
        Connection connection = Connections.Of(ends, state);
        return Words.Matches(Words.Select(words), in connection);
    }
}
