namespace TcpCloser.Tests.Diag;

/// <summary>Which connections are selected: every socket is checked again after the kernel's filter.</summary>
public sealed class SelectionTests
{
    [Theory]
    [Rows("-4 | 10.0.0.1:22 10.0.0.2:5 | true", "-4 | ::ffff:10.0.0.1:22 ::ffff:10.0.0.2:5 | true", "-4 | fd00::1:22 fd00::2:5 | false",
        "-6 | 10.0.0.1:22 10.0.0.2:5 | false", "-6 | ::ffff:10.0.0.1:22 ::ffff:10.0.0.2:5 | true", "-6 | fd00::1:22 fd00::2:5 | true",
        "-46 | 10.0.0.1:22 10.0.0.2:5 | true", "-46 | ::ffff:10.0.0.1:22 ::ffff:10.0.0.2:5 | true", "-46 | fd00::1:22 fd00::2:5 | true")]
    public void Match_Family_IncludesDualStackSockets(string families, string ends, bool matches) =>
        Assert.Equal(matches, Matches(Connections.Of(ends), families, "-s", "22"));

    [Theory]
    [Rows("true | -s 22", "true | -d 80", "true | -s 22 -d 80", "true | -s 1,20-30", "false | -s 80", "false | -d 22",
        "false | -s 22 -d 81", "false | -s 23 -d 80", "false | -s 5632")]
    public void Match_Ports_BothEndsHaveToBeSelected(bool matches, params string[] words) =>
        Assert.Equal(matches, Matches(Connection(), words));

    [Theory]
    [Rows("1 | true | -s 22", "10 | false | -s 22", "10 | false | -s 22 --state all", "10 | true | -s 22 --state listen",
        "8 | true | -s 22 --state all", "1 | false | -s 22 --state close-wait")]
    public void Match_State_ListenersOnlyIfNamed(byte state, bool matches, params string[] words) =>
        Assert.Equal(matches, Matches(Connection(state), words));

    /// <summary>A socket that no process has open shows uid 0, but does not belong to root.</summary>
    [Theory]
    [Rows("33 | 33 | 7 | true", "33 | 0 | 7 | false", "33,34 | 34 | 7 | true", "33 | 33 | 0 | false", "0 | 0 | 7 | true",
        "0 | 0 | 0 | false")]
    public void Match_Uid_RequiresAHolder(string uids, uint uid, uint inode, bool matches) =>
        Assert.Equal(matches, Matches(Connection(uid: uid, inode: inode), "--uid", uids));

    /// <summary>
    /// An exclusion protects users. An orphaned socket belongs to none, and shows uid 0; a connection that no process has accepted yet shows
    /// the user of its listener.
    /// </summary>
    [Theory]
    [Rows("33 | 33 | 7 | Established | false", "33 | 0 | 7 | Established | true", "33,34 | 34 | 7 | Established | false",
        "0 | 0 | 7 | Established | false", "33 | 33 | 0 | Established | false", "33 | 33 | 0 | CloseWait | false",
        "33 | 34 | 0 | Established | true", "0 | 0 | 0 | FinWait1 | true")]
    public void Match_NotUid_ExcludesSocketsOfTheUser(string uids, uint uid, uint inode, byte state, bool matches) =>
        Assert.Equal(matches, Matches(Connection(state, uid, inode), "-s", "22", "--state", "all", "--not-uid", uids));

    [Theory]
    [Rows("7 | false | false | No", "8 | false | false | Yes", "0 | false | false | Yes", "8 | true | false | No", "8 | false | true | Yes",
        "0 | false | true | No")]
    public void Match_ExcludedInodes_ExcludeSocketsWithAHolder(uint inode, bool isAnyHeld, bool areQueuedExcluded, string expected)
    {
        var context = new RuleContext { ExcludedInodes = [7], ExcludesEveryHeld = isAnyHeld, ExcludesQueued = areQueuedExcluded };
        Assert.Equal(expected, Match("-s 22", context, inode: inode));
    }

    /// <summary>A cgroup that is not known may be below an excluded one.</summary>
    [Theory]
    [Rows("77 | Yes", "88 | No", "99 | UnknownCgroup", "null | UnknownCgroup")]
    public void Match_ExcludedCgroup_UnknownIsNotSelected(ulong? cgroup, string expected)
    {
        var context = new RuleContext { CgroupExclusions = new() { [77] = false, [88] = true } };
        Assert.Equal(expected, Match("-s 22", context, cgroup: cgroup));
        Assert.Equal("No", Match("-s 23", context, cgroup: cgroup));
    }

    /// <summary>Both have to hold, and what the mark has already excluded needs no cgroup.</summary>
    [Theory]
    [Rows("5 | 77 | Yes", "5 | 88 | No", "5 | 99 | No", "6 | null | No", "null | 77 | Undecided", "null | 88 | No")]
    public void Match_MarkCgroupAndExclusion_AllHaveToMatch(uint? mark, ulong? cgroup, string expected)
    {
        var context = new RuleContext { CgroupIds = [77, 88], CgroupExclusions = new() { [77] = false, [88] = true, [99] = false } };
        Assert.Equal(expected, Match("--mark 5", context, mark, cgroup, kernelDecides: false));
    }

    /// <summary>One of several marks is enough.</summary>
    [Theory]
    [Rows("5 | 5 | Yes", "5 | 7 | No", "0/0x1 | 2 | Yes", "5/0xf | 53 | Yes", "5/0xf | 54 | No", "3 --mark 4 | 3 | Yes", "3 --mark 4 | 4 | Yes",
        "3 --mark 4 | 5 | No")]
    public void Match_Marks_AreComparedUnderTheirMasks(string marks, uint reported, string expected) =>
        Assert.Equal(expected, Match($"--mark {marks}", RuleContext.Empty, reported, kernelDecides: false));

    [Theory]
    [Rows("77 | Yes", "88 | Yes", "99 | No")]
    public void Match_SeveralCgroups_OneIsEnough(ulong reported, string expected) =>
        Assert.Equal(expected, Match("-s 22", new RuleContext { CgroupIds = [77, 88] }, cgroup: reported, kernelDecides: false));

    /// <summary>Both have to match; what is not reported is decided by the kernel's filter, or not at all.</summary>
    [Theory]
    [Rows("5 | 77 | true | Yes", "5 | 99 | true | No", "6 | 77 | true | No", "5 | null | true | Yes", "5 | null | false | Undecided",
        "6 | null | true | No", "null | 77 | true | Yes", "null | 77 | false | Undecided", "null | 99 | true | No",
        "null | null | false | Undecided")]
    public void Match_MarkAndCgroup_BothHaveToMatch(uint? mark, ulong? cgroup, bool kernelDecides, string expected) =>
        Assert.Equal(expected, Match("--mark 5", new RuleContext { CgroupIds = [77] }, mark, cgroup, kernelDecides));

    private static Connection Connection(byte state = TcpState.Established, uint uid = 1000, uint inode = 12345)
    {
        Connection connection = Connections.Of("10.0.0.1:22 10.0.0.2:80", state);
        (connection.Uid, connection.Inode) = (uid, inode);
        return connection;
    }

    private static bool Matches(Connection connection, params string[] words) => Words.Matches(Words.Select(words), in connection);

    /// <summary>The result for a connection whose mark and cgroup the kernel reports; null: it does not.</summary>
    private static string Match(
        string words, RuleContext context, uint? mark = null, ulong? cgroup = null, bool kernelDecides = true, uint inode = 12345)
    {
        Connection connection = Connection(inode: inode);
        var attributes = new SocketAttributes(new Bytes()
            .Add(mark is { } m ? Netlink.Attribute(15, BitConverter.GetBytes(m)) : [])
            .Add(cgroup is { } c ? Netlink.Attribute(21, BitConverter.GetBytes(c)) : [])
            .ToArray());
        return Words.Select(words.Split(' ')).Match(in connection, in attributes, context, kernelDecides).ToString();
    }
}
