using TcpCloser.KernelTests.Harness;
using TcpCloser.KernelTests.Harness.Paths;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>
/// Asking never ends a living connection: those that are asked again and again, over fast and slow paths that fail for a while, fare
/// as their twins do that are never asked. TCP_CLOSER_LONG_TESTS=1 gives it minutes in place of seconds.
/// </summary>
public sealed class ProbeLimitTests
{
    /// <summary>The port of the twins, which the program is not told of.</summary>
    private const int TwinPort = 7001;

    private static readonly string[] s_owners =
    [
        "",
        "user-timeout=3000",
        "user-timeout=10000",
        "keepalive=5,5,6",
        "keepalive=5,5,6 user-timeout=30000",
        "keepalive=60,10,6",
        "keepalive=60,10,6 user-timeout=60000",
        "keepalive=7200,75,9",
        "keepalive=7200,75,9 user-timeout=3000",
        "keepalive=10,10,1",
        "keepalive=10,10,2",
        "keepalive=10,10,3",
        "keepalive=10,10,1 user-timeout=3000",
    ];

    private static bool IsLong => Environment.GetEnvironmentVariable("TCP_CLOSER_LONG_TESTS") == "1";

    /// <summary>How long a packet takes in each direction, in ms, and for how long the program asks each time.</summary>
    private static readonly (int OneWay, string Time)[] s_paths =
    [
        (0, "3s"),
        (150, "3s"),
        (1_000, "3s"), // too short for that path
        (1_000, "25s"),
    ];

    [Fact]
    public void TheAskedFareAsTheirTwins()
    {
        List<Course> courses = [.. s_paths.Select(static path => new Course(path.OneWay))];
        try
        {
            courses.ForEach(static course => course.BecomeSlow());
            Command[] asking = [.. courses.Select((course, i) => course.Path.Tool(
                "-n", "-d", $"{NetworkPath.Port}", "--probe", s_paths[i].Time, "-i", "1s", "-v").Start())];
            for (int round = 0; round < (IsLong ? 10 : 1); round++)
            {
                Thread.Sleep(IsLong ? 30_000 : 9_000);
                courses.ForEach(static course => course.Path.Cut());
                Thread.Sleep(5_000);
                courses.ForEach(static course => course.Path.Mend());
                Thread.Sleep(IsLong ? 30_000 : 12_000);
            }

            for (int i = 0; i < asking.Length; i++)
            {
                asking[i].Signal("TERM");
                Result result = asking[i].WaitForEnd().Expect(0);
                asking[i].Dispose();
                Assert.DoesNotContain(result.Log, static line =>
                    line.Contains(" error ", StringComparison.Ordinal) && !line.Contains(" error not reached ", StringComparison.Ordinal));
                Assert.Contains(result.Log, static line => line.Contains("its peer lives", StringComparison.Ordinal));
                courses[i].AssertAlike();
            }
        }
        finally
        {
            courses.ForEach(static course => course.Dispose());
        }
    }

    /// <summary>A path, and for each kind of owner a connection that is asked and its twin.</summary>
    private sealed class Course : IDisposable
    {
        private readonly List<(string Owner, SocketRange Asked, SocketRange Twin)> _pairs = [];
        private readonly int _oneWay;

        internal Course(int oneWay)
        {
            _oneWay = oneWay;
            Path = NetworkPath.Slow(0);
            _ = Path.Far.Ask($"listen :: {TwinPort}");
            foreach (string owner in s_owners)
            {
                SocketRange asked = Path.Connect(options: owner).Near;
                SocketRange twin = Path.Near.Connect($"{NetworkPath.Far4(2)} {TwinPort} 1 {owner}");
                _ = Path.Far.Accept(TwinPort, 1);
                _pairs.Add((owner, asked, twin));
            }
        }

        internal NetworkPath Path { get; }

        /// <summary>All of them get to know the path at the same time, so that their timers run together.</summary>
        internal void BecomeSlow()
        {
            Path.Delay(_oneWay);
            SocketRange all = _pairs[0].Asked with { Text = $"0-{(2 * s_owners.Length) - 1}" };
            for (int i = 0; i < 4; i++)
            {
                all.Send();
                Until.True(() => all.Process.Ask($"info {all.Text}").All(static line => line.Contains(" unacked=0 ", StringComparison.Ordinal)), "acknowledgements");
            }
        }

        internal void AssertAlike()
        {
            Assert.All(_pairs, static pair => Assert.Equal((pair.Owner, pair.Twin.Looks[0]), (pair.Owner, pair.Asked.Looks[0])));
            Assert.All(_pairs, static pair => Assert.Equal((pair.Owner, pair.Twin.Options[0]), (pair.Owner, pair.Asked.Options[0])));
            Assert.Equal("1 alive", _pairs[0].Asked.Looks[0]);
        }

        public void Dispose() => Path.Dispose();
    }
}
