"""The parent's side: hands work to processes, watches their time and memory, and answers for those that die.

A *task* is a few *pieces* of work (files). A worker says which piece it begins and gives an *outcome* for each. When
it dies, its piece gets what was counted so far and the reason; the other pieces of its task go to another worker.
What a worker sends is decoded by type and bounded; anything else ends it.
"""

from __future__ import annotations

import selectors
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import msgspec

from plainview.workers.channel import ChannelError
from plainview.workers.memory import held
from plainview.workers.messages import Answer, Began, Confined, Finished, Moved, Outcome, Piece, Refused, Task
from plainview.workers.start import Process, Starter

LOOK = 0.1  # seconds between two looks at memory and deadlines
GRACE = 1.5  # seconds that a worker has, past the deadline of a piece, to end it by itself
BACKLOG = 4 << 20  # bytes that wait before another worker is worth its start
AHEAD = 4  # tasks listed ahead, for each worker
SIGNALS = {"SIGKILL": "it was ended by the system, as when memory runs out", "SIGTERM": "it was told to end"}


class WorkerRefusedError(Exception):
    """No worker can be used: its first words say why."""


@dataclass(slots=True)
class Bounds:
    """What one worker may cost: seconds for a piece, bytes of memory. 0 is no bound."""

    seconds: float
    memory: int


@dataclass(slots=True)
class _Worker:
    process: Process
    task: Task | None = None
    open: dict[int, Piece] = field(default_factory=dict)  # pieces of the task without a final outcome
    parts: dict[int, Outcome] = field(default_factory=dict)
    current: int | None = None  # the piece that it reads; None: none, or it counts several together
    since: float = 0.0
    ended_by: str = ""  # why the parent ended it


@dataclass(slots=True)
class Pool:
    """Runs tasks on up to `size` workers. Used by one thread; `close` it at the end."""

    starter: Starter
    size: int
    bounds: Bounds
    setup: Callable[[int], bytes]  # the first message for the worker of this number
    on_moved: Callable[[Moved], None] = lambda moved: None
    on_began: Callable[[Piece], None] = lambda piece: None
    confined: Confined | None = None  # as the first worker said
    _workers: list[_Worker] = field(default_factory=list)
    _waiting: deque[Task] = field(default_factory=deque)
    _done: dict[int, Outcome] = field(default_factory=dict)
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    _started: int = 0

    def run(self, tasks: Iterator[Task]) -> Iterator[Outcome]:
        """Yield the outcome of each piece, in the order of their numbers, which count up from 0."""
        more, due = True, 0
        while True:
            while more and len(self._waiting) < max(1, len(self._workers)) * AHEAD:
                task = next(tasks, None)
                if task is None:
                    more = False
                    break
                self._waiting.append(task)
            self._hand_out()
            while due in self._done:
                yield self._done.pop(due)
                due += 1
            if not more and not self._waiting and not any(worker.task for worker in self._workers):
                break
            self._wait()
        self._done.clear()

    def close(self) -> None:
        """End all workers."""
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            self._forget(worker)
        self._workers.clear()
        self.starter.close()
        self._selector.close()

    # -- giving work ----------------------------------------------------------------------------------

    def _hand_out(self) -> None:
        for worker in self._workers:
            if self._waiting and worker.task is None:
                self._give(worker, self._waiting.popleft())
        while self._waiting and len(self._workers) < self.size and self._worth_another():
            self._give(self._start(), self._waiting.popleft())

    def _worth_another(self) -> bool:
        if not self._workers:
            return True
        pieces = sum(len(task.pieces) for task in self._waiting)
        return pieces > BACKLOG >> 16 or sum(p.size or BACKLOG for t in self._waiting for p in t.pieces) >= BACKLOG

    def _start(self) -> _Worker:
        worker = _Worker(self.starter.process())
        worker.process.channel.send(self.setup(self._started))
        self._started += 1
        self._workers.append(worker)
        self._selector.register(worker.process.channel.reading, selectors.EVENT_READ, worker)
        return worker

    def _give(self, worker: _Worker, task: Task) -> None:
        worker.task, worker.current, worker.since = task, None, time.monotonic()
        worker.open = {piece.number: piece for piece in task.pieces}
        try:
            worker.process.channel.send(msgspec.msgpack.encode(task))
        except ChannelError:
            self._died(worker)

    # -- hearing from workers -------------------------------------------------------------------------

    def _wait(self) -> None:
        for key, _ in self._selector.select(LOOK):
            worker: _Worker = key.data
            try:
                bodies, there = worker.process.channel.arrived()
                for body in bodies:
                    self._heard(worker, msgspec.msgpack.decode(body, type=Answer))
            except (ChannelError, msgspec.MsgspecError):
                worker.ended_by = worker.ended_by or "it sent what is no answer"
                worker.process.kill()
                there = False
            if not there:
                self._died(worker)
        for worker in list(self._workers):
            self._watch(worker)

    def _heard(self, worker: _Worker, answer: Answer) -> None:
        match answer:
            case Moved():
                self.on_moved(answer)
            case Began(number):
                worker.current, worker.since = number, time.monotonic()
                if number is not None and number in worker.open:
                    self.on_began(worker.open[number])
            case Outcome(number):
                if number not in worker.open:
                    raise ChannelError("an outcome that nobody asked for")
                if answer.final:
                    del worker.open[number]
                    worker.parts.pop(number, None)
                    self._done[number] = answer
                else:
                    worker.parts[number] = answer
            case Finished():
                if worker.open:
                    raise ChannelError("a task that ends without its outcomes")
                worker.task = None
            case Confined():
                self.confined = self.confined or answer
            case Refused(why):
                raise WorkerRefusedError(why)

    def _watch(self, worker: _Worker) -> None:
        """End a worker that is past a bound."""
        if worker.task is None or worker.ended_by:
            return
        if self.bounds.seconds and time.monotonic() - worker.since > self.bounds.seconds + GRACE:
            worker.ended_by = f"stopped after {self.bounds.seconds:g} s (raise --file-seconds)"
        elif self.bounds.memory and held(worker.process.pid) > self.bounds.memory:
            worker.ended_by = f"it needed more than {self.bounds.memory / (1 << 20):,.0f} MiB (raise --memory-total)"
        if worker.ended_by:
            worker.process.kill()  # its end is heard of in the next step

    # -- deaths ---------------------------------------------------------------------------------------

    def _forget(self, worker: _Worker) -> int:
        try:
            self._selector.unregister(worker.process.channel.reading)
        except (KeyError, ValueError):
            return 0
        return worker.process.ended()

    def _died(self, worker: _Worker) -> None:
        """Answer for the pieces of a worker that is gone."""
        worker.process.kill()
        status = self._forget(worker)
        if worker in self._workers:
            self._workers.remove(worker)
        if worker.task is None:
            return
        left = list(worker.open.values())
        # Of several pieces the one that was being read may be innocent (memory adds up, small files are counted
        # together): each is tried again alone, and what dies alone is the cause. A deadline has one cause.
        late = worker.ended_by.startswith("stopped")
        for piece in left:
            guilty = len(worker.task.pieces) == 1 or (late and piece.number == worker.current)
            if guilty:
                self._done[piece.number] = _last_words(worker, piece, status)
        again = [Task((piece,)) for piece in left if piece.number not in self._done]
        self._waiting.extendleft(reversed(again))


def _last_words(worker: _Worker, piece: Piece, status: int) -> Outcome:
    """Return what is known of a piece whose reader died."""
    part = worker.parts.get(piece.number) or Outcome(piece.number)
    why = worker.ended_by or f"its reader crashed: {death(status)}"
    if part.reports:
        why += "; what was counted before counts"
    return msgspec.structs.replace(part, final=True, skipped=(*part.skipped, (piece.name, why)), died=True)


def death(status: int) -> str:
    """Say how a process ended, in words."""
    if status >= 0:
        return f"exit status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"{SIGNALS[name]} ({name})" if name in SIGNALS else name
