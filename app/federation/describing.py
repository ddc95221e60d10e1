"""Say under each field of a subgraph what a vendor needs for it, as the core's fields say of themselves."""

from graphql import GraphQLObjectType

from app.federation.supergraph_sdl import Composed
from app.operation.vocabulary import Vocabulary
from app.schema.guard import standing


def describe(composed: Composed, vocabulary: Vocabulary) -> None:
    """Add scope, category and sensitivity to the descriptions of what subgraphs tell, where these do not say them."""
    for coordinate in vocabulary.told_by:
        type_name, _, name = coordinate.partition(".")
        of = composed.schema.type_map.get(type_name)
        if isinstance(of, GraphQLObjectType) and name in of.fields:
            field, line = of.fields[name], standing(vocabulary.facts[coordinate])
            if line not in (field.description or ""):
                field.description = f"{field.description}\n\n{line}" if field.description else line
