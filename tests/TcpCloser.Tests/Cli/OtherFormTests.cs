namespace TcpCloser.Tests.Cli;

/// <summary>Stray words and forms that getopt_long(3) does not accept: each alone, before and after valid options.</summary>
public sealed class OtherFormTests
{
    [Theory]
    [Rows(
        // options that do not exist
        "-x", "-vx", "-x22", "--nope", "--nope=1", "--nope:1", "-S", "--SPORT", "-version", "--h", "-?", "/?", "/s", "/h",
        // abbreviations
        "--spo 80", "--sp=80", "--idle 5", "--idle-tim=5", "--verb", "--dry", "--use", "--use-pro", "--hel", "--vers", "--disable",
        // words that belong to no option
        "22", "stray", "true", "-", "@file", "@/etc/hostname", "[x]", "[suggest]", "[parse]", "[diagram]", "[env:A=1]", "tcp-closer",
        "tcp_closer", "-v true", "-v false", "-4 4", "-- -v", "-- 80", "-- --help", "-- tcp-closer", "",
        // a value behind the wrong separator
        "-s=80", "-s:80", "-vs=80", "-t=5", "-t:5", "-f=/tmp/x", "-f:/tmp/x", "-i=5", "--sport:80", "--dport:80", "--logfile:/tmp/x",
        "--idle_time:5", "--state:all", "-s=", "-s:",
        // a value of a flag
        "--verbose=true", "--verbose=false", "--verbose=", "--verbose:true", "--verbose:", "--dry-run=0", "--use-proc=yes", "-v=true",
        "-v=", "-v:", "-v:true", "-4=", "-n=0", "-vn=",
        // a missing value
        "-s", "-vs", "--sport", "-d", "-t", "-i", "-f", "--logfile", "--state", "--signal", "--last-recv-limit", "-s --", "-s -- 80",
        "-t -v", "-t --verbose",
        // control characters
        "-\u001b=x", "-\n:x", "-v\u009b=x", "-\u2028:")]
    [InlineData(" ")]
    public void Word_EachWrongForm_IsRefusedInAnyPlace(params string[] words)
    {
        Words.Refused(words);
        Words.Refused(["-s", "22", .. words]);
        Words.Refused([.. words, "-s", "22"]);
    }
}
