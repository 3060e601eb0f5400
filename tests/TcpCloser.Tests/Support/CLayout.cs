using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text;

namespace TcpCloser.Tests.Support;

/// <summary>C source of nothing but static asserts, which the machine's compiler judges by the machine's headers.</summary>
internal sealed class CLayout
{
    private readonly StringBuilder _source = new("#define _GNU_SOURCE\n#include <stddef.h>\n");
    private readonly Dictionary<Type, HashSet<int>> _offsets = [];

    /// <summary>The structs that were laid beside C, each with the offsets of its fields.</summary>
    public IReadOnlyDictionary<Type, HashSet<int>> Structs => _offsets;

    public CLayout Include(params string[] headers)
    {
        foreach (string header in headers)
        {
            _source.Append("#include <").Append(header).Append(">\n");
        }

        return this;
    }

    /// <summary>Any constant expression of C that has to hold.</summary>
    public CLayout Assert(string expression)
    {
        _source.Append("_Static_assert(").Append(expression).Append(", \"").Append(expression.Replace("\"", "", StringComparison.Ordinal)).Append("\");\n");
        return this;
    }

    public CLayout Struct<T>(string cName) where T : unmanaged
    {
        _offsets.Add(typeof(T), []);
        return Assert($"sizeof({cName}) == {Unsafe.SizeOf<T>()}");
    }

    /// <summary>A field of ours lies where the C one does, and is as long.</summary>
    public CLayout Field<T, TField>(string cName, string cField, ref readonly T origin, ref readonly TField field) where T : unmanaged
    {
        return Offset(cName, cField, in origin, in field).Assert($"sizeof((({cName} *)0)->{cField}) == {Unsafe.SizeOf<TField>()}");
    }

    /// <summary>The same for a field of which only the beginning is at hand.</summary>
    public CLayout Offset<T, TField>(string cName, string cField, ref readonly T origin, ref readonly TField field) where T : unmanaged
    {
        int offset = (int)Unsafe.ByteOffset(ref Unsafe.As<T, byte>(ref Unsafe.AsRef(in origin)), ref Unsafe.As<TField, byte>(ref Unsafe.AsRef(in field)));
        _offsets[typeof(T)].Add(offset);
        return Assert($"offsetof({cName}, {cField}) == {offset}");
    }

    /// <summary>Compiles it; what does not hold is in the message.</summary>
    public void Compile()
    {
        var start = new ProcessStartInfo("gcc", ["-std=gnu11", "-fsyntax-only", "-x", "c", "-"])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
        };
        using Process gcc = Start(start);
        gcc.StandardInput.Write(_source);
        gcc.StandardInput.Close();
        string errors = gcc.StandardError.ReadToEnd();
        gcc.WaitForExit();
        Xunit.Assert.True(gcc.ExitCode == 0, $"gcc says (headers missing? apt-get install linux-libc-dev libc6-dev):\n{errors}");
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new InvalidOperationException("gcc is missing; to install it: apt-get install gcc libc6-dev linux-libc-dev");
        }
    }
}
