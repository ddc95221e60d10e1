/** Ready queries. The comment at the head of each says what it shows; its first line is the title. */
import changesSince from "./queries/changes-since.graphql?raw";
import denial from "./queries/denial.graphql?raw";
import grant from "./queries/grant.graphql?raw";
import mathGrades from "./queries/math-grades.graphql?raw";
import nodeById from "./queries/node-by-id.graphql?raw";
import resources from "./queries/resources.graphql?raw";
import roster from "./queries/roster.graphql?raw";

export interface Ready {
  title: string;
  /** The operation's name, and so the tab's. */
  name: string;
  query: string;
  /** Whether it asks for one record, by an id that only an earlier answer can give. */
  wantsId: boolean;
}

const PLACE = "an id from an answer of yours";

export const READY: Ready[] = [roster, mathGrades, resources, denial, nodeById, grant, changesSince].map((text) => {
  const query = text.trim();
  const title = /^# (.+)\.$/m.exec(query)?.[1] ?? "Query";
  const name = /^query (\w+)/m.exec(query)?.[1] ?? "";
  return { title, name, query, wantsId: query.includes(PLACE) };
});

/** Ask for one id to be looked up: the first student of whoever is run as. */
export const ANY_ID = "query AnyId { students(first: 1) { nodes { id } } }";

/** The query with an id in its place. */
export function withId({ query }: Ready, id: string): string {
  return query.replace(PLACE, id);
}
