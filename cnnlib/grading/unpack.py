"""Unpack the notebooks of zip files that anybody may have made: nothing leaves the folder, nothing explodes."""

import contextlib
import os
import stat
import time
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from cnnlib.notebooks import NotebookError

MEMBERS = 20_000  # in one zip file
ROOM = 500_000_000  # bytes that a learner's zip file may unpack to
CLASS_ROOM = 50_000_000_000  # and those of a whole class
DEPTH = 3  # zip files within zip files
CHUNK = 1 << 20
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError)


class Unpacker:
    """Unpacks a zip file into a folder, as long as there is room.

    Parameters
    ----------
    limit : int
        Bytes that one file may have.
    room : int
        Bytes that all files may have together, with those of the zip files in it.
    apart : bool
        Whether each zip file in it has a room of its own: one of a class's costs no other anything.

    Attributes
    ----------
    left_out : list of str
        A sentence for each thing that was not unpacked.
    """

    def __init__(self, limit: int, room: int = ROOM, apart: bool = False):
        self.limit, self.room, self.apart, self.left_out = limit, room, apart, []

    def unpack(self, path: Path, to: Path, depth: int = DEPTH) -> None:
        """Write the notebooks in a zip file, and in those that lie in it, into a new folder.

        Raises
        ------
        NotebookError
            It is no zip file, is damaged or encrypted, or holds more than it may.
        """
        to.mkdir(parents=True)
        try:
            with zipfile.ZipFile(path) as bundle:
                members = bundle.infolist()
                if len(members) > MEMBERS:
                    raise NotebookError(f"it holds {len(members)} files; at most {MEMBERS}")
                for member in members:
                    self._member(bundle, member, to, depth)
        except BROKEN as error:
            raise NotebookError(f"it can't be unpacked: {error}") from None

    def _member(self, bundle: zipfile.ZipFile, member: zipfile.ZipInfo, to: Path, depth: int):
        home = _inside(member.filename)
        if home is None:
            self.left_out.append(f"{member.filename!r}: a path that leads out of its zip file")
            return
        nested = home.suffix.lower() == ".zip"
        wanted = home.suffix.lower() == ".ipynb" or (nested and depth > 1)
        if member.is_dir() or not wanted or "__MACOSX" in home.parts:
            return
        if stat.S_ISLNK(member.external_attr >> 16):
            self.left_out.append(f"{home}: a symbolic link, which is not followed")
            return
        target = to / home
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(".unpacked") if nested else target
        if not self._write(bundle, member, draft):
            self.left_out.append(f"{home}: more than {self.limit / 1e6:.0f} MB")
        elif nested:
            inner = Unpacker(self.limit) if self.apart else self
            try:
                inner.unpack(draft, target, depth - 1)
            except NotebookError as error:  # one bad zip file among good ones
                self.left_out.append(f"{home}: {error}")
            self.left_out += inner.left_out if self.apart else []
            draft.unlink()

    def _write(self, bundle: zipfile.ZipFile, member: zipfile.ZipInfo, to: Path) -> bool:
        """Write a member with the time that it has; False where it has more bytes than one may."""
        size = 0
        with bundle.open(member) as source, to.open("wb") as file:
            while chunk := source.read(CHUNK):
                size, self.room = size + len(chunk), self.room - len(chunk)
                if self.room < 0:
                    raise NotebookError("there is too much in it to unpack")
                if size > self.limit:
                    break
                file.write(chunk)
        if size > self.limit:
            to.unlink()
            return False
        # A date that no calendar has makes this copy as old as any.
        with contextlib.suppress(ValueError, OverflowError, OSError):
            changed = time.mktime((*member.date_time, 0, 0, -1))
            os.utime(to, (changed, changed))
        return True


def _inside(name: str) -> Path | None:
    """The path of a member below any folder; None where it leads out of it."""
    path = PurePosixPath(name.replace("\\", "/"))
    odd = any(part == ".." or ":" in part or len(os.fsencode(part)) > 250 for part in path.parts)
    return None if path.is_absolute() or odd or not path.parts else Path(path)
