using System.Text;
using TcpCloser.Cli;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Cli;

/// <summary>States and groups by ss's names, as bits that the kernel numbers from 1 (established) to 11 (closing).</summary>
public sealed class StateListTests
{
    private const string AllButListen = "established,syn-sent,syn-recv,fin-wait-1,fin-wait-2,time-wait,closed,close-wait,last-ack,closing";

    [Theory]
    [InlineData("established", 1)]
    [InlineData("syn-sent", 2)]
    [InlineData("syn-recv", 3)]
    [InlineData("fin-wait-1", 4)]
    [InlineData("fin-wait-2", 5)]
    [InlineData("time-wait", 6)]
    [InlineData("closed", 7)]
    [InlineData("close-wait", 8)]
    [InlineData("last-ack", 9)]
    [InlineData("listen", 10)]
    [InlineData("listening", 10)]
    [InlineData("closing", 11)]
    [InlineData("ESTABLISHED", 1)]
    public void AState(string name, int state)
    {
        Assert.Equal(1u << state, StateList.Parse("--state", name));
        Assert.Equal(name is "listening" ? "listen" : name.ToLowerInvariant(), Encoding.UTF8.GetString(StateList.Name((byte)state)));
    }

    /// <summary>What State says in the output of ss and of netstat, in their order.</summary>
    [Theory]
    [InlineData("ESTAB,SYN-SENT,SYN-RECV,FIN-WAIT-1,FIN-WAIT-2,TIME-WAIT,UNCONN,CLOSE-WAIT,LAST-ACK,LISTEN,CLOSING")]
    [InlineData("ESTABLISHED,SYN_SENT,SYN_RECV,FIN_WAIT1,FIN_WAIT2,TIME_WAIT,CLOSE,CLOSE_WAIT,LAST_ACK,LISTEN,CLOSING")]
    [InlineData("estab,Syn_Sent,syn-rcv,fin-wait1,fin_wait_2,time_wait,unconnected,close_wait,last_ack,listening,Closing")]
    public void AsSsAndNetstatPrintThem(string list)
    {
        string[] words = list.Split(',');
        Assert.Equal(11, words.Length);
        for (int state = 1; state <= words.Length; state++)
        {
            Assert.Equal(1u << state, StateList.Parse("--state", words[state - 1]));
        }
    }

    [Theory]
    [InlineData("all", AllButListen)]
    [InlineData("connected", "established,syn-sent,syn-recv,fin-wait-1,fin-wait-2,time-wait,close-wait,last-ack,closing")]
    [InlineData("synchronized", "established,syn-recv,fin-wait-1,fin-wait-2,time-wait,close-wait,last-ack,closing")]
    [InlineData("bucket", "syn-recv,time-wait")]
    [InlineData("big", "established,syn-sent,fin-wait-1,fin-wait-2,closed,close-wait,last-ack,closing")]
    [InlineData("all,listen", AllButListen + ",listen")]
    public void AGroup(string group, string states) => Assert.Equal(StateList.Parse("--state", states), StateList.Parse("--state", group));

    [Theory]
    [InlineData("all")]
    [InlineData("connected")]
    [InlineData("synchronized")]
    [InlineData("bucket")]
    [InlineData("big")]
    public void NoGroupContainsListen(string group) => Assert.Equal(0u, Words.Rule("-s", "22", "--state", group).States & 1u << 10);

    [Fact]
    public void ValuesAndRepeatedOptionsAdd() =>
        Assert.Equal(1u << 2 | 1u << 8 | 1u << 10, Words.Rule("--state", "syn-sent,close-wait", "-s22", "--state=listen").States);

    [Theory]
    [InlineData(0)]
    [InlineData(12)]
    [InlineData(255)]
    public void AStateWithoutAName(byte state) => Assert.Equal("unknown", Encoding.UTF8.GetString(StateList.Name(state)));
}
