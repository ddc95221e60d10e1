"""Learning resources for the sandbox's courses: invented, in the public domain, written as publishers write theirs.

Shape: NDJSON of JSON-LD, as the learning registry imports it. Titles, publishers, standards and counts are invented.
"""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.importers.sandbox.courses import CORE, ELECTIVES, Course, Subject
from app.importers.sandbox.profile import GRADES, PROFILES

PUBLIC_DOMAIN = "https://creativecommons.org/publicdomain/zero/1.0/"
FRAMEWORK = "Juniper Learning Framework"
PUBLISHERS = ("Lantern and Loom Commons", "Quillfeather Open Press", "Pebblework Learning", "Marsh Wren Collective")

KINDS = (
    (
        "reading",
        "A short text with questions to talk about.",
        ("A first look at {}", "{} in everyday life", "The story of {}"),
    ),
    (
        "lesson plan",
        "Two lessons with notes for the teacher.",
        ("Teaching {} step by step", "{}: two lessons", "Discovering {}"),
    ),
    ("exercise", "Twenty exercises, with solutions.", ("Practice with {}", "{} workout", "Twenty questions on {}")),
    ("assessment", "A short check of what was learned.", ("Do I understand {}?", "{} check", "A quick check of {}")),
)
TOPICS = {
    "ELA": (
        "fables",
        "letter sounds",
        "poems",
        "paragraphs",
        "main ideas",
        "narrators",
        "arguments",
        "metaphors",
        "essays",
    ),
    "MATH": (
        "counting",
        "place value",
        "fractions",
        "decimals",
        "ratios",
        "equations",
        "angles",
        "functions",
        "statistics",
    ),
    "SCI": ("weather", "plants", "magnets", "cells", "ecosystems", "forces", "energy", "atoms", "the night sky"),
    "SS": (
        "neighborhoods",
        "maps",
        "rivers",
        "trade",
        "constitutions",
        "migration",
        "elections",
        "markets",
        "archives",
    ),
    "ART": ("colors", "rhythm", "clay", "perspective", "portraits", "melodies", "collage", "murals", "printmaking"),
    "PE": (
        "balance",
        "teamwork",
        "stretching",
        "ball games",
        "endurance",
        "first aid",
        "nutrition",
        "dance",
        "fair play",
    ),
    "SPAN": (
        "greetings",
        "numbers",
        "family words",
        "verbs",
        "directions",
        "food words",
        "past tenses",
        "letters",
        "songs",
    ),
    "CS": ("patterns", "sequences", "loops", "data", "passwords", "debugging", "networks", "algorithms", "simulations"),
}


def write(file: Path, *, seed: int = 2013) -> int:
    """Write resources for every course of the sandbox's districts; gives their number."""
    listed = list(resources(seed))
    file.write_text("".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in listed), encoding="utf-8")
    return len(listed)


def resources(seed: int = 2013) -> Iterator[dict[str, Any]]:
    """One resource of each kind for each subject in each grade."""
    drawn = random.Random(seed)  # noqa: S311 - nothing is kept secret by it
    for subject in (*CORE, *ELECTIVES):
        for place, grade in enumerate(GRADES):
            topics = TOPICS[subject.code]
            for number, (kind, about, titles) in enumerate(KINDS):
                topic = topics[(place * len(topics) // len(GRADES) + number // 2) % len(topics)]
                yield _resource(drawn, subject, grade, (kind, about), drawn.choice(titles).format(topic))


def _resource(drawn: random.Random, subject: Subject, grade: str, kind: tuple[str, str], title: str) -> dict[str, Any]:
    sced = Course(PROFILES[0].schools[0], grade, subject, "", "").sced
    views = drawn.randrange(40, 4_000)
    slug = f"{subject.code.lower()}-{grade.lower()}-{kind[0].replace(' ', '-')}"
    return {
        "@context": "https://schema.org",
        "@type": "LearningResource",
        "url": f"https://resources.example/{slug}",
        "name": title[0].upper() + title[1:],
        "description": f"{kind[1]} For {'kindergarten' if grade == 'KG' else f'grade {int(grade)}'}, {subject.name}.",
        "about": subject.name,
        "educationalLevel": grade,
        "learningResourceType": kind[0],
        "license": PUBLIC_DOMAIN,
        "publisher": {"@type": "Organization", "name": drawn.choice(PUBLISHERS)},
        "educationalAlignment": [
            _alignment("teaches", FRAMEWORK, f"JLF.{subject.code}.{grade}.{drawn.randrange(1, 6)}"),
            _alignment("educationalSubject", "SCED", sced),
        ],
        "interactionStatistic": [
            _counted("ViewAction", views),
            _counted("DownloadAction", views // drawn.randrange(3, 12)),
        ],
    }


def _alignment(kind: str, framework: str, target: str) -> dict[str, str]:
    return {
        "@type": "AlignmentObject",
        "alignmentType": kind,
        "educationalFramework": framework,
        "targetName": target,
    }


def _counted(action: str, count: int) -> dict[str, Any]:
    return {
        "@type": "InteractionCounter",
        "interactionType": f"https://schema.org/{action}",
        "userInteractionCount": count,
    }
