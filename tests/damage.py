"""Files with faults made at random, and what becomes of those that femr reads."""

import random

from femr.errors import FemrError, printable

NUMBERS = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\0\0\0\x01", b"\x01\0\0\0")


def damage(data, chance, parts, lengths=(1, 4, 30, 1000), faults=(1, 1, 2, 4, 8)):
    """The file with some faults, most of them where a file's facts stand: near its start or its end.

    Args: `parts`, bytes that mean something to the format; `lengths`, of a fault, in bytes; `faults`, how many.
    """
    data = bytearray(data)
    for _ in range(chance.choice(faults)):
        span = chance.choice((64, 512, 4096, len(data)))
        place = chance.randrange(min(span, len(data))) if data else 0
        place = max(0, len(data) - 1 - place) if chance.random() < 0.2 else place
        length = chance.choice(lengths)
        fault = chance.choice((_flip, _number, _random, None, _cut_out, _double, _cut_off, _zeros))
        if fault:
            fault(data, place, length, chance)
        else:
            part = chance.choice(parts)
            place = 0 if chance.random() < 0.5 else place
            data[place : place + len(part)] = part
    return bytes(data)


def _flip(data, place, length, chance):
    if data:
        data[place] ^= 1 << chance.randrange(8)


def _number(data, place, length, chance):
    number = chance.choice(NUMBERS)
    data[place : place + len(number)] = number


def _random(data, place, length, chance):
    data[place : place + length] = chance.randbytes(length)


def _cut_out(data, place, length, chance):
    del data[place : place + length]


def _double(data, place, length, chance):
    data[place:place] = data[place : place + length]


def _cut_off(data, place, length, chance):
    del data[place:]


def _zeros(data, place, length, chance):
    data[place : place + length] = bytes(length)


def try_many(read, good, spoil, count, seed):
    """How many damaged files are read, and how many are refused in a sentence.

    Whatever else `read` raises comes through, with the number that makes the file again.

    Args: `read`, of an ending and a file's bytes; `good`, endings and bytes; `spoil`, of bytes and chance.
    """
    done = 0
    for number in range(count):
        chance = random.Random(f"{seed} {number}")
        ending, data = chance.choice(good)
        try:
            read(ending, spoil(data, chance))
            done += 1
        except FemrError as error:
            if str(error) != printable(str(error), 500):
                raise
        except BaseException as error:
            error.add_note(f"{ending}, seed {seed}, number {number}")
            raise
    return done, count - done
