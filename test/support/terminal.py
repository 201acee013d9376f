# Runs a program on a terminal of its own: keys come as JSON lines on stdin, what it draws goes to stdout, and at its end one
# JSON line on stderr tells how it ended and whether the terminal is as it was.
import fcntl, json, os, pty, select, signal, struct, subprocess, sys, termios


def resize(rows, columns):
    fcntl.ioctl(main, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def own_terminal():
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


main, side = pty.openpty()
resize(24, 80)
before = termios.tcgetattr(side)
program = subprocess.Popen(sys.argv[1:], stdin=side, stdout=side, stderr=side, preexec_fn=own_terminal)
commands = b""
sources = [main, 0]
while True:
    ready, _, _ = select.select(sources, [], [], 0.05)
    if main in ready:
        os.write(1, os.read(main, 65536))
    if 0 in ready:
        piece = os.read(0, 65536)
        if not piece:
            program.kill()
            sources.remove(0)
        commands += piece
    while b"\n" in commands:
        line, commands = commands.split(b"\n", 1)
        command = json.loads(line)
        if "type" in command:
            os.write(main, command["type"].encode())
        if "resize" in command:
            resize(*command["resize"])
        if "signal" in command:
            program.send_signal(getattr(signal, command["signal"]))
    if program.poll() is not None and main not in ready:
        break
after = termios.tcgetattr(side)
sys.stderr.write(json.dumps({"exit": program.returncode, "restored": before == after}) + "\n")
