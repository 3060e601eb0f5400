using System.Globalization;

namespace TcpCloser.Tests.Support;

/// <summary>A version in the order of semver.org 2.0.0, which ignores everything after a plus.</summary>
internal sealed class SemanticVersion : IComparable<SemanticVersion>
{
    private readonly int[] _release;
    private readonly string[] _preRelease;

    public SemanticVersion(string text)
    {
        string[] parts = text.Split('+')[0].Split('-', 2);
        _release = [.. parts[0].Split('.').Select(number => int.Parse(number, CultureInfo.InvariantCulture))];
        _preRelease = parts.Length == 1 ? [] : parts[1].Split('.');
        Assert.Equal(3, _release.Length);
    }

    public int CompareTo(SemanticVersion? other)
    {
        ArgumentNullException.ThrowIfNull(other);
        for (int i = 0; i < _release.Length; i++)
        {
            if (_release[i] != other._release[i])
            {
                return _release[i].CompareTo(other._release[i]);
            }
        }

        if (_preRelease.Length == 0 || other._preRelease.Length == 0)
        {
            return other._preRelease.Length.CompareTo(_preRelease.Length);
        }

        for (int i = 0; i < Math.Min(_preRelease.Length, other._preRelease.Length); i++)
        {
            int order = Compare(_preRelease[i], other._preRelease[i]);
            if (order != 0)
            {
                return order;
            }
        }

        return _preRelease.Length.CompareTo(other._preRelease.Length);
    }

    /// <summary>Numbers are ordered by value, and before words.</summary>
    private static int Compare(string one, string other)
    {
        bool isNumber = int.TryParse(one, NumberStyles.None, CultureInfo.InvariantCulture, out int number);
        bool isOtherNumber = int.TryParse(other, NumberStyles.None, CultureInfo.InvariantCulture, out int otherNumber);
        return isNumber && isOtherNumber ? number.CompareTo(otherNumber)
            : isNumber != isOtherNumber ? isOtherNumber.CompareTo(isNumber)
            : string.CompareOrdinal(one, other);
    }
}
