"""A supergraph as small as it can be: the core with students, and a library that lends to them."""

HEAD = """
schema @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION) { query: Query }
enum join__Graph { CORE @join__graph(name: "core", url: "") LMS @join__graph(name: "lms", url: "") }
"""
QUERY = """type Query @join__type(graph: CORE) @join__type(graph: LMS) {
  students: StudentConnection @join__field(graph: CORE)
  loans: [Loan] @join__field(graph: LMS) SAYS %s
}
"""
STUDENT = """type Student @join__type(graph: CORE, key: "sourceKey") @join__type(graph: LMS, key: "sourceKey") %s {
  sourceKey: String! @inaccessible
  id: ID! @join__field(graph: CORE)
  firstName: String %s
  nickname: String @join__field(graph: LMS) SAYS
  card: String @join__field(graph: LMS)
}
"""
CONNECTION = "type StudentConnection @join__type(graph: CORE) { nodes: [Student!] %s }\n"
LOAN = """type Loan @join__type(graph: LMS, key: "id"%s) @tag(name: "student/student") { id: ID!
  student: Student @join__field(graph: LMS%s) SAYS
  book: String @join__field(graph: LMS) SAYS }
"""
SAYS = '@requiresScopes(scopes: [["lms/loans.read"]]) @tag(name: "category/Student_work") @tag(name: "sensitivity/pii")'


def text(
    *,
    student: tuple[str, str] = ("", "@join__field(graph: CORE)"),
    query: str = "",
    connection: str = "",
    loan: tuple[str, str] = ("", ""),
    more: str = "",
) -> str:
    """The supergraph's SDL, with what else is said of its parts. `Student.card` declares nothing of itself."""
    whole = HEAD + QUERY % query + STUDENT % student + CONNECTION % connection + LOAN % loan + more
    return whole.replace("SAYS", SAYS)
