"""demographics.csv: what a school asks of a student beside their name."""

from app.importers.oneroster.context import Context, readable, sound
from app.importers.oneroster.shape import Shape
from app.importers.values import CellError, iso_date, json_list, text, truth
from app.spaces.staging import Part

_RACES = {
    "americanIndianOrAlaskaNative": "American Indian or Alaska Native",
    "asian": "Asian",
    "blackOrAfricanAmerican": "Black or African American",
    "nativeHawaiianOrOtherPacificIslander": "Native Hawaiian or Other Pacific Islander",
    "white": "White",
    "demographicRaceTwoOrMoreRaces": "Two or More Races",
}
DEMOGRAPHICS = Shape(
    Part(
        "demographics",
        "Student",
        ("birth_date", "sex", "hispanic_latino_ethnicity", "races"),
        creates=False,
        label="Demographics",
    ),
    {
        "birth_date": ("birthDate", iso_date),
        "sex": ("sex", text),
        "hispanic_latino_ethnicity": ("hispanicOrLatinoEthnicity", truth),
    },
)


async def demographics(context: Context) -> None:
    """Birth dates, sex, ethnicity and races of students; those of other people are left alone."""
    is_whole = context.manifest.whole("demographics")
    shape: Shape | None = None
    async for row in context.each("demographics", ("sourcedId",)):
        shape = shape or DEMOGRAPHICS.narrowed(row, whole=is_whole)
        found: str | None = None
        try:
            found = sound(row)
            if found in context.others:
                continue
            context.sink.report.count("Demographics")
            if row.removed:
                values: dict[str, object] = {}
            else:
                races = [name for column, name in _RACES.items() if row.read(truth, column)]
                values = {**shape.values(row), "races": json_list(races)}
            context.sink.add(shape.part, context.file("demographics"), row.line, found, values)
        except CellError as bad:
            context.sink.reject(shape.part, context.file("demographics"), row.line, found or readable(row), bad)
