namespace TcpCloser.Tests.Cli;

/// <summary>Stray words and forms that getopt_long(3) does not accept: each alone, before and after valid options.</summary>
public sealed class OtherFormTests
{
    [Theory]
    [Values("-x", "-vx", "-x22", "--nope", "--nope=1", "--nope:1", "-S", "--SPORT", "-version", "--h", "-?", "/?", "/s", "/h")]
    public void UnknownOption_EachForm_IsRefused(string word) => AssertRefused(word);

    [Theory]
    [Rows("--spo 80", "--sp=80", "--idle 5", "--idle-tim=5", "--verb", "--dry", "--use", "--use-pro", "--hel", "--vers", "--disable")]
    public void AbbreviatedOption_EachForm_IsRefused(params string[] words) => AssertRefused(words);

    [Theory]
    [Rows("22", "stray", "true", "-", "@file", "@/etc/hostname", "[x]", "[suggest]", "[parse]", "[diagram]", "[env:A=1]", "tcp-closer",
        "tcp_closer", "-v true", "-v false", "-4 4", "-- -v", "-- 80", "-- --help", "-- tcp-closer")]
    [InlineData("")]
    [InlineData(" ")]
    public void StrayWord_EachForm_IsRefused(params string[] words) => AssertRefused(words);

    [Theory]
    [Values("-s=80", "-s:80", "-vs=80", "-t=5", "-t:5", "-f=/tmp/x", "-f:/tmp/x", "-i=5", "--sport:80", "--dport:80", "--logfile:/tmp/x",
        "--idle_time:5", "--state:all", "-s=", "-s:")]
    public void Value_WrongSeparator_IsRefused(string word) => AssertRefused(word);

    [Theory]
    [Values("--verbose=true", "--verbose=false", "--verbose=", "--verbose:true", "--verbose:", "--dry-run=0", "--use-proc=yes", "-v=true",
        "-v=", "-v:", "-v:true", "-4=", "-n=0", "-vn=")]
    public void Flag_WithAValue_IsRefused(string word) => AssertRefused(word);

    [Theory]
    [Rows("-s", "-vs", "--sport", "-d", "-t", "-i", "-f", "--logfile", "--state", "--signal", "--last-recv-limit", "-s --", "-s -- 80",
        "-t -v", "-t --verbose")]
    public void Value_Missing_IsRefused(params string[] words) => AssertRefused(words);

    [Theory]
    [Values("-\u001b=x", "-\n:x", "-v\u009b=x", "-\u2028:")]
    public void Option_ControlCharacters_IsRefusedInPrintableText(string word) => AssertRefused(word);

    private static void AssertRefused(params string[] words)
    {
        Words.Refused(words);
        Words.Refused(["-s", "22", .. words]);
        Words.Refused([.. words, "-s", "22"]);
    }
}
