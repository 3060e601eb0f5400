using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Cli;

/// <summary>Words that are no option, no value, or a form that getopt_long(3) does not have: all of them after and before a good rest.</summary>
public sealed class OtherFormTests
{
    [Theory]
    [InlineData("-x")]
    [InlineData("-vx")]
    [InlineData("-x22")]
    [InlineData("--nope")]
    [InlineData("--nope=1")]
    [InlineData("--nope:1")]
    [InlineData("-S")]
    [InlineData("--SPORT")]
    [InlineData("-version")]
    [InlineData("--h")]
    [InlineData("-?")]
    [InlineData("/?")]
    [InlineData("/s")]
    [InlineData("/h")]
    public void Unknown(string word) => Refused(word);

    [Theory]
    [InlineData("--spo", "80")]
    [InlineData("--sp=80")]
    [InlineData("--idle", "5")]
    [InlineData("--idle-tim=5")]
    [InlineData("--verb")]
    [InlineData("--dry")]
    [InlineData("--use")]
    [InlineData("--use-pro")]
    [InlineData("--hel")]
    [InlineData("--vers")]
    [InlineData("--disable")]
    public void Abbreviated(params string[] words) => Refused(words);

    [Theory]
    [InlineData("22")]
    [InlineData("stray")]
    [InlineData("true")]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("-")]
    [InlineData("@file")]
    [InlineData("@/etc/hostname")]
    [InlineData("[x]")]
    [InlineData("[suggest]")]
    [InlineData("[parse]")]
    [InlineData("[diagram]")]
    [InlineData("[env:A=1]")]
    [InlineData("tcp-closer")]
    [InlineData("tcp_closer")]
    [InlineData("-v", "true")]
    [InlineData("-v", "false")]
    [InlineData("-4", "4")]
    [InlineData("--", "-v")]
    [InlineData("--", "80")]
    [InlineData("--", "--help")]
    [InlineData("--", "tcp-closer")]
    public void Stray(params string[] words) => Refused(words);

    [Theory]
    [InlineData("-s=80")]
    [InlineData("-s:80")]
    [InlineData("-vs=80")]
    [InlineData("-t=5")]
    [InlineData("-t:5")]
    [InlineData("-f=/tmp/x")]
    [InlineData("-f:/tmp/x")]
    [InlineData("-i=5")]
    [InlineData("--sport:80")]
    [InlineData("--dport:80")]
    [InlineData("--logfile:/tmp/x")]
    [InlineData("--idle_time:5")]
    [InlineData("--state:all")]
    [InlineData("-s=")]
    [InlineData("-s:")]
    public void EqualsSignsAndColons(string word) => Refused(word);

    [Theory]
    [InlineData("--verbose=true")]
    [InlineData("--verbose=false")]
    [InlineData("--verbose=")]
    [InlineData("--verbose:true")]
    [InlineData("--verbose:")]
    [InlineData("--dry-run=0")]
    [InlineData("--use-proc=yes")]
    [InlineData("-v=true")]
    [InlineData("-v=")]
    [InlineData("-v:")]
    [InlineData("-v:true")]
    [InlineData("-4=")]
    [InlineData("-n=0")]
    [InlineData("-vn=")]
    public void AValueForAFlag(string word) => Refused(word);

    [Theory]
    [InlineData("-s")]
    [InlineData("-vs")]
    [InlineData("--sport")]
    [InlineData("-d")]
    [InlineData("-t")]
    [InlineData("-i")]
    [InlineData("-f")]
    [InlineData("--logfile")]
    [InlineData("--state")]
    [InlineData("--signal")]
    [InlineData("--last-recv-limit")]
    [InlineData("-s", "--")]
    [InlineData("-s", "--", "80")]
    [InlineData("-t", "-v")]
    [InlineData("-t", "--verbose")]
    public void AMissingValue(params string[] words) => Refused(words);

    [Theory]
    [InlineData("-\u001b=x")]
    [InlineData("-\n:x")]
    [InlineData("-v\u009b=x")]
    [InlineData("-\u2028:")]
    public void AnOptionThatDrivesATerminal(string word) => Refused(word);

    private static void Refused(params string[] words)
    {
        Words.Refused(words);
        Words.Refused(["-s", "22", .. words]);
        Words.Refused([.. words, "-s", "22"]);
    }
}
