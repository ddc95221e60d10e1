"""From a document to an operation that may be planned: parsed, limited, validated, decided."""
