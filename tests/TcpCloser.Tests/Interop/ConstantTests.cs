using System.Globalization;
using System.Reflection;
using Signal = TcpCloser.Interop.Signal;

namespace TcpCloser.Tests.Interop;

/// <summary>Each constant that is named as in C has its value in this machine's headers.</summary>
public sealed class ConstantTests
{
    private static readonly string[] s_headers =
    [
        "dirent.h", "errno.h", "fcntl.h", "netinet/in.h", "netinet/tcp.h", "net/if.h", "poll.h", "sched.h", "signal.h", "sys/ioctl.h", "sys/ptrace.h", "sys/resource.h", "sys/signalfd.h",
        "sys/socket.h", "sys/stat.h", "sys/statfs.h", "sys/syscall.h", "sys/time.h", "sys/timerfd.h", "sys/un.h", "sys/wait.h", "time.h", "unistd.h",
        "linux/capability.h", "linux/inet_diag.h", "linux/kcmp.h", "linux/magic.h", "linux/netlink.h", "linux/rtnetlink.h", "linux/sock_diag.h",
    ];

    /// <summary>Constants that C spells differently, or gives another type.</summary>
    private static readonly Dictionary<string, string> s_spellings = new()
    {
        ["INET_DIAG_NOCOOKIE"] = "(INET_DIAG_NOCOOKIE | (unsigned long)INET_DIAG_NOCOOKIE << 32)", // made of two u32
        ["LINUX_CAPABILITY_VERSION_3"] = "_LINUX_CAPABILITY_VERSION_3",
        ["SIG_IGN"] = "(long)SIG_IGN",
    };

    [Fact]
    public void Constant_NamedAsInC_HasTheValueInC()
    {
        CLayout c = new CLayout().Include(s_headers);
        int count = 0;
        IEnumerable<Type> types = typeof(Errno).Assembly.GetTypes().Where(static type => type.Namespace == "TcpCloser.Interop");
        foreach (FieldInfo field in types.SelectMany(Constants).Where(static field => IsNameOfC(field.Name)))
        {
            c.Assert($"{s_spellings.GetValueOrDefault(field.Name, field.Name)} == {Value(field)}{(field.FieldType == typeof(ulong) ? "u" : "")}");
            count++;
        }

        Assert.True(count > 100);
        c.Compile();
    }

    [Fact]
    public void Signal_EachName_HasTheNumberInC()
    {
        CLayout c = new CLayout().Include("signal.h").Assert($"{Signal.Max} == _NSIG - 1");
        for (int number = 1; number < 32; number++)
        {
            Assert.StartsWith("SIG", Signal.NameOf(number), StringComparison.Ordinal);
            Assert.Equal(number, Signal.NumberOf(Signal.NameOf(number)));
            c.Assert($"{Signal.NameOf(number)} == {number}");
        }

        c.Compile();
    }

    [Fact]
    public void Size_WrittenAsANumber_IsTheSizeInC() => new CLayout().Include(s_headers)
        .Assert($"sizeof(struct signalfd_siginfo) == {Signal.SignalFdSiginfoSize}")
        .Assert("offsetof(struct signalfd_siginfo, ssi_signo) == 0")
        .Assert($"sizeof(sigset_t) == {Signal.SigsetWords * sizeof(ulong)}")
        .Assert("offsetof(struct dirent64, d_reclen) == 16 && offsetof(struct dirent64, d_name) == 19") // see ProcFile.TakeNumber
        .Assert("sizeof(struct statfs) == 120 && offsetof(struct statfs, f_type) == 0 && sizeof(((struct statfs *)0)->f_type) == 8")
        .Assert("sizeof(struct sigaction) <= 256 && offsetof(struct sigaction, sa_handler) == 0")
        .Assert("sizeof(struct rlimit) == 16 && offsetof(struct rlimit, rlim_cur) == 0")
        .Assert("sizeof(struct __user_cap_header_struct) == 8 && sizeof(struct __user_cap_data_struct) == 12")
        .Assert("offsetof(struct __user_cap_data_struct, effective) == 0")
        .Compile();

    [Fact]
    public void TcpInfo_EachOffset_IsTheOffsetInC()
    {
        CLayout c = new CLayout().Include("linux/tcp.h").Assert("sizeof(struct tcp_info) >= 232 && offsetof(struct tcp_info, tcpi_rto) == 8");
        FieldInfo[] offsets = [.. Constants(typeof(TcpInfo)).Where(static field => field.Name != nameof(TcpInfo.Size))];
        Assert.NotEmpty(offsets);
        foreach (FieldInfo offset in offsets)
        {
            string name = Underscored(offset.Name).Replace("_not_sent", "_notsent", StringComparison.Ordinal);
            int at = Convert.ToInt32(offset.GetValue(null), CultureInfo.InvariantCulture);

            // The first eight fields have one byte, a counter of bytes has eight, two fields of Linux 6.7 have two, and all others four.
            int size = at < 8 ? 1 : at == TcpInfo.BytesReceived ? 8 : at is TcpInfo.TotalRto or TcpInfo.TotalRtoRecoveries ? 2 : 4;
            string same = $"offsetof(struct tcp_info, tcpi{name}) == {at} && sizeof(((struct tcp_info *)0)->tcpi{name}) == {size}";
            _ = at < TcpInfo.TotalRto ? c.Assert(same) : c.AssertSince(6, 7, same);
        }

        c.Compile();
    }

    [Fact]
    public void TcpState_EachState_HasTheNumberInC()
    {
        CLayout c = new CLayout().Include("netinet/tcp.h").Assert($"TCP_CLOSING + 1 == {TcpState.Count}");
        foreach (FieldInfo state in Constants(typeof(TcpState)).Where(static field => field.Name != nameof(TcpState.Count)))
        {
            c.Assert($"TCP{Underscored(state.Name).ToUpperInvariant()} == {Value(state)}");
        }

        c.Compile();
    }

    private static IEnumerable<FieldInfo> Constants(Type type) =>
        type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
            .Where(static field => field.FieldType.IsPrimitive && (field.IsLiteral || field.IsInitOnly));

    private static string Value(FieldInfo field) => Convert.ToString(field.GetValue(null), CultureInfo.InvariantCulture)!;

    /// <summary>Upper case, except for system calls: SYS_ and lower case.</summary>
    private static bool IsNameOfC(string name) =>
        name.StartsWith("SYS_", StringComparison.Ordinal) || (name.Length > 1 && name.All(static c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c) || c == '_'));

    /// <summary><c>LastDataRecv</c> as <c>_last_data_recv</c>.</summary>
    private static string Underscored(string name) =>
        string.Concat(name.Select(static c => $"{(char.IsAsciiLetterUpper(c) ? "_" : "")}{char.ToLowerInvariant(c)}"));
}
