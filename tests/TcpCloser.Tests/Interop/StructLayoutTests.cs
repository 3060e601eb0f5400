using System.Reflection;

namespace TcpCloser.Tests.Interop;

/// <summary>Each struct that is laid out by hand, compared with this machine's headers.</summary>
public sealed class StructLayoutTests
{
    [Fact]
    public void Struct_EachInInterop_HasTheLayoutOfC() => Layout().Compile();

    /// <summary>A struct that is added to Interop has to be added here, with each of its fields.</summary>
    [Fact]
    public void Struct_EachInInterop_IsComparedInEachField()
    {
        IReadOnlyDictionary<Type, HashSet<int>> compared = Layout().Structs;
        foreach (Type type in typeof(NlMsgHdr).Assembly.GetTypes().Where(static type =>
            type is { IsValueType: true, IsEnum: false, IsNested: false, Namespace: "TcpCloser.Interop" } && type != typeof(Address)))
        {
            Assert.True(compared.TryGetValue(type, out HashSet<int>? offsets), $"{type.Name} is not compared with C");
            Assert.Equal(type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).Length, offsets.Count);
        }
    }

    [Fact]
    public void Compile_WrongOffset_Fails() =>
        Assert.Throws<Xunit.Sdk.TrueException>(() => new CLayout().Include("poll.h").Assert("offsetof(struct pollfd, events) == 6").Compile());

    private static CLayout Layout()
    {
        CLayout c = new CLayout().Include("linux/netlink.h", "linux/sock_diag.h", "linux/inet_diag.h", "linux/rtnetlink.h", "net/if.h", "netinet/in.h", "poll.h", "sys/stat.h", "sys/time.h", "sys/un.h", "time.h");
        Netlink(c);
        Requests(c);
        Answers(c);
        Bytecode(c);
        Libc(c);
        return c;
    }

    private static void Netlink(CLayout c)
    {
        NlMsgHdr h = default;
        const string Header = "struct nlmsghdr";
        c.Struct<NlMsgHdr>(Header).Field(Header, "nlmsg_len", in h, in h.Length).Field(Header, "nlmsg_type", in h, in h.Type)
            .Field(Header, "nlmsg_flags", in h, in h.Flags).Field(Header, "nlmsg_seq", in h, in h.Sequence)
            .Field(Header, "nlmsg_pid", in h, in h.PortId);

        NlAttr a = default;
        const string Attribute = "struct nlattr";
        c.Struct<NlAttr>(Attribute).Field(Attribute, "nla_len", in a, in a.Length).Field(Attribute, "nla_type", in a, in a.Type);

        SockAddrNl s = default;
        const string Address = "struct sockaddr_nl";
        c.Struct<SockAddrNl>(Address).Field(Address, "nl_family", in s, in s.Family).Field(Address, "nl_pad", in s, in s.Pad)
            .Field(Address, "nl_pid", in s, in s.PortId).Field(Address, "nl_groups", in s, in s.Groups);

        RtMsg r = default;
        const string Route = "struct rtmsg";
        c.Struct<RtMsg>(Route).Field(Route, "rtm_family", in r, in r.Family).Field(Route, "rtm_dst_len", in r, in r.DestinationLength)
            .Field(Route, "rtm_src_len", in r, in r.SourceLength).Field(Route, "rtm_tos", in r, in r.Tos).Field(Route, "rtm_table", in r, in r.Table)
            .Field(Route, "rtm_protocol", in r, in r.Protocol).Field(Route, "rtm_scope", in r, in r.Scope).Field(Route, "rtm_type", in r, in r.Type)
            .Field(Route, "rtm_flags", in r, in r.Flags);
        c.Assert("sizeof(struct nlmsgerr) == 20").Assert("offsetof(struct nlmsgerr, error) == 0");
    }

    private static void Requests(CLayout c)
    {
        InetDiagSockId i = default;
        const string Id = "struct inet_diag_sockid";
        c.Struct<InetDiagSockId>(Id).Field(Id, "idiag_sport", in i, in i.SourcePort).Field(Id, "idiag_dport", in i, in i.DestinationPort)
            .Field(Id, "idiag_src", in i, in i.Source).Field(Id, "idiag_dst", in i, in i.Destination)
            .Field(Id, "idiag_if", in i, in i.Interface).Field(Id, "idiag_cookie[0]", in i, in i.CookieLow)
            .Field(Id, "idiag_cookie[1]", in i, in i.CookieHigh);

        InetDiagReq r = default;
        const string Legacy = "struct inet_diag_req";
        c.Struct<InetDiagReq>(Legacy).Field(Legacy, "idiag_family", in r, in r.IdiagFamily)
            .Field(Legacy, "idiag_src_len", in r, in r.IdiagSrcLen).Field(Legacy, "idiag_dst_len", in r, in r.IdiagDstLen)
            .Field(Legacy, "idiag_ext", in r, in r.IdiagExt).Field(Legacy, "id", in r, in r.Id)
            .Field(Legacy, "idiag_states", in r, in r.IdiagStates).Field(Legacy, "idiag_dbs", in r, in r.IdiagDbs);

        InetDiagReqV2 v = default;
        const string Request = "struct inet_diag_req_v2";
        c.Struct<InetDiagReqV2>(Request).Field(Request, "sdiag_family", in v, in v.SdiagFamily)
            .Field(Request, "sdiag_protocol", in v, in v.SdiagProtocol).Field(Request, "idiag_ext", in v, in v.IdiagExt)
            .Field(Request, "pad", in v, in v.Pad).Field(Request, "idiag_states", in v, in v.IdiagStates).Field(Request, "id", in v, in v.Id);
    }

    private static void Answers(CLayout c)
    {
        InetDiagMsg m = default;
        const string Message = "struct inet_diag_msg";
        c.Struct<InetDiagMsg>(Message).Field(Message, "idiag_family", in m, in m.IdiagFamily).Field(Message, "idiag_state", in m, in m.IdiagState)
            .Field(Message, "idiag_timer", in m, in m.IdiagTimer).Field(Message, "idiag_retrans", in m, in m.IdiagRetrans)
            .Field(Message, "id", in m, in m.Id).Field(Message, "idiag_expires", in m, in m.IdiagExpires)
            .Field(Message, "idiag_rqueue", in m, in m.IdiagRqueue).Field(Message, "idiag_wqueue", in m, in m.IdiagWqueue)
            .Field(Message, "idiag_uid", in m, in m.IdiagUid).Field(Message, "idiag_inode", in m, in m.IdiagInode);
    }

    private static void Bytecode(CLayout c)
    {
        InetDiagBcOp o = default;
        const string Operation = "struct inet_diag_bc_op";
        c.Struct<InetDiagBcOp>(Operation).Field(Operation, "code", in o, in o.Code).Field(Operation, "yes", in o, in o.Yes)
            .Field(Operation, "no", in o, in o.No);

        InetDiagHostCond h = default;
        const string Host = "struct inet_diag_hostcond";
        c.Struct<InetDiagHostCond>(Host).Field(Host, "family", in h, in h.Family).Field(Host, "prefix_len", in h, in h.PrefixLen)
            .Field(Host, "port", in h, in h.Port).Assert("offsetof(struct inet_diag_hostcond, addr) == sizeof(struct inet_diag_hostcond)");

        // Copied whole after a MARK_COND op.
        c.Struct<TcpCloser.Rules.SocketMark>("struct inet_diag_markcond")
            .Assert("offsetof(struct inet_diag_markcond, mark) == 0 && offsetof(struct inet_diag_markcond, mask) == 4");
    }

    private static unsafe void Libc(CLayout c)
    {
        PollFd p = default;
        const string Poll = "struct pollfd";
        c.Struct<PollFd>(Poll).Field(Poll, "fd", in p, in p.Fd).Field(Poll, "events", in p, in p.Events).Field(Poll, "revents", in p, in p.Revents);

        ITimerSpec t = default;
        const string Timer = "struct itimerspec";
        var v = default(TimeVal);
        c.Struct<TimeVal>("struct timeval").Field("struct timeval", "tv_sec", in v, in v.Seconds).Field("struct timeval", "tv_usec", in v, in v.Microseconds);

        c.Struct<ITimerSpec>(Timer).Field(Timer, "it_interval.tv_sec", in t, in t.IntervalSeconds)
            .Field(Timer, "it_interval.tv_nsec", in t, in t.IntervalNanoseconds).Field(Timer, "it_value.tv_sec", in t, in t.ValueSeconds)
            .Field(Timer, "it_value.tv_nsec", in t, in t.ValueNanoseconds);

        Tm b = default;
        const string Broken = "struct tm";
        c.Struct<Tm>(Broken).Field(Broken, "tm_sec", in b, in b.Second).Field(Broken, "tm_min", in b, in b.Minute)
            .Field(Broken, "tm_hour", in b, in b.Hour).Field(Broken, "tm_mday", in b, in b.DayOfMonth).Field(Broken, "tm_mon", in b, in b.Month)
            .Field(Broken, "tm_year", in b, in b.Year).Field(Broken, "tm_wday", in b, in b.DayOfWeek).Field(Broken, "tm_yday", in b, in b.DayOfYear)
            .Field(Broken, "tm_isdst", in b, in b.IsDst).Field(Broken, "tm_gmtoff", in b, in b.GmtOffset).Field(Broken, "tm_zone", in b, in b.Zone);

        SockAddrUn u = default;
        const string Unix = "struct sockaddr_un";
        SockAddr a = default;
        const string Address = "struct sockaddr";
        c.Struct<SockAddr>(Address).Field(Address, "sa_family", in a, in a.Family);

        SockAddrIn6 n = default;
        const string Internet6 = "struct sockaddr_in6";
        const string Internet = "struct sockaddr_in";
        c.Struct<SockAddrIn6>(Internet6).Field(Internet6, "sin6_family", in n, in n.Family).Field(Internet6, "sin6_port", in n, in n.Port)
            .Field(Internet6, "sin6_addr", in n, in n.IPv6Address).Field(Internet, "sin_family", in n, in n.Family)
            .Field(Internet, "sin_port", in n, in n.Port).Field(Internet, "sin_addr", in n, in n.IPv4Address);

        Statx x = default;
        const string Status = "struct statx";
        c.Struct<Statx>(Status).Field(Status, "stx_nlink", in x, in x.Links).Field(Status, "stx_uid", in x, in x.Uid).Field(Status, "stx_mode", in x, in x.Mode).Field(Status, "stx_ino", in x, in x.Inode).Field(Status, "stx_size", in x, in x.Size)
            .Field(Status, "stx_dev_major", in x, in x.DeviceMajor).Field(Status, "stx_dev_minor", in x, in x.DeviceMinor);

        IfReq r = default;
        const string Device = "struct ifreq";
        c.Struct<IfReq>(Device).Field(Device, "ifr_ifindex", in r, in r.Index).Offset(Device, "ifr_name", in r, in r.Name[0]);

        c.Struct<SockAddrUn>(Unix).Field(Unix, "sun_family", in u, in u.Family).Field(Unix, "sun_path", in u, in u.Path);
    }
}
