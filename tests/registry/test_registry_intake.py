"""Importing resources: all or nothing, twice is once, and every row that is not taken is told with its place."""

import json
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import Unavailable, UsageError
from app.registry.intake import import_resources
from app.registry.lookup import by_ids, decode
from app.registry.reading import SourceError, read
from app.registry.resource import Alignment, Paradata, Resource
from tests.registry.resources import aligned, names, ndjson, node, taken

pytestmark = pytest.mark.anyio

WHOLE = {
    "@context": "https://schema.org",
    "@type": ["LearningResource", "CreativeWork"],
    "@id": "https://r.example/fractions",
    "schema:name": {"@value": "Fractions", "@language": "en"},
    "description": "Halves and thirds.\nThen more.",
    "about": [{"@type": "DefinedTerm", "name": "Mathematics"}, "Numbers"],
    "educationalLevel": "Grades 3-4",
    "learningResourceType": "lesson plan",
    "license": {"@type": "CreativeWork", "url": "https://license.example/zero"},
    "publisher": [{"@type": "Organization", "name": "Pebblework"}],
    "educationalAlignment": [
        aligned("SCED", "02003", "educationalSubject"),
        aligned(None, "5th grade", "educationalLevel"),
    ],
    "teaches": {"termCode": "JLF.3.1", "inDefinedTermSet": "Juniper", "url": "https://jlf.example/3.1"},
    "interactionStatistic": {"interactionType": {"@type": "ViewAction"}, "userInteractionCount": "12"},
}
READ = Resource(
    url="https://r.example/fractions",
    name="Fractions",
    description="Halves and thirds.\nThen more.",
    subject=("Mathematics", "Numbers"),
    grade_levels=("03", "04", "05"),
    learning_resource_type=("lesson plan",),
    license="https://license.example/zero",
    publisher="Pebblework",
    educational_alignment=(
        Alignment("educationalSubject", "SCED", "02003"),
        Alignment("teaches", "Juniper", "JLF.3.1", None, "https://jlf.example/3.1"),
    ),
    paradata=(Paradata("view", 12),),
)


def test_what_publishers_write_in_json_ld_is_read(tmp_path: Path) -> None:
    forms = [[WHOLE], WHOLE, {"@context": "https://schema.org", "@graph": [WHOLE]}]
    for number, form in enumerate(forms):
        file = tmp_path / f"{number}.jsonld"
        file.write_text(json.dumps(form, indent=2))
        assert [row.read for row in read(file, None)] == [READ]


def test_csv_says_the_same_in_columns(tmp_path: Path) -> None:
    file = tmp_path / "r.csv"
    file.write_text(
        "\ufeffurl,name,subject,gradeLevels,educationalFramework,standards,scedCodes,paradata.view\r\n"
        'https://r.example/1,"Halves, thirds",Mathematics|Numbers,K-1,Juniper,JLF.1|JLF.2,02003,7\r\n'
    )
    (row,) = read(file, None)
    assert row.read == Resource(
        url="https://r.example/1",
        name="Halves, thirds",
        subject=("Mathematics", "Numbers"),
        grade_levels=("KG", "01"),
        educational_alignment=(
            Alignment("teaches", "Juniper", "JLF.1"),
            Alignment("teaches", "Juniper", "JLF.2"),
            Alignment("educationalSubject", "SCED", "02003"),
        ),
        paradata=(Paradata("view", 7),),
    )


async def test_every_row_that_cannot_be_taken_is_told_with_file_line_and_reason(
    index: AsyncEngine, tmp_path: Path
) -> None:
    bad = [
        node("1", "Good"),
        node("2", " "),
        {"name": "No address"},
        {**node("3", "A script"), "url": "javascript:alert(1)"},
        {**node("4", "A user"), "url": "https://user@r.example/"},
        node("5", "n" * 501),
        node("6", "Half a letter \ud800"),
        node("7", "Aligned to nothing", educationalAlignment=[{"alignmentType": "teaches"}]),
        node("8", "Counted", interactionStatistic={"interactionType": "ViewAction", "userInteractionCount": -1}),
        node("9", "Linked", teaches={"termCode": "x", "url": "file:///etc/passwd"}),
        node("1", "Good again"),
    ]
    file = ndjson(tmp_path, *bad)
    file.write_text(file.read_text() + "{ not json\n" + "[" * 100_000 + "\n")
    report = await import_resources(index, file)
    told = [(line, column) for _, line, column, _ in report.rejected]
    assert told == [
        *((2, "name"), (3, "url"), (4, "url"), (5, "url"), (6, "name"), (7, "name"), (8, "educationalAlignment")),
        *((9, "interactionStatistic"), (10, "educationalAlignment"), (11, "url"), (12, None), (13, None)),
    ]
    assert "r.ndjson:1" in report.rejected[9][3]
    assert "javascript" not in report.as_text()
    assert "r.ndjson:4: url: This is no address of the web." in report.as_text()
    assert await names(index) == ["Good"]


async def test_a_row_of_json_ld_is_told_by_the_line_that_it_begins_on(index: AsyncEngine, tmp_path: Path) -> None:
    file = tmp_path / "r.jsonld"
    file.write_text('[\n  {"url": "https://r.example/1",\n   "name": "One"},\n  {"name": "Two"},\n\n  3]')
    report = await import_resources(index, file)
    assert [line for _, line, _, _ in report.rejected] == [4, 6]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("url,name,colour\nhttps://r.example/1,One,red\n", "Column 3"),
        ("name\nOne\n", "`url` and `name`"),
        ("url,url,name\n", "stands twice"),
        ("url,name\nhttps://r.example/1\n", "1 cells"),
        ('url,name\nhttps://r.example/1,"One"x\n', "not CSV"),
        ("url;name\nhttps://r.example/1;One\n", "no url and no name. They are parted by commas."),
        ("url,titel\nhttps://r.example/1,One\n", "there is no name. Nothing"),
        ("url,name,grade\nhttps://r.example/1,One,5\n", "use one of: url, name, description, subject, gradeLevels"),
        ("url,name,scedCodes\nhttps://r.example/1,One,2003\n", "five digits"),  # as a spreadsheet leaves 02003
    ],
)
async def test_csv_that_is_amiss_is_told(index: AsyncEngine, tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "r.csv"
    file.write_text(text)
    report = await import_resources(index, file)
    assert report.rejections == 1
    assert reason in report.rejected[0][3]
    assert await names(index) == []


async def test_a_second_import_changes_nothing_and_a_changed_row_alone_is_changed(
    index: AsyncEngine, tmp_path: Path
) -> None:
    nodes = [node(str(number), f"Resource {number}", about="Maps") for number in range(5)]
    first = await taken(index, tmp_path, *nodes)
    again = await taken(index, tmp_path, *nodes)
    nodes[2]["about"] = "Rivers"
    third = await taken(index, tmp_path, *nodes)
    assert (first.stored.created, again.stored.unchanged, again.stored.created) == (5, 5, 0)
    assert (third.stored.updated, third.stored.unchanged) == (1, 4)
    assert await names(index, subject="rivers") == ["Resource 2"] == await names(index, search="rivers")
    assert len(await names(index, subject="maps")) == 4 == len(await names(index, search="maps"))


async def test_replacing_removes_what_the_source_lacks_unless_a_row_was_rejected(
    index: AsyncEngine, tmp_path: Path
) -> None:
    await taken(index, tmp_path, node("1", "One"), node("2", "Two"))
    kept = await taken(index, tmp_path, node("1", "One"), {"url": "https://r.example/2"}, replace=True)
    assert "Nothing was removed" in kept.as_text()
    assert await names(index) == ["One", "Two"]
    report = await taken(index, tmp_path, node("1", "One"), replace=True)
    assert report.stored.removed == 1
    assert await names(index) == ["One"] == await names(index, search="one")
    assert await names(index, search="two") == []


async def test_an_import_that_fails_in_the_middle_leaves_the_index_as_it_was(
    index: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await taken(index, tmp_path, node("1", "One"))
    ndjson(tmp_path, *(node(str(number), f"New {number}") for number in range(20)), name="a.ndjson")
    (tmp_path / "b.jsonld").write_text('[{"url": "https://r.example/x", "name": "X"},')
    monkeypatch.setattr("app.registry.intake.BATCH", 5)
    with pytest.raises(SourceError, match=r"b\.jsonld: line 1: This is not JSON"):
        await import_resources(index, tmp_path)
    assert await names(index) == ["One"]
    report = await import_resources(index, tmp_path / "a.ndjson", dry_run=True)
    assert (report.stored.created, report.stored.updated) == (19, 1)
    assert "dry run" in report.as_text()
    assert await names(index) == ["One"]


async def test_a_source_that_is_none_is_told(index: AsyncEngine, tmp_path: Path) -> None:
    (tmp_path / "r.txt").write_text("x")
    (tmp_path / "r.ndjson").write_bytes(b'{"name": "\xff"}\n')
    for source in (tmp_path / "nothing", tmp_path / "r.txt"):
        with pytest.raises(UsageError):
            await import_resources(index, source)
    with pytest.raises(SourceError, match="UTF-8"):
        await import_resources(index, tmp_path / "r.ndjson")


async def test_a_database_that_does_not_answer_is_told(database: AsyncEngine, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="Nothing was stored"):
        await taken(database, tmp_path, node("1", "One"))


async def test_an_id_is_made_of_the_address(index: AsyncEngine, tmp_path: Path) -> None:
    await taken(index, tmp_path, node("1", "One"))
    (found,) = (await by_ids(index, [Resource(url="https://r.example/1", name="").id, "unknown"])).values()
    assert found == Resource(url="https://r.example/1", name="One")
    assert decode(b'{"url":"u","name":"n"}').subject == ()
