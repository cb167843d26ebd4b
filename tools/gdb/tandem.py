"""Goroutines in gdb: `source tandem.py`, then on a live process or a core file

    info goroutines [N]      all, or the first N: id, name, what it does or waits for, where
    goroutine ID bt          a backtrace of one (any command of gdb: `goroutine ID frame 2`)
    goroutine all bt         of all

Found through the symbol tandem_debugger_layout (runtime/seam/debugger_layout.h), so no type information of the
library is needed. A goroutine that runs is shown on its thread. The frames of one that does not are put behind the
innermost function of the selected thread by an unwinder, so that they are numbered from 1 or a little more, and
`frame N`, `up` and `info locals` work on them; no register and no memory is written.
"""

import struct

import gdb
import gdb.unwinder
from gdb.frames import FrameIterator  # noqa: F401  (so that frame filters are loaded)

LAYOUT_VERSION = 1
GRANULE_SHIFT = 16  # kStackGranuleShift
GRANULES_OF_LARGEST_STACK = 1 << 14
DEAD, RUNNABLE, RUNNING, WAITING, BLOCKED = range(5)
STATE_MASK = 0xFF
RUNTIME, FIRST = 1, 8  # GoroutineFlags
REGISTERS = {  # by architecture: program counter, stack pointer, frame pointer
    "x86-64": ("rip", "rsp", "rbp"),
    "aarch64": ("pc", "sp", "x29"),
}


def memory(address, size):
    return bytes(gdb.selected_inferior().read_memory(address, size))


def word(address):
    return struct.unpack("<Q", memory(address, 8))[0]


def text_at(address, limit=256):
    """The C string at an address; None for null."""
    if address == 0:
        return None
    text = b""
    while len(text) < limit and not text.endswith(b"\0"):
        text += memory(address + len(text), 1)
    return text.rstrip(b"\0").decode(errors="replace")


class Layout:
    """tandem_debugger_layout of the program at hand."""

    FIELDS = ("version", "table", "used", "now_ns", "stack_map", "goroutine_bytes", "state", "flags", "sp", "resume",
              "frame", "id", "wait_reason", "wait_object", "wait_since_ns", "name")

    def __init__(self):
        try:
            address = int(gdb.parse_and_eval("(unsigned long)&tandem_debugger_layout"))
        except gdb.error:
            raise gdb.GdbError("this program has no goroutines: it was not linked with tandem, or its symbols were "
                               "stripped (no symbol tandem_debugger_layout)")
        if gdb.selected_inferior().pid == 0 and not gdb.selected_inferior().threads():
            raise gdb.GdbError("there is no process and no core file: `run`, `attach PID` or `core FILE` first")
        values = struct.unpack("<%dQ" % len(self.FIELDS), memory(address, 8 * len(self.FIELDS)))
        for name, value in zip(self.FIELDS, values):
            setattr(self, name, value)
        if self.version != LAYOUT_VERSION:
            raise gdb.GdbError("this program's tandem has layout %d, tandem.py knows %d: take the tandem.py that was "
                               "installed with it" % (self.version, LAYOUT_VERSION))


class Goroutine:
    def __init__(self, layout, address, words):
        def field(offset, form="<Q"):
            return struct.unpack_from(form, words, offset)[0]

        self.address = address
        self.state = field(layout.state, "<I") & STATE_MASK
        self.flags = field(layout.flags, "<B")
        self.id = field(layout.id)
        self.sp, self.pc, self.frame = field(layout.sp), field(layout.resume), field(layout.frame)
        self.wait_reason = text_at(field(layout.wait_reason))
        self.wait_object = field(layout.wait_object)
        since, now = field(layout.wait_since_ns), word(layout.now_ns)
        self.waited_s = (now - since) / 1e9 if 0 < since <= now else None
        self.name = text_at(field(layout.name))
        self.thread = None

    def title(self):
        kind = " (runtime)" if self.flags & RUNTIME else " (main)" if self.flags & FIRST else ""
        return "goroutine %d%s%s" % (self.id, ' "%s"' % self.name if self.name else "", kind)

    def what(self):
        if self.thread is not None and self.state != BLOCKED:
            return "running on thread %d" % self.thread.num
        if self.state == RUNNABLE:
            return "runnable"
        if self.state == RUNNING:
            return "running"
        what = "in a blocking call" if self.state == BLOCKED else self.wait_reason or "waiting"
        if self.state == BLOCKED and self.thread is not None:
            what += " on thread %d" % self.thread.num
        if self.wait_object:
            what += " on 0x%x" % self.wait_object
        if self.waited_s is not None:
            what += " for %.3f s" % self.waited_s
        return what


def goroutines():
    """All that are alive, in the order of their descriptors, and how they lie on threads."""
    layout = Layout()
    table = word(layout.table)
    if table == 0:
        return []
    found = []
    for index in range(word(layout.used)):
        address = table + index * layout.goroutine_bytes
        words = memory(address, layout.goroutine_bytes)
        if struct.unpack_from("<I", words, layout.state)[0] & STATE_MASK != DEAD:
            found.append(Goroutine(layout, address, words))
    on_threads = threads_by_goroutine(layout)
    for goroutine in found:
        goroutine.thread = on_threads.get(goroutine.address)
    return found


def registers():
    name = gdb.selected_inferior().architecture().name()
    for architecture, names in REGISTERS.items():
        if architecture in name:
            return names
    raise gdb.GdbError("tandem runs on x86-64 and aarch64, this is %s" % name)


class Selected:
    """Keeps the user's thread and frame."""

    def __enter__(self):
        self.thread = gdb.selected_thread()
        try:
            self.frame = gdb.selected_frame()
        except gdb.error:
            self.frame = None

    def __exit__(self, *_):
        if self.thread is not None and self.thread.is_valid():
            self.thread.switch()
        try:
            if self.frame is not None and self.frame.is_valid():
                self.frame.select()
        except gdb.error:
            pass  # the goroutine's frame is gone with the unwinder


def threads_by_goroutine(layout):
    """Whose stack each thread is on."""
    base, size, owners = struct.unpack("<3Q", memory(layout.stack_map, 24))
    result = {}
    with Selected():
        for thread in gdb.selected_inferior().threads():
            thread.switch()
            sp = int(gdb.newest_frame().read_register(registers()[1])) & (2**64 - 1)
            if not base <= sp < base + size:
                continue
            owner = word(owners + 8 * ((sp - base) >> GRANULE_SHIFT))
            if owner:
                result[owner] = thread
    return result


def linked_name(pc):
    """The function by the symbol table, which has its namespaces; no inlined ones."""
    symbol = gdb.execute("info symbol 0x%x" % pc, to_string=True)
    return symbol.split(" in section")[0].rsplit(" + ", 1)[0].strip() if " in section" in symbol else "0x%x" % pc


def functions_at(pc):
    """Names, inlined ones first."""
    block = gdb.block_for_pc(pc - 1)
    while block is not None:
        if block.function is not None:
            yield block.function.print_name
        block = block.superblock


def place(pc):
    """The innermost function there that is not the library's, and the line if it is that function's own."""
    names = list(functions_at(pc)) or [linked_name(pc - 1)]
    for name in names:
        if not name.startswith(("tandem::", "std::", "__", "operator bool")):
            break
    else:
        name = names[0]
    line = gdb.find_pc_line(pc - 1)
    known = name == names[0] and line.symtab is not None and line.line
    return name + (" at %s:%d" % (line.symtab.filename, line.line) if known else "")


def saved_pcs(goroutine, limit=64):
    """Program counters of one that is not on a thread, innermost first, by the frame pointers."""
    pcs, frame = [goroutine.pc], goroutine.frame
    while frame and len(pcs) < limit:
        try:
            outer, pc = struct.unpack("<2Q", memory(frame, 16))
        except gdb.MemoryError:
            break
        if pc == 0:
            break
        pcs.append(pc)
        if outer <= frame:
            break
        frame = outer
    return pcs


def place_of_interest(goroutine):
    """The innermost place outside of the library, else the innermost."""
    if goroutine.thread is not None or goroutine.sp == 0:
        return ""
    pcs = saved_pcs(goroutine)
    for pc in pcs:
        name = linked_name(pc - 1)
        # What go() was given is inlined there.
        if not name.startswith("tandem::") or name.startswith("tandem::detail::Closure<"):
            return place(pc)
    return place(pcs[0])


class ParkedFrames(gdb.unwinder.Unwinder):
    """Behind the innermost function of the selected thread come the frames of `goroutine`."""

    class FrameId:
        def __init__(self, sp, pc):
            self.sp, self.pc = sp, pc

    def __init__(self):
        super().__init__("tandem goroutine")
        self.enabled = False
        self.goroutine = None

    def show(self, goroutine):
        self.pc_name, self.sp_name, self.frame_name = registers()
        newest = gdb.newest_frame()
        self.at = int(newest.read_register(self.sp_name)), newest.pc()
        self.goroutine, self.enabled = goroutine, True
        gdb.invalidate_cached_frames()
        frame = gdb.newest_frame()
        while frame.type() == gdb.INLINE_FRAME:  # these are parts of frame 0
            frame = frame.older()
        frame.older().select()
        self.first_level = frame.older().level()

    def hide(self):
        self.goroutine, self.enabled = None, False
        gdb.invalidate_cached_frames()

    def __call__(self, pending):
        sp = pending.read_register(self.sp_name)
        if self.goroutine is None or (int(sp), int(pending.read_register(self.pc_name))) != self.at:
            return None
        unwound = pending.create_unwind_info(self.FrameId(sp, pending.read_register(self.pc_name)))
        for name, value in ((self.pc_name, self.goroutine.pc), (self.sp_name, self.goroutine.sp),
                            (self.frame_name, self.goroutine.frame)):
            unwound.add_saved_register(name, gdb.Value(value).cast(pending.read_register(name).type))
        return unwound


class WithoutFrameZero:
    """A backtrace of a goroutine begins with its own frames."""

    def __init__(self):
        self.name, self.priority, self.enabled = "tandem goroutine", 10000, True

    def filter(self, frames):
        if parked_frames.goroutine is None:
            return frames
        return (frame for frame in frames if frame.inferior_frame().level() >= parked_frames.first_level)


def execute_in(goroutine, command):
    with Selected():
        if goroutine.thread is not None:
            goroutine.thread.switch()
            gdb.newest_frame().select()
            gdb.execute(command)
        elif goroutine.sp == 0:
            print("  has not started yet")
        else:
            parked_frames.show(goroutine)
            try:
                gdb.execute(command)
            finally:
                parked_frames.hide()


class InfoGoroutines(gdb.Command):
    """info goroutines [N]: the goroutines of the program, or the first N of them.
`*` marks the one that the selected thread runs."""

    def __init__(self):
        super().__init__("info goroutines", gdb.COMMAND_STACK)

    def invoke(self, argument, _):
        if argument and not argument.isdigit():
            raise gdb.GdbError("info goroutines takes a number of goroutines at most, not '%s'" % argument)
        found = goroutines()
        limit = int(argument) if argument else len(found)
        for goroutine in found[:limit]:
            mark = "*" if goroutine.thread is not None and goroutine.thread is gdb.selected_thread() else " "
            where = place_of_interest(goroutine)
            print("%s %s [%s]%s" % (mark, goroutine.title(), goroutine.what(), " " + where if where else ""))
        if len(found) > limit:
            print("  ... and %d more" % (len(found) - limit))
        if not found:
            print("There are no goroutines: nothing runs.")


class GoroutineCommand(gdb.Command):
    """goroutine ID COMMAND, goroutine all COMMAND: executes a command of gdb, such as bt, in a goroutine."""

    def __init__(self):
        super().__init__("goroutine", gdb.COMMAND_STACK)

    def invoke(self, argument, _):
        who, _, command = argument.strip().partition(" ")
        if not command.strip() or (who != "all" and not who.isdigit()):
            raise gdb.GdbError("usage: goroutine ID COMMAND or goroutine all COMMAND, for example: goroutine 1 bt")
        chosen = [one for one in goroutines() if who == "all" or one.id == int(who)]
        if not chosen and who != "all":
            raise gdb.GdbError("there is no goroutine %s; `info goroutines` lists them" % who)
        for goroutine in chosen:
            if who == "all":
                print("%s [%s]:" % (goroutine.title(), goroutine.what()))
            execute_in(goroutine, command)
            if who == "all":
                print("")


parked_frames = ParkedFrames()
gdb.unwinder.register_unwinder(None, parked_frames, replace=True)
gdb.frame_filters["tandem goroutine"] = WithoutFrameZero()
InfoGoroutines()
GoroutineCommand()
