"""One source's bytes into one unfinished file: ranges, resume, retries.

The calling thread leads: it makes the first request, learns from the answer how large the file is
and whether ranges work, and measures how fast bytes come. While that is slower than the policy's
target, helpers join, each with a connection and a range of its own.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from zoohub.core.counting import counted
from zoohub.core.hashing import FileHash, RunningHash
from zoohub.errors import NoSpaceError, ZoohubError
from zoohub.store.files import store_errors
from zoohub.store.layout import url_key
from zoohub.store.partial import Partial, Provenance, Span
from zoohub.transfer.decide import check_space, has_changed, plan_resume
from zoohub.transfer.follower import Follower
from zoohub.transfer.keeper import Keeper
from zoohub.transfer.origin import Origin, Reply, Request, SourceError
from zoohub.transfer.pool import Pool
from zoohub.transfer.progress import Progress
from zoohub.transfer.salvage import plan_spans
from zoohub.transfer.team import Team
from zoohub.transfer.terms import Patience, Terms, total_of

CHUNK = 1 << 20


class Download:
    """Gets one file from one source after another into `partial`."""

    def __init__(
        self,
        partial: Partial,
        terms: Terms,
        pool: Pool,
        progress: Progress,
        free: Callable[[], int],
    ) -> None:
        self._partial, self._terms, self._pool = partial, terms, pool
        self._progress, self._free = progress, free
        self._lock = partial.lock
        self._changed = threading.Condition(self._lock)
        self._follower: Follower | None = None
        self._running = RunningHash()
        self.answered: Callable[[], None] = lambda: None  # called when a source begins to give
        self.fetched = 0  # bytes that came from the source now being asked

    @property
    def mixed(self) -> bool:
        """Whether the file also holds bytes that did not come from the last source now."""
        return self.fetched < self._partial.have

    def get(self, url: str) -> FileHash:
        """Fetch what is missing from `url`, and hash the whole.

        Raises:
            SourceError: the source fails; what came stays in the partial file.
            NoSpaceError, StoreError: the disk fails.
        """
        if self._follower is None:
            self._running = RunningHash()
        return self._get(url)

    def _get(self, url: str) -> FileHash:
        self.fetched = 0
        split = self._terms.connections > 1
        for again in range(self._terms.policy.tries):
            try:
                self._fetch(url, split=split and again < 2)
                break
            except SourceError as error:
                if error.kind != "changed" or again + 1 == self._terms.policy.tries:
                    raise
                self._restart(Provenance(url_key(url)))
        with store_errors("read", self._partial.path):
            found = self._following().result(self._partial.frontier)
        self._follower = None
        return found

    def get_piece(self, url: str, piece: int) -> FileHash:
        """Fetch a wrong piece of a complete file again, and hash from there on. Raises as `get`."""
        partial = self._partial
        with self._lock:
            before = partial.have
            partial.spans = plan_spans({piece}, before)
            self._progress.advance(partial.have - before)
        self._running.rewind(piece)
        with store_errors("write", partial.path):
            partial.note()
        return self._get(url)

    def restart(self) -> None:
        """Throw away what is here."""
        self._restart(Provenance())

    def close(self) -> None:
        """Stop hashing."""
        if self._follower is not None:
            self._follower.abandon()
            self._follower = None
        self._running = RunningHash()

    def _fetch(self, url: str, *, split: bool) -> None:
        partial = self._partial
        keep = plan_resume(
            partial.origin,
            partial.have,
            url,
            known=partial.known,
            full_hash=self._terms.full_hash,
        )
        if not keep and partial.have:
            self._restart(Provenance(url_key(url)))
        self._following().advance(partial.frontier)
        with Keeper(partial, self._terms.policy) as keeper:
            self._run(url, self._team(keeper, split=split))

    def _team(self, keeper: Keeper, *, split: bool) -> Team:
        terms = self._terms
        return Team(self._partial, keeper, terms.policy, terms.connections, split=split)

    def _run(self, url: str, team: Team) -> None:
        """Lead a team until every byte is here, or it fails."""
        try:
            self._work(url, team, lead=True)
        except BaseException:
            team.failed = True
            raise
        finally:
            with self._lock:
                replies = list(team.replies) if team.over else []
                self._changed.notify_all()
            for reply in replies:
                reply.abort()
            for helper in team.helpers:
                helper.join()
        if team.error is not None:
            raise team.error

    def _work(self, url: str, team: Team, *, lead: bool) -> None:
        """Fetch one span after another, until none is left."""
        with self._pool.lend(url) as origin:
            while (span := self._take(team, lead=lead)) is not None:
                try:
                    self._persist(origin, url, span, team, lead=lead)
                finally:
                    with self._lock:
                        team.active.remove(span)
                        self._changed.notify_all()

    def _help(self, url: str, team: Team) -> None:
        try:
            self._work(url, team, lead=False)
        except SourceError as error:
            # Whoever leads takes over what is left, and finds out whether it is the source.
            team.split = False
            if error.kind == "changed":
                team.error = error
        except (ZoohubError, OSError) as error:
            team.error = error
        finally:
            self._pool.give_spare()
            with self._lock:
                team.size -= 1
                self._changed.notify_all()

    def _take(self, team: Team, *, lead: bool) -> Span | None:
        """The next span nobody works on; the leader waits for one that a helper gives back."""
        with self._lock:
            while not team.over:
                self._raise_if_stopped()
                span = team.take()
                if span is not None or not lead or not team.active:
                    return span
                self._changed.wait(0.2)
            return None

    def _persist(self, origin: Origin, url: str, span: Span, team: Team, *, lead: bool) -> None:
        """Fetch a span, over as many connections as it takes."""
        patience = Patience(self._terms.policy, lead=lead)
        while not span.complete and not team.over:
            before, at = self.fetched, span.done
            try:
                self._request(origin, url, span, team)
            except SourceError as error:
                if team.over:
                    return  # why it is over matters, not what it did to this request
                moved = span.done > at or self.fetched > before
                wait = patience.wait_after(error, moved=moved, ever=self.fetched > 0)
                if error.retry_after is not None and wait > 2:
                    self._tell(f"the server asks to wait {wait:.0f} s ({error})")
                self._pool.stopped.wait(wait)
                self._raise_if_stopped()

    def _request(self, origin: Origin, url: str, span: Span, team: Team) -> None:
        """One request for (the rest of) a span."""
        partial, terms = self._partial, self._terms
        end = span.end
        if end is None and team.split and (terms.size is None or terms.size > terms.policy.probe):
            end = span.done + terms.policy.probe
        if span.done == 0 and end is not None and end in (terms.size, partial.origin.total):
            end = None  # the whole file
        same = partial.origin.source == url_key(url)
        validator = partial.origin.validator if same and partial.have else None
        reply = origin.open(Request(url, span.done, end, validator, terms.https_only))
        with contextlib.closing(reply):
            if reply.start != span.done:
                self._begin_anew(reply, url, span, team)
            with self._lock:
                self._accept(reply, url, span, end, team)
                self.answered()
                team.replies.append(reply)
            try:
                self._stream(reply, url, span, team)
            finally:
                with self._lock:
                    team.replies.remove(reply)

    def _begin_anew(self, reply: Reply, url: str, span: Span, team: Team) -> None:
        """Start from the beginning, where the source has sent the beginning."""
        if reply.start != 0:
            raise SourceError("transient", f"it sends from byte {reply.start}")
        if team.size > 1:
            # Helpers may be writing: they are stopped first.
            raise SourceError("changed", "the file changed during the download")
        self._restart(Provenance(url_key(url), reply.validator, reply.total), span)

    def _accept(self, reply: Reply, url: str, span: Span, end: int | None, team: Team) -> None:
        """Fit an answer to what is here: go on, begin anew, or refuse it."""
        partial, terms = self._partial, self._terms
        here = Provenance(url_key(url), reply.validator, reply.total)
        team.split = team.split and reply.ranged
        if partial.have and has_changed(partial.origin, here):
            raise SourceError("changed", "the file changed during the download")
        if partial.origin != here and (partial.have == 0 or not team.helpers):
            partial.origin, partial.known = here, True
        total = total_of(reply, terms, partial.spans[-1].end, partly=end is not None)
        if total is None:
            return
        if span.end is None:
            self._begin(span, total)
            if end is not None and team.split:
                partial.carve(span, end - span.done)
        team.begin()

    def _begin(self, span: Span, total: int) -> None:
        """Settle how long the file is."""
        self._progress.start(self._terms.name, total, self._partial.have)
        try:
            check_space(total - self._partial.have, self._free())
        except NoSpaceError as error:
            # By the word of this source, which may be wrong; the next one may say otherwise.
            raise SourceError("space", str(error)) from None
        if span.done > total:
            raise SourceError(
                "changed", f"its file has {counted(total, 'byte')}, more are here already"
            )
        span.end = total

    def _stream(self, reply: Reply, url: str, span: Span, team: Team) -> None:
        partial = self._partial
        while not span.complete:
            self._raise_if_stopped()
            if team.over:
                return
            data = reply.read(CHUNK if span.end is None else min(CHUNK, span.end - span.done))
            if not data:
                break
            with store_errors("write", partial.path):
                partial.write(span, data)
            with self._lock:
                self._came(len(data), url, team)
        if span.end is None:
            span.end = span.done
        elif not span.complete:
            raise SourceError(
                "transient", f"the answer ended {counted(span.end - span.done, 'byte')} early"
            )

    def _came(self, count: int, url: str, team: Team) -> None:
        """Take note of bytes that were written; add helpers while they come too slowly."""
        self._following().advance(self._partial.frontier)
        self.fetched += count
        self._progress.advance(count)
        wanted = team.came(count)
        while team.size < wanted and self._pool.take_spare():
            team.size += 1
            helper = threading.Thread(
                target=self._help, args=(url, team), name="zoohub-range", daemon=True
            )
            team.helpers.append(helper)
            helper.start()

    def _restart(self, origin: Provenance, span: Span | None = None) -> None:
        self.close()
        self._progress.advance(-self._partial.have)
        self.fetched = 0
        with store_errors("write", self._partial.path):
            self._partial.restart(origin, span)

    def _following(self) -> Follower:
        if self._follower is None:
            self._follower = Follower(self._partial, self._running)
        return self._follower

    def _tell(self, text: str) -> None:
        with self._lock:
            self._progress.message(text)

    def _raise_if_stopped(self) -> None:
        if self._pool.stopped.is_set():
            raise KeyboardInterrupt
