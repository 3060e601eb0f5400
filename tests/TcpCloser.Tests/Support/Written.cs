using System.Runtime.InteropServices;

namespace TcpCloser.Tests.Support;

/// <summary>What is written to a descriptor, which the program does without System.Console.</summary>
internal static partial class Written
{
    /// <summary>The descriptors are the whole process's.</summary>
    public static Lock OneAtATime { get; } = new();

    public static string ToStdout(Action action) => To(1, action);

    public static string ToStderr(Action action) => To(2, action);

    /// <summary>Lets the descriptor lead to a device that is full.</summary>
    public static void ToFull(int fd, Action action) => Redirect(fd, "/dev/full", FileMode.Open, action);

    /// <summary>The text that the action writes.</summary>
    private static string To(int fd, Action action)
    {
        string path = Path.Combine(Path.GetTempPath(), $"tcp-closer-test-{Guid.NewGuid():n}.out");
        try
        {
            Redirect(fd, path, FileMode.CreateNew, action);
            return File.ReadAllText(path);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static void Redirect(int fd, string path, FileMode mode, Action action)
    {
        lock (OneAtATime)
        {
            int saved = Dup(fd);
            using FileStream file = File.Open(path, mode, FileAccess.Write);
            Assert.Equal(fd, Dup2((int)file.SafeFileHandle.DangerousGetHandle(), fd));
            try
            {
                action();
            }
            finally
            {
                Assert.Equal(fd, Dup2(saved, fd));
                _ = Close(saved);
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "dup")]
    private static partial int Dup(int fd);

    [LibraryImport("libc", EntryPoint = "dup2")]
    private static partial int Dup2(int from, int to);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int fd);
}
