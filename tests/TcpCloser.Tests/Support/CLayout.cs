using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace TcpCloser.Tests.Support;

/// <summary>C source with static assertions only, which the machine's compiler checks against the machine's headers.</summary>
internal sealed class CLayout
{
    private readonly StringBuilder _source = new("#define _GNU_SOURCE\n#include <stddef.h>\n");
    private readonly Dictionary<Type, HashSet<int>> _offsets = [];

    /// <summary>The structs that are compared with C, each with the offsets of its fields.</summary>
    public IReadOnlyDictionary<Type, HashSet<int>> Structs => _offsets;

    public CLayout Include(params string[] headers)
    {
        foreach (string header in headers)
        {
            _source.Append("#include <").Append(header).Append(">\n");
        }

        return this;
    }

    /// <summary>Adds a constant expression of C that must be true.</summary>
    public CLayout Assert(string expression)
    {
        _source.Append("_Static_assert(").Append(expression).Append(", \"").Append(expression.Replace("\"", "", StringComparison.Ordinal)).Append("\");\n");
        return this;
    }

    /// <summary>The same, but only if the kernel's headers have at least this version.</summary>
    public CLayout AssertSince(int major, int minor, string expression)
    {
        _source.Append(CultureInfo.InvariantCulture, $"#include <linux/version.h>\n#if LINUX_VERSION_CODE >= KERNEL_VERSION({major}, {minor}, 0)\n");
        Assert(expression);
        _source.Append("#endif\n");
        return this;
    }

    public CLayout Struct<T>(string cName) where T : unmanaged
    {
        _offsets.Add(typeof(T), []);
        return Assert($"sizeof({cName}) == {Unsafe.SizeOf<T>()}");
    }

    /// <summary>Our field has the offset and the size of the field in C.</summary>
    public CLayout Field<T, TField>(string cName, string cField, ref readonly T origin, ref readonly TField field) where T : unmanaged =>
        Offset(cName, cField, in origin, in field).Assert($"sizeof((({cName} *)0)->{cField}) == {Unsafe.SizeOf<TField>()}");

    /// <summary>Only the offset: for a field of which only the first element can be referenced.</summary>
    public CLayout Offset<T, TField>(string cName, string cField, ref readonly T origin, ref readonly TField field) where T : unmanaged
    {
        int offset = (int)Unsafe.ByteOffset(ref Unsafe.As<T, byte>(ref Unsafe.AsRef(in origin)), ref Unsafe.As<TField, byte>(ref Unsafe.AsRef(in field)));
        _offsets[typeof(T)].Add(offset);
        return Assert($"offsetof({cName}, {cField}) == {offset}");
    }

    /// <summary>Compiles the source; failed assertions are in the message.</summary>
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
        Xunit.Assert.True(gcc.ExitCode == 0, $"gcc reports (if headers are missing: apt-get install linux-libc-dev libc6-dev):\n{errors}");
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
