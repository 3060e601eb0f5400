using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace TcpCloser.Tests.Interop;

/// <summary>Each struct that is laid out by hand, compared with this machine's headers.</summary>
public sealed class StructLayoutTests
{
    /// <summary>Each struct, its name in C, and the names of its fields in C, in the order of ours.</summary>
    private static readonly (Type Type, string Name, string Fields)[] s_structs =
    [
        (typeof(NlMsgHdr), "struct nlmsghdr", "nlmsg_len nlmsg_type nlmsg_flags nlmsg_seq nlmsg_pid"),
        (typeof(NlAttr), "struct nlattr", "nla_len nla_type"),
        (typeof(SockAddrNl), "struct sockaddr_nl", "nl_family nl_pad nl_pid nl_groups"),
        (typeof(RtMsg), "struct rtmsg", "rtm_family rtm_dst_len rtm_src_len rtm_tos rtm_table rtm_protocol rtm_scope rtm_type rtm_flags"),
        (typeof(InetDiagSockId), "struct inet_diag_sockid",
            "idiag_sport idiag_dport idiag_src idiag_dst idiag_if idiag_cookie[0] idiag_cookie[1]"),
        (typeof(InetDiagReq), "struct inet_diag_req", "idiag_family idiag_src_len idiag_dst_len idiag_ext id idiag_states idiag_dbs"),
        (typeof(InetDiagReqV2), "struct inet_diag_req_v2", "sdiag_family sdiag_protocol idiag_ext pad idiag_states id"),
        (typeof(InetDiagMsg), "struct inet_diag_msg",
            "idiag_family idiag_state idiag_timer idiag_retrans id idiag_expires idiag_rqueue idiag_wqueue idiag_uid idiag_inode"),
        (typeof(InetDiagBcOp), "struct inet_diag_bc_op", "code yes no"),
        (typeof(InetDiagHostCond), "struct inet_diag_hostcond", "family prefix_len port"),
        (typeof(SocketMark), "struct inet_diag_markcond", "mark mask"), // copied whole after a MARK_COND op
        (typeof(PollFd), "struct pollfd", "fd events revents"),
        (typeof(TimeVal), "struct timeval", "tv_sec tv_usec"),
        (typeof(ITimerSpec), "struct itimerspec", "it_interval.tv_sec it_interval.tv_nsec it_value.tv_sec it_value.tv_nsec"),
        (typeof(Tm), "struct tm", "tm_sec tm_min tm_hour tm_mday tm_mon tm_year tm_wday tm_yday tm_isdst tm_gmtoff tm_zone"),
        (typeof(SockAddr), "struct sockaddr", "sa_family"),
        (typeof(SockAddrUn), "struct sockaddr_un", "sun_family sun_path"),
        (typeof(Statx), "struct statx", "stx_nlink stx_uid stx_mode stx_ino stx_size stx_dev_major stx_dev_minor"),
        (typeof(IfReq), "struct ifreq", "ifr_name ifr_ifindex"),
    ];

    [Fact]
    public void Struct_EachInInterop_HasTheLayoutOfC()
    {
        CLayout c = new CLayout().Include("linux/netlink.h", "linux/sock_diag.h", "linux/inet_diag.h", "linux/rtnetlink.h", "net/if.h",
            "netinet/in.h", "poll.h", "sys/stat.h", "sys/time.h", "sys/un.h", "time.h");
        foreach ((Type type, string name, string names) in s_structs)
        {
            c.Assert($"sizeof({name}) == {SizeOf(type)}");
            AddFields(c, type, name, FieldsOf(type), names.Split(' '));
        }

        // One struct of ours is both of these.
        c.Assert($"sizeof(struct sockaddr_in6) == {SizeOf(typeof(SockAddrIn6))}");
        AddFields(c, typeof(SockAddrIn6), "struct sockaddr_in6", ["Family", "Port", "IPv6Address"], ["sin6_family", "sin6_port", "sin6_addr"]);
        AddFields(c, typeof(SockAddrIn6), "struct sockaddr_in", ["Family", "Port", "IPv4Address"], ["sin_family", "sin_port", "sin_addr"]);
        c.Assert("sizeof(struct nlmsgerr) == 20").Assert("offsetof(struct nlmsgerr, error) == 0")
            .Assert("offsetof(struct inet_diag_hostcond, addr) == sizeof(struct inet_diag_hostcond)")
            .Compile();
    }

    /// <summary>A struct that is added to Interop has to be added here; its fields are then compared, or the names do not suffice.</summary>
    [Fact]
    public void Struct_EachInInterop_IsCompared() => Assert.Empty(typeof(NlMsgHdr).Assembly.GetTypes()
        .Where(static type => type is { IsValueType: true, IsEnum: false, IsNested: false, Namespace: "TcpCloser.Interop" })
        .Except([.. s_structs.Select(static item => item.Type), typeof(SockAddrIn6), typeof(Address)]));

    [Fact]
    public void Compile_WrongOffset_Fails() =>
        Assert.Throws<Xunit.Sdk.TrueException>(() => new CLayout().Include("poll.h").Assert("offsetof(struct pollfd, events) == 6").Compile());

    private static void AddFields(CLayout c, Type type, string name, string[] fields, string[] names)
    {
        Assert.Equal(fields.Length, names.Length);
        foreach ((string field, string nameInC) in fields.Zip(names))
        {
            c.Assert($"offsetof({name}, {nameInC}) == {Marshal.OffsetOf(type, field)}");
            c.Assert($"sizeof((({name} *)0)->{nameInC}) == {SizeOf(type.GetField(field, Instance)!.FieldType)}");
        }
    }

    private const BindingFlags Instance = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    private static string[] FieldsOf(Type type) => [.. type.GetFields(Instance).OrderBy(static field => field.MetadataToken).Select(static field => field.Name)];

    private static int SizeOf(Type type) => (int)typeof(Unsafe).GetMethod(nameof(Unsafe.SizeOf))!.MakeGenericMethod(type).Invoke(null, null)!;
}
