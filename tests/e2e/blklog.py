#!/usr/bin/env python3
"""Reads a disk write log in the dm-log-writes format (drivers/md/dm-log-writes.c; QEMU's blklogwrites writes the same).

blklog.py check LOG SIZE      the last data write before byte SIZE of the log covers sector 0 and lies between two flushes, and no
                              earlier non-zero write touches sector 0
blklog.py prefix LOG SIZE N DISK  replays the first N entries into a new sparse file
blklog.py last-data LOG SIZE  how many entries lie before the last data write
blklog.py count LOG SIZE      entries, data writes and bytes written before byte SIZE of the log
"""
import os
import struct
import sys

MAGIC = 0x6A736677736872
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8


def entries(path, size):
    """Yields (index, sector, sectors, flags, offset of the data in the log); sizes in 512-byte sectors."""
    if os.path.getsize(path) == 0:
        return  # QEMU writes the superblock with the first entry
    with open(path, "rb") as log:
        magic, version, _, sector_size = struct.unpack("<QQQI", log.read(28))
        if magic != MAGIC or version != 1:
            sys.exit(f"{path}: not a write log")
        # What lies between the superblock and the first entry is one sector.
        at, index = sector_size, 0
        while at + sector_size <= size:
            log.seek(at)
            head = log.read(32)
            if len(head) < 32:
                return
            sector, count, flags, length = struct.unpack("<QQQQ", head)
            if not (sector or count or flags or length):
                return
            data = at + sector_size
            scale = sector_size // 512
            yield index, sector * scale, count * scale, flags, data
            index += 1
            at = data + (0 if flags & DISCARD else count * sector_size)


def check(path, size):
    last_write, flush_before, flush_after, bad = None, False, False, None
    pending_flush, writes = False, 0
    with open(path, "rb") as log:
        for index, sector, count, flags, data in entries(path, size):
            if flags & FLUSH:
                pending_flush = True
                flush_after = True
            if count and not flags & DISCARD:
                writes += 1
                if last_write is not None and last_write[1] == 0 and bad is None:
                    log.seek(last_write[3])
                    if any(log.read(512)):
                        bad = last_write[0]
                last_write = (index, sector, count, data)
                flush_before, pending_flush, flush_after = pending_flush, False, bool(flags & FUA)
            elif flags & FLUSH:
                flush_after = True
        if last_write is None:
            sys.exit("no data was written")
        if last_write[1] != 0:
            sys.exit(f"the last write (entry {last_write[0]}) starts at sector {last_write[1]}, not at sector 0")
        log.seek(last_write[3])
        if not any(log.read(512)):
            sys.exit("the last write to sector 0 holds zeros")
    if bad is not None:
        sys.exit(f"entry {bad} already wrote something to sector 0")
    if not flush_before:
        sys.exit("no flush between the other writes and the last one")
    if not flush_after:
        sys.exit("no flush after the last write")
    print(f"{writes} writes; sector 0 was written last (entry {last_write[0]}), between two flushes")


def prefix(path, size, n, disk):
    with open(path, "rb") as log, open(disk, "wb") as out:
        end = 0
        for index, sector, count, flags, data in entries(path, size):
            if index >= n:
                break
            if not count:
                continue
            end = max(end, (sector + count) * 512)
            out.seek(sector * 512)
            if flags & DISCARD:
                step = 1 << 20
                for at in range(0, count * 512, step):
                    if sector * 512 + at < os.fstat(out.fileno()).st_size:
                        out.seek(sector * 512 + at)
                        out.write(bytes(min(step, count * 512 - at)))
                continue
            log.seek(data)
            out.write(log.read(count * 512))
        out.truncate(end)


def count(path, size):
    total = writes = written = 0
    for _, _, sectors, flags, _ in entries(path, size):
        total += 1
        if sectors and not flags & DISCARD:
            writes += 1
            written += sectors * 512
    print(total, writes, written)


def last_data(path, size):
    last = 0
    for index, _, sectors, flags, _ in entries(path, size):
        if sectors and not flags & DISCARD:
            last = index
    print(last)


def main():
    args = sys.argv[1:]
    if len(args) == 3 and args[0] == "check":
        check(args[1], int(args[2]))
    elif len(args) == 5 and args[0] == "prefix":
        prefix(args[1], int(args[2]), int(args[3]), args[4])
    elif len(args) == 3 and args[0] == "last-data":
        last_data(args[1], int(args[2]))
    elif len(args) == 3 and args[0] == "count":
        count(args[1], int(args[2]))
    else:
        sys.exit(__doc__)


main()
