"""Neither end of a channel waits for the other, and nothing is lost or misread."""

import os
import pickle
import socket

from cds_service.server.channel import LowerEnd, UpperEnd, Word, channel


def test_words_arrive_in_order_and_unknown_bytes_are_no_words() -> None:
    above_socket, below_socket = socket.socketpair()
    above, below = UpperEnd(above_socket), LowerEnd(below_socket)
    assert above.words() == []
    below.say(Word.READY)
    below_socket.send(b"\x00\xff\x80.")
    below.say(Word.BEAT)

    assert above.words() == [Word.READY, Word.BEAT]
    above.close()
    below.close()


def test_message_larger_than_the_socket_takes_arrives_piece_by_piece() -> None:
    above, below = channel()
    message = {"content": os.urandom(3_000_000)}
    above.send(message)
    above.send("the next")
    received = []
    for _ in range(1000):
        still_waits = above.flush()
        received += list(below.messages(0.01))
        if len(received) == 2:
            break

    assert received == [message, "the next"]
    assert not still_waits
    above.close()
    below.close()


def test_sending_to_a_worker_that_reads_nothing_returns() -> None:
    above, below = channel()
    for _ in range(20):
        above.send(os.urandom(1_000_000))

    assert above.flush(), "it waits for the worker to go on"
    above.close()
    below.close()


def test_ends_that_are_gone_are_told_by_nothing_else() -> None:
    above, below = channel()
    below.close()
    assert above.words() == []
    above.send(pickle.dumps("lost"))
    above.close()
    above, below = channel()
    above.close()
    below.say(Word.BEAT)
    assert list(below.messages(0.01)) == []
    below.close()
