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
    public static void ToFull(int fd, Action action)
    {
        using FileStream device = File.OpenWrite("/dev/full");
        ToDescriptor(fd, DescriptorOf(device), action);
    }

    /// <summary>Lets the descriptor lead to where another one does. One at a time.</summary>
    public static void ToDescriptor(int fd, int other, Action action)
    {
        lock (OneAtATime)
        {
            int saved = Dup(fd);
            Assert.Equal(fd, Dup2(other, fd));
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

    /// <summary>The text that the action writes.</summary>
    private static string To(int fd, Action action)
    {
        string path = Path.Combine(Path.GetTempPath(), $"tcp-closer-test-{Guid.NewGuid():n}.out");
        try
        {
            using (FileStream file = File.Create(path))
            {
                ToDescriptor(fd, DescriptorOf(file), action);
            }

            return File.ReadAllText(path);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static int DescriptorOf(FileStream file) => (int)file.SafeFileHandle.DangerousGetHandle();

    [LibraryImport("libc", EntryPoint = "dup")]
    private static partial int Dup(int fd);

    [LibraryImport("libc", EntryPoint = "dup2")]
    private static partial int Dup2(int from, int to);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int fd);
}
