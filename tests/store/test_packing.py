"""Legacy objects are kept small, and come back as they were."""

from __future__ import annotations

import zlib
from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest
from builders.register import read_slice
from hypothesis import given
from hypothesis import strategies as st

from gateway.store.base.compression import DICTIONARY, Damaged, pack, unpack
from mappings.values.uuids import uuid_bytes_in, uuid_in


@given(st.binary(max_size=20_000))
def test_what_was_packed_comes_back(text: bytes) -> None:
    assert unpack(pack(text)) == text
    # As earlier versions kept it, with the dictionary and before there was one.
    packer = zlib.compressobj(2, zlib.DEFLATED, 13, 5, zlib.Z_DEFAULT_STRATEGY, DICTIONARY)
    assert unpack(packer.compress(text) + packer.flush()) == text
    assert unpack(zlib.compress(text, 1)) == text


def test_threads_pack_beside_each_other() -> None:
    texts = [f"object {number} ".encode() * number for number in range(400)]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda text: unpack(pack(text)), texts)) == texts


def test_the_field_names_that_all_share_take_no_room() -> None:
    texts = [orjson.dumps(raw, option=orjson.OPT_SORT_KEYS) for kind, raw in read_slice() if kind == "rol"]
    assert sum(map(len, map(pack, texts))) < 0.6 * sum(len(zlib.compress(text, 1)) for text in texts)


def test_half_of_it_is_a_fault() -> None:
    packed = pack(b"something of some length, so that half of it is not all of it")
    for broken in (packed[:-8], packed[:4], zlib.compress(b"some text")[:-8], b"", b"nothing like it"):
        with pytest.raises(Damaged):
            unpack(broken)


UUID = "0fcd935e-072e-42d6-ad1d-2990b47cea32"


@given(
    st.one_of(
        st.text(max_size=50),
        st.none(),
        st.builds(
            "".join,
            st.tuples(
                st.sampled_from(["", "https://x.example/", "/", " ", "a", "urn:uuid:", "{"]),
                st.sampled_from(
                    [UUID, UUID.upper(), UUID.replace("-", ""), UUID[:-1], UUID.replace("0", "٠")]
                ),
                st.sampled_from(["", "/", " ", "}", "/ ", "\n", "0"]),
            ),
        ),
    )
)
def test_the_fast_way_to_a_uuid_finds_the_same(value: object) -> None:
    uuid = uuid_in(value)
    assert uuid_bytes_in(value) == (uuid.bytes if uuid else None)
