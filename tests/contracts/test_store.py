"""What `common.mongo.Documents` promises: the same on every store that speaks MongoDB's protocol."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from common import mongo
from common.errors import InvalidSetting, StoreUnavailable
from common.mongo import Documents
from common.settings import StoreSettings
from tests.store import embedded_url, ferretdb_url, nowhere_url, store_settings

URLS = {"nx-27017": embedded_url, "ferretdb": ferretdb_url}


@pytest.fixture(params=sorted(URLS))
async def documents(request: pytest.FixtureRequest) -> AsyncIterator[Documents]:
    """An empty collection."""
    async with mongo.connect(store_settings(URLS[request.param]()), "contract") as database:
        yield Documents(database, "things")


async def test_what_is_inserted_is_found(documents: Documents) -> None:
    """With every type that we keep."""
    thing = {
        "_id": "a",
        "text": "ação 👍\x00",
        "count": 2**53,
        "small": 1,
        "share": 0.25,
        "flag": True,
        "nothing": None,
        "list": ["x", 1, {"deep": ["y"]}],
        "empty": [],
        "nested": {"a": {"b": "c"}},
    }

    assert await documents.insert(thing)

    assert await documents.find("a") == thing


async def test_what_is_not_there_is_none(documents: Documents) -> None:
    """No error, and no collection is needed."""
    assert await documents.find("a") is None
    assert await documents.find_many(["a", "b"]) == {}


async def test_a_second_insert_under_one_id_changes_nothing(documents: Documents) -> None:
    """The first writer wins, and the second learns it."""
    await documents.insert({"_id": "a", "by": "first"})

    assert not await documents.insert({"_id": "a", "by": "second"})

    assert await documents.find("a") == {"_id": "a", "by": "first"}


async def test_several_documents_are_inserted_in_order_until_one_is_there(documents: Documents) -> None:
    """The first decides: when it is there, none of the others is written."""
    await documents.insert({"_id": "a"})

    assert not await documents.insert({"_id": "a"}, {"_id": "b"})

    assert await documents.find("b") is None


async def test_insert_each_leaves_out_what_is_there(documents: Documents) -> None:
    """All others are written."""
    await documents.insert({"_id": "b", "by": "first"})

    await documents.insert_each([{"_id": "a"}, {"_id": "b", "by": "second"}, {"_id": "c"}])

    assert await documents.find_many(["a", "b", "c"]) == {
        "a": {"_id": "a"},
        "b": {"_id": "b", "by": "first"},
        "c": {"_id": "c"},
    }


async def test_of_many_inserts_at_once_one_wins(documents: Documents) -> None:
    """Two replicas cannot both open the same turn."""
    inserts = [documents.insert({"_id": "a", "by": number}) for number in range(10)]

    assert (await asyncio.gather(*inserts)).count(True) == 1


async def test_a_replace_needs_the_version_that_was_read(documents: Documents) -> None:
    """Who writes second learns it and changes nothing."""
    await documents.insert({"_id": "a", "version": 1, "by": "first"})

    assert await documents.replace({"_id": "a", "version": 2, "by": "second"}, expected_version=1)
    assert not await documents.replace({"_id": "a", "version": 2, "by": "third"}, expected_version=1)

    assert await documents.find("a") == {"_id": "a", "version": 2, "by": "second"}


async def test_of_many_replaces_at_once_one_wins(documents: Documents) -> None:
    """No update is lost."""
    await documents.insert({"_id": "a", "version": 1})
    replaces = [documents.replace({"_id": "a", "version": 2, "by": number}, expected_version=1) for number in range(10)]

    assert (await asyncio.gather(*replaces)).count(True) == 1


async def test_a_replace_of_what_is_not_there_fails(documents: Documents) -> None:
    """It does not insert."""
    assert not await documents.replace({"_id": "a", "version": 2}, expected_version=1)
    assert await documents.find("a") is None


async def test_a_replace_leaves_nothing_of_the_old_document(documents: Documents) -> None:
    """Whole documents, no merging."""
    await documents.insert({"_id": "a", "version": 1, "old": [1, 2, 3]})

    await documents.replace({"_id": "a", "version": 2, "new": {"x": 1}}, expected_version=1)

    assert await documents.find("a") == {"_id": "a", "version": 2, "new": {"x": 1}}


async def test_put_writes_whatever_is_there(documents: Documents) -> None:
    """A new document or a more complete one."""
    await documents.put({"_id": "a", "answer": None})
    await documents.put({"_id": "a", "answer": {"text": "oi"}})

    assert await documents.find("a") == {"_id": "a", "answer": {"text": "oi"}}


async def test_the_newest_or_the_oldest_come_first_and_are_limited(documents: Documents) -> None:
    """For tools: by an indexed field, of those that match."""
    await documents.index("conversation", "at")
    for at in (3, 1, 2):
        await documents.insert({"_id": f"ana-{at}", "conversation": "ana", "at": at})
    await documents.insert({"_id": "bia-9", "conversation": "bia", "at": 9})

    newest = await documents.newest({"conversation": "ana"}, "at", 2)
    oldest = await documents.oldest({"conversation": "ana"}, "at", 2)

    assert [document["_id"] for document in newest] == ["ana-3", "ana-2"]
    assert [document["_id"] for document in oldest] == ["ana-1", "ana-2"]


async def test_an_index_may_be_asked_for_again(documents: Documents) -> None:
    """Every replica does at start."""
    await documents.index("at")
    await documents.index("at")


async def test_what_is_deleted_is_gone(documents: Documents) -> None:
    """And deleting it again is no error."""
    await documents.insert({"_id": "a"})

    await documents.delete("a")
    await documents.delete("a")

    assert await documents.find("a") is None


async def test_ids_with_any_characters_are_ids(documents: Documents) -> None:
    """Channels make them up."""
    ids = ["whatsapp:wamid.HBg=", "a/b", "$x", "a.b", "ç👍", " "]

    for number, odd in enumerate(ids):
        assert await documents.insert({"_id": odd, "number": number})

    assert {key: found["number"] for key, found in (await documents.find_many(ids)).items()} == {
        odd: number for number, odd in enumerate(ids)
    }


async def test_a_store_that_is_away_is_said_so_in_time() -> None:
    """Every operation fails with StoreUnavailable, which names it and tells nothing of the content."""
    async with mongo.connect(store_settings(nowhere_url(), timeout_s=0.1), "contract") as database:
        documents = Documents(database, "things")
        for operation in (
            documents.find("a"),
            documents.find_many(["a"]),
            documents.insert({"_id": "a", "text": "segredo"}),
            documents.insert({"_id": "a"}, {"_id": "b"}),
            documents.insert_each([{"_id": "a"}]),
            documents.replace({"_id": "a", "version": 2}, expected_version=1),
            documents.put({"_id": "a"}),
            documents.delete("a"),
            documents.index("at"),
            documents.newest({}, "at", 1),
        ):
            async with asyncio.timeout(5):
                with pytest.raises(StoreUnavailable, match="things") as away:
                    await operation
            assert "segredo" not in str(away.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1", "mongodb://127.0.0.1:x", "mongodb://127.0.0.1/?tls=true&tlsCAFile=/nowhere/ca.pem"]
)
async def test_a_wrong_address_is_a_wrong_setting(url: str) -> None:
    """The process stops and names the variable."""
    settings = StoreSettings.model_validate({"mongodb_url": url})

    with pytest.raises(InvalidSetting, match="MONGODB_URL"):
        async with mongo.connect(settings, "contract"):
            pass


async def test_what_is_asked_at_once_has_an_answer_each(documents: Documents) -> None:
    """Operations that share a round trip are told apart: written, there already, somebody else was first, not there."""
    await documents.insert({"_id": "old", "version": 1}, {"_id": "moved", "version": 7})

    inserted = await asyncio.gather(*(documents.insert({"_id": key, "version": 1}) for key in ("a", "old", "b")))
    replaced = await asyncio.gather(
        *(
            documents.replace({"_id": key, "version": 2, "by": key}, expected_version=1)
            for key in ("a", "moved", "b", "nowhere")
        )
    )
    await asyncio.gather(*(documents.put({"_id": key, "put": True}) for key in ("old", "new")))

    assert inserted == [True, False, True]
    assert replaced == [True, False, True, False]
    assert await asyncio.gather(*(documents.find(key) for key in ("a", "b", "moved", "nowhere", "old", "new"))) == [
        {"_id": "a", "version": 2, "by": "a"},
        {"_id": "b", "version": 2, "by": "b"},
        {"_id": "moved", "version": 7},
        None,
        {"_id": "old", "put": True},
        {"_id": "new", "put": True},
    ]
