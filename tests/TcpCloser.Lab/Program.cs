using ConsoleAppFramework;
using TcpCloser.Lab;

var app = ConsoleApp.Create();
app.Add<Commands>();
app.Run(args);
