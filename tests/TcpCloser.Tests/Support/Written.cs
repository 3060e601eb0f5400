using System.Runtime.InteropServices;

namespace TcpCloser.Tests.Support;

/// <summary>What is written to a descriptor, which the program does without System.Console.</summary>
internal static partial class Written
{
    private static readonly Lock s_lock = new();

    public static string ToStdout(Action action) => To(1, action);

    public static string ToStderr(Action action) => To(2, action);

    /// <summary>The text that the action writes. One at a time: the descriptors are the whole process's.</summary>
    private static string To(int fd, Action action)
    {
        lock (s_lock)
        {
            string path = Path.Combine(Path.GetTempPath(), $"tcp-closer-test-{Guid.NewGuid():n}.out");
            int saved = Dup(fd);
            try
            {
                using (FileStream file = File.Create(path))
                {
                    Assert.Equal(fd, Dup2((int)file.SafeFileHandle.DangerousGetHandle(), fd));
                    try
                    {
                        action();
                    }
                    finally
                    {
                        Assert.Equal(fd, Dup2(saved, fd));
                    }
                }

                return File.ReadAllText(path);
            }
            finally
            {
                _ = Close(saved);
                File.Delete(path);
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
