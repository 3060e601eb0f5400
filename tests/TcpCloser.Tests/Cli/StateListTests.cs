using System.Text;
using TcpCloser.Cli;

namespace TcpCloser.Tests.Cli;

/// <summary>States and groups under ss's names. A state's bit is its number in the kernel: 1 (established) to 11 (closing).</summary>
public sealed class StateListTests
{
    private const string AllButListen = "established,syn-sent,syn-recv,fin-wait-1,fin-wait-2,time-wait,closed,close-wait,last-ack,closing";

    [Theory]
    [Rows("established | 1", "syn-sent | 2", "syn-recv | 3", "fin-wait-1 | 4", "fin-wait-2 | 5", "time-wait | 6", "closed | 7",
        "close-wait | 8", "last-ack | 9", "listen | 10", "listening | 10", "closing | 11", "ESTABLISHED | 1")]
    public void Parse_StateName_IsItsBit(string name, int state)
    {
        Assert.Equal(1u << state, StateList.Parse("--state", name));
        Assert.Equal(name is "listening" ? "listen" : name.ToLowerInvariant(), Encoding.UTF8.GetString(StateSet.Name((byte)state)));
    }

    /// <summary>The column State of ss and of netstat, ordered by the kernel's numbers.</summary>
    [Theory]
    [Values("ESTAB,SYN-SENT,SYN-RECV,FIN-WAIT-1,FIN-WAIT-2,TIME-WAIT,UNCONN,CLOSE-WAIT,LAST-ACK,LISTEN,CLOSING",
        "ESTABLISHED,SYN_SENT,SYN_RECV,FIN_WAIT1,FIN_WAIT2,TIME_WAIT,CLOSE,CLOSE_WAIT,LAST_ACK,LISTEN,CLOSING",
        "estab,Syn_Sent,syn-rcv,fin-wait1,fin_wait_2,time_wait,unconnected,close_wait,last_ack,listening,Closing")]
    public void Parse_StateAsSsOrNetstatPrintsIt_IsItsBit(string list)
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
    public void Parse_Group_IsItsStates(string group, string states) =>
        Assert.Equal(StateList.Parse("--state", states), StateList.Parse("--state", group));

    [Theory]
    [Rows("establised | established", "establish | established", "closewait | close-wait", "close wait | close-wait",
        "CLOSE_WIAT | close-wait", "fin-wait | fin-wait-1 or fin-wait-2", "sync-sent | syn-sent", "lisen | listen", "conected | connected")]
    public void State_Misspelt_IsRefusedWithASuggestion(string word, string names) =>
        Assert.Equal($"--state '{word}': did you mean {names}?", Words.Refused("-s22", "--state", $"time-wait,{word}"));

    [Theory]
    [Values("up", "1", "exclude")]
    public void State_NothingSimilar_IsRefusedWithAllNames(string word) => Assert.Equal(
        $"--state '{word}': states are established, syn-sent, syn-recv, fin-wait-1, fin-wait-2, time-wait, closed, close-wait, last-ack, " +
        "listen, closing, and the groups all, connected, synchronized, bucket, big", Words.Refused("-s22", "--state", word));

    [Fact]
    public void State_ListAndRepeatedOption_Add() =>
        Assert.Equal(1u << 2 | 1u << 8 | 1u << 10, Words.Rule("--state", "syn-sent,close-wait", "-s22", "--state=listen").States);

    [Theory]
    [Values(0, 12, 255)]
    public void Name_UnknownState_IsUnknown(byte state) => Assert.Equal("unknown", Encoding.UTF8.GetString(StateSet.Name(state)));
}
