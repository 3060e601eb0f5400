using System.Globalization;
using System.Reflection;
using Xunit.Sdk;
using Xunit.v3;

namespace TcpCloser.Tests.Support;

/// <summary>The rows of a theory with one parameter.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ValuesAttribute(params object[] values) : DataAttribute
{
    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker) =>
        new([.. values.Select(static value => new TheoryDataRow(value))]);

    public override bool SupportsDiscoveryEnumeration() => true;
}

/// <summary>
/// The rows of a theory, whose columns are separated by <c> | </c>: <c>"22,80 | -s 22 -s 80"</c>. A column of type <c>string[]</c> is a
/// command line, split at the spaces; the others are converted to the types of their parameters. An <c>int</c> may be the name of an
/// errno or of an exit status, a <c>byte</c> that of a TCP state, an <c>object</c> is an operation, and <c>null</c> is null.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RowsAttribute(params string[] rows) : DataAttribute
{
    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker)
    {
        Type[] types = [.. testMethod.GetParameters().Select(static parameter => parameter.ParameterType)];
        return new([.. rows.Select(row => new TheoryDataRow([.. row.Split(" | ").Select((cell, column) => Convert(cell, types[column]))]))]);
    }

    public override bool SupportsDiscoveryEnumeration() => true;

    private static object? Convert(string cell, Type type) =>
        type == typeof(string[]) ? cell.Split(' ')
        : cell == "null" ? null
        : type == typeof(object) ? Enum.Parse<TcpCloser.Rules.Operation>(cell)
        : char.IsAsciiLetterUpper(cell.FirstOrDefault()) && (type == typeof(int) || type == typeof(byte)) ? Constant(cell, type)
        : System.Convert.ChangeType(cell, Nullable.GetUnderlyingType(type) ?? type, CultureInfo.InvariantCulture);

    private static object? Constant(string name, Type type)
    {
        const BindingFlags All = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;
        return type == typeof(byte) ? typeof(TcpCloser.Interop.TcpState).GetField(name, All)!.GetValue(null)
            : Enum.TryParse(name, out TcpCloser.Rules.ExitStatus status) ? (int)status
            : typeof(TcpCloser.Interop.Errno).GetField(name, All)!.GetValue(null);
    }
}
