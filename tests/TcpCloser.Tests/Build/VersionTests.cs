namespace TcpCloser.Tests.Build;

/// <summary>The version that a build derives from git: it names the commit, and sorts after the versions of all earlier commits.</summary>
public sealed class VersionTests : IDisposable
{
    private readonly VersionedSources _sources = new();

    public void Dispose() => _sources.Dispose();

    [Fact]
    public void Version_EachCommit_SortsAfterTheOneBefore()
    {
        string[] expected =
        [
            "v1.0.0-rc.2", "1.0.0-rc.2.1", "1.0.0-rc.2.2", "v1.0.0-rc.10", "1.0.0-rc.10.1", "v1.0.0",
            "1.0.1-alpha.0.1", "1.0.1-alpha.0.2", "v1.0.9", "1.0.10-alpha.0.1", "v1.0.10", "v1.1.0", "1.1.1-alpha.0.1",
        ];
        _sources.Git("init", "-q");
        string? previous = null;
        foreach (string version in expected)
        {
            _sources.Commit();
            if (version[0] == 'v')
            {
                _sources.Git("tag", version);
                Assert.Equal(version[1..], _sources.Version());
            }

            string now = _sources.VersionWithoutCommit();
            Assert.Equal(version.TrimStart('v'), now);
            Assert.True(previous is null || new SemanticVersion(now).CompareTo(new SemanticVersion(previous)) > 0, $"{now} after {previous}");
            previous = now;
        }
    }

    [Fact]
    public void Version_NotARelease_NamesTheCommitAndChanges()
    {
        _sources.Git("init", "-q");
        _sources.Change("file");
        _sources.Commit();
        string commit = _sources.Git("rev-parse", "HEAD")[..10];
        _sources.Change("not of the repository");
        Assert.Equal($"0.0.0+g{commit}", _sources.Version());

        _sources.Git("tag", "v2.3.4");
        Assert.Equal("2.3.4", _sources.Version());
        _sources.Change("file");

        Assert.Equal($"2.3.5-alpha.0.0+g{commit}.dirty", _sources.Version());
        _sources.Git("tag", "--delete", "v2.3.4");
        Assert.Equal($"0.0.0+g{commit}.dirty", _sources.Version());
    }

    [Theory]
    [InlineData("1.0.0", "v1", "v1.2", "v1.2.3.4", "v01.2.3", "v1.2.3-", "version1.2.3", "v1.2.3+4")] // not a version, or without the v
    [InlineData("v1.10.0", "v1.9.0", "v1.10.0", "v1.10.0-rc.1")] // the highest tag of the commit
    [InlineData("v1.10.0", "v1.10.0-rc.1", "v1.10.0", "v1.9.0")]
    public void Version_SeveralTags_IsTheHighestValidOne(string best, params string[] tags)
    {
        _sources.Git("init", "-q");
        _sources.Commit();
        Array.ForEach(tags, tag => _sources.Git("tag", tag));
        Assert.Equal(best[0] == 'v' ? best[1..] : "0.0.0", _sources.VersionWithoutCommit());
    }

    [Fact]
    public void Version_TagOfAnotherBranch_IsIgnored()
    {
        _sources.Git("init", "-q");
        _sources.Commit();
        _sources.Git("tag", "v1.0.0");
        _sources.Git("checkout", "-q", "-b", "side");
        _sources.Commit();
        _sources.Git("tag", "v7.0.0");
        _sources.Git("checkout", "-q", "main");
        _sources.Commit();

        Assert.Equal("1.0.1-alpha.0.1", _sources.VersionWithoutCommit());
    }

    /// <summary>Until there is a tag, the version is the one that is being worked on, with the commit.</summary>
    [Fact]
    public void Version_NoTag_IsTheNewestSectionOfTheChangelog()
    {
        _sources.Write("CHANGELOG.md", "# Changes\n\n## Unreleased\n\n## 2.1.0\n- More than 1.9.0\n\n## 2.0.0\n");
        Assert.Equal("2.1.0+unknown", _sources.Version());
        _sources.Git("init", "-q");
        _sources.Commit();
        Assert.Equal($"2.1.0+g{_sources.Git("rev-parse", "HEAD")[..10]}", _sources.Version());
        _sources.Git("tag", "v2.0.0");
        Assert.Equal("2.0.0", _sources.Version());
    }

    [Fact]
    public void Version_NoRepositoryOfItsOwn_IsUnknown()
    {
        Assert.Equal("0.0.0+unknown", _sources.Version());
        _sources.AddScript("vendored/build");
        _sources.Git("init", "-q");
        Assert.Equal("0.0.0+unknown", _sources.Version()); // no commit yet
        _sources.Commit();
        _sources.Git("tag", "v1.0.0");

        Assert.Equal("1.0.0", _sources.Version());
        Assert.Equal("0.0.0+unknown", _sources.Version("vendored"));
    }
}
